"""Store A with everything in it that has an address, and everybody who may ask for it. Made over HTTP alone, as merchants would."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from tests.documents import PDF
from tests.fuzz.api.house import Desk, Headers, House
from tests.fuzz.api.people import CUSTOM, KEYS, PEOPLE, STAFF, Door, Person
from tests.fuzz.api.scenes.scene import Success

OF_EACH = 8  # things of a kind
UNITS = 250  # codes of each SKU
UNPAID = 3  # orders: more than a few of a shopper's, and he is told to pay first
DELIVERED_S = 20
UNDER_WAY = {"draft", "submitted", "in_review", "more_wanted"}  # of qualifications


class Place:
    """Store A and what surrounds it, for those who make things there."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.desk = Desk(house.url)
        self.door = Door(self.desk, house)
        self.store, self.foreign, self.quiet = (self.door.open_store() for _ in range(3))
        self.key = self.store.key
        self.people: dict[str, Person] = {}
        self.headers: dict[str, Headers] = {}
        self.ids: dict[str, list[str]] = {}
        self._admit()
        self._stock()
        self._write()
        self._settle()

    def ask(self, method: str, path: str, body: Any = None, *, file: bytes | None = None, headers: Headers | None = None) -> Any:
        """As A's owner, by his key, unless `headers` say who."""
        kind = {"Content-Type": "text/plain"} if file is not None else {}
        return self.desk.ask(method, path, kind | (headers or self.key), body, file=file)

    def key_of(self, role: str) -> Headers:
        """The key that may all at the store where `role` succeeded."""
        return self.foreign.key if role == "foreign-key" else self.key

    def deletes(self, things: str) -> Callable[[Success], None]:
        """What puts right that one of them was made."""
        return lambda done: self.ask("DELETE", f"/v1/{things}/{done.answer['id']}", headers=self.key_of(done.role))

    def renew(self, role: str) -> None:
        """Somebody has signed out."""
        if role in self.people:
            self.headers[role] = self.door.session(self.people[role])[0]
        else:
            self.headers[role] = self.door.on_duty(self.door.colleague(self.admin, role.removeprefix("platform-")))

    def _admit(self) -> None:
        store, door = self.store, self.door
        self.headers |= {
            "anonymous": store.at,
            "shopper": door.guest(store),
            "other-shopper": door.guest(store),
            "foreign-shopper": door.guest(self.foreign) | store.at,
            "owner-key": self.key,
            "foreign-key": self.foreign.key,
        }
        for role, scopes in KEYS.items():
            made = self.ask("POST", "/v1/api-keys", {"name": role, "scopes": scopes})
            self.headers[role] = {"Authorization": f"Bearer {made['key']}"}
        role_id = self.ask("POST", "/v1/roles", {"name": "Custom", "permissions": CUSTOM})["id"]
        self.people["owner"] = store.owner
        for role in PEOPLE[1:]:
            self.people[role] = door.employed(store, role_id if role == "custom" else role)[0]
        _, colleague = door.employed(store, "support")
        for role in PEOPLE:
            self.renew(role)
        self.admin = door.first_admin()
        for role in STAFF:
            self.renew(f"platform-{role}")
        self.ids |= {"role_id": [role_id], "user_id": [colleague]}

    def _stock(self) -> None:
        products = [self.ask("POST", "/v1/products", {"name": f"Product {n}"})["id"] for n in range(OF_EACH)]
        new_sku = {"name": "100", "price_minor": 9900, "currency": "CNY"}
        skus = [self.ask("POST", "/v1/skus", new_sku | {"product_id": product})["id"] for product in products]
        imports = [self.ask("POST", f"/v1/vault/imports?sku_id={sku}", file=codes(UNITS))["id"] for sku in skus]
        self.ids |= {"product_id": products, "sku_id": skus, "import_id": imports, "subject_id": [*products, *skus]}
        sales = [self.sale(n, UNITS - 20) for n in range(OF_EACH)]
        # The feed of a sale that is over says so and ends; that of another lasts.
        self.ask("POST", f"/v1/sales/{sales[0]}/end")
        self.ids |= {"sale_id": sales}
        # What is locked, void or recalled is of a SKU that nobody sells.
        spare = self.ask("POST", "/v1/skus", new_sku | {"product_id": products[0]})["id"]
        batch = self.ask("POST", f"/v1/vault/imports?sku_id={spare}", file=codes(UNITS))["id"]
        units = self.ask("GET", f"/v1/vault/units?sku_id={spare}&limit=100")["units"]
        self.ids |= {"batch_id": [batch], "unit_id": [str(unit["unit"]) for unit in units]}

    def _write(self) -> None:
        """What has no more than a name."""
        keys = [self.ask("POST", "/v1/api-keys", {"name": "x", "scopes": ["orders:read"]})["id"] for _ in range(OF_EACH)]
        endpoint, delivery = self.webhook()
        invitation = self.ask("POST", "/v1/invitations", {"mail": f"{uuid4().hex}@example.org", "role": "support"})["id"]
        self.ids |= {
            "key_id": keys, "endpoint_id": [endpoint], "delivery_id": [delivery], "invitation_id": [invitation],
            "domain_id": [self.domain()], "domain": [f"{self.store.slug}.localhost"], "host": [f"{self.store.slug}.localhost"],
            "code": ["tmall", "own_1"], "locale": ["en"], "type": ["*"], "event_types": ["*"], "provider": ["sandbox"],
            "tenant": [self.store.tenant_id[4:]], "merchant_id": [self.quiet.tenant_id, self.store.tenant_id], "currency": ["CNY"],
        }  # fmt: skip

    def _settle(self) -> None:
        """Orders, some of them delivered if there is a provider; and what is asked about who made them."""
        account = self.ask("POST", "/v1/provider-accounts", self.house.account(self.store.slug))["id"]
        orders = [self.paid() for _ in range(OF_EACH)] if self.house.whole else []
        orders += [self.order(contact="ann@example.org") for _ in range(1 if orders else UNPAID)]
        [shopper] = self.ask("POST", "/v1/shoppers/search", {"contact": "ann@example.org"})["items"]
        request = self.ask("POST", f"/v1/shoppers/{shopper['id']}/exports")["id"]
        rotation = self.ask("POST", "/v1/vault/rotations", {"purposes": ["seal", "fingerprint"]})["id"]
        self.ids |= {"rotation_id": [rotation]}
        tag, export = self.tag(), self.ask("POST", "/v1/order-exports", {"format": "csv"})["id"]
        self.ids |= {"account": [account[4:]], "order_id": orders, "shopper_id": [shopper["id"]], "request_id": [request]}
        self.ids |= {"tag_id": [tag], "export_id": [export], "order_ids": orders[:1], "tag_ids": [tag]}

    def sale(self, which: int, units: int = 1) -> str:
        body = {"sku_id": self.ids["sku_id"][which], "name": "Launch", "units": units, "limit_per_shopper": 0}
        return str(self.ask("POST", "/v1/sales", body)["id"])

    def order(self, headers: Headers | None = None, **more: str) -> str:
        body = {"sale_id": self.ids["sale_id"][-1], "quantity": 1, **more}
        return str(self.ask("POST", "/v1/checkouts", body, headers=headers or self.headers["shopper"])["id"])

    def paid(self, **more: str) -> str:
        """An order that is paid and delivered."""
        order, shopper = self.order(**more), self.headers["shopper"]
        self.pay(order)
        self.wait(f"/v1/orders/{order}", "delivered", shopper)
        return order

    def pay(self, order: str) -> None:
        attempt = self.ask("POST", f"/v1/orders/{order}/payments", headers=self.headers["shopper"])
        assert httpx.post(attempt["pay_url"], trust_env=False).status_code == 303

    def wait(self, path: str, state: str, headers: Headers | None = None) -> None:
        self.until(lambda: self.ask("GET", path, headers=headers)["state"] == state, f"{path} {state}")

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + DELIVERED_S
        while not is_so():
            assert time.monotonic() < until, f"there was not {what} in time"
            time.sleep(0.1)

    def webhook(self) -> tuple[str, str]:
        """An endpoint where nobody listens, and a delivery to it that failed."""
        new = {"url": "http://127.0.0.1:9/x", "event_types": ["sale.published"]}
        endpoint = self.ask("POST", "/v1/webhook-endpoints", new)["endpoint"]["id"]
        return endpoint, self.ask("POST", f"/v1/webhook-endpoints/{endpoint}/test")["delivery_id"]

    def tag(self) -> str:
        return str(self.ask("POST", "/v1/order-tags", {"name": uuid4().hex})["id"])

    def domain(self) -> str:
        return str(self.ask("POST", "/v1/domains", {"domain": f"{uuid4().hex}.example.com"})["id"])

    def qualification(self, state: str) -> dict[str, str]:
        """One in `state` that shows a document. Of a kind one is under way at a time: the one before is taken back."""
        for before in self._qualifications():
            if before["kind"] == "gift_cards" and before["state"] in UNDER_WAY:
                self._end(before)
        new = {"kind": "gift_cards", "legal_name": "x", "registration_number": "1"}
        made = self.ask("POST", "/v1/qualifications", new)["id"]
        path, kind = f"/v1/qualifications/{made}", {"Content-Type": "application/pdf"}
        shown = self.desk.ask("POST", f"{path}/documents?shows=prepaid_card_record", self.key | kind, file=PDF)
        if state != "draft":
            self.ask("POST", f"{path}/submit")
        acts = {"in_review": ["take"], "approved": ["take", "approve"]}.get(state, [])
        for act in acts:
            self._review(made, act, {"valid_until": "2099-01-01T00:00:00Z"} if act == "approve" else {})
        found = {"qualification_id": str(made), "document_id": str(shown["documents"][0]["id"]), "merchant_id": self.store.tenant_id}
        self.ids |= {name: [value] for name, value in found.items() if name != "merchant_id"}
        return found

    def _qualifications(self) -> list[dict[str, Any]]:
        """All of the store's, page by page: what is under way may lie behind many that were taken back."""
        found, address = [], "/v1/qualifications?limit=100"
        while address:
            page = self.ask("GET", address)
            found += page["qualifications"]
            address = page["next_cursor"] and f"/v1/qualifications?limit=100&cursor={page['next_cursor']}"
        return found

    def _end(self, qualification: dict[str, Any]) -> None:
        if qualification["state"] == "in_review":
            self._review(qualification["id"], "reject", {"reasons": ["x"]})
        else:
            self.ask("POST", f"/v1/qualifications/{qualification['id']}/withdraw")

    def _review(self, qualification: str, act: str, body: Any) -> None:
        path = f"/v1/platform/merchants/{self.store.tenant_id}/qualifications/{qualification}/{act}"
        self.ask("POST", path, body, headers=self.admin)


def codes(count: int) -> bytes:
    return "".join(f"{uuid4().hex}\n" for _ in range(count)).encode()
