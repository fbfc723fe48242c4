"""Stores in whose every field stands what `payloads` has, as far as a field can hold it; and what is refused, with the answer."""

import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle, islice
from typing import Any, NamedTuple

import httpx

from tessera.letterbox import sign_up
from tessera.shop import Shop
from tests.fuzz.api.house import Desk, Headers, bearer
from tests.web.payloads import PAYLOADS, batches

PASSWORD = "correct horse battery staple"
# The longest text that each field takes: as many batches as the shortest needs are as many stores, and each has one of every field's.
LOOKS = {
    "name": 80, "seo_title": 70, "banner": 200, "contact": 254, "notice": 500, "footer": 500, "seo_description": 300,
    "refund_policy": 10_000, "privacy_policy": 10_000, "terms": 10_000,
}  # fmt: skip
COLORS = ("primary_color", "primary_color_dark", "accent_color", "accent_color_dark")
NAME, LABEL, PICK, NOTE, TEXT, COUPON, LEVEL, CONTACT = 200, 60, 100, 5_000, 10_000, 60, 40, 254
WORKERS = 4


class Spoilt(NamedTuple):
    """A store by its slug, and the paths of its pages that anybody may look at; of those that a shopper with `token` may; and of the
    console's."""

    slug: str
    key: str
    paths: list[str]
    token: str = ""
    his: list[str] = []
    console: list[str] = []

    @property
    def credentials(self) -> dict[str, str]:
        return {"mail": f"{self.slug}@example.com", "password": PASSWORD}


def faces(shop: Shop) -> list[Spoilt]:
    """Stores whose settings hold all payloads, each field those that it has room for."""
    rounds = max(sum(1 for _ in batches(longest)) for longest in LOOKS.values())
    columns = {field: list(islice(cycle(batches(longest)), rounds)) for field, longest in LOOKS.items()}

    def open_store(number: int) -> Spoilt:
        store = opened(shop)
        look = {field: texts[number] for field, texts in columns.items()}
        with closing(Desk(shop.api_url)) as desk:
            desk.ask("PATCH", "/v1/store", bearer(store.key) | {"If-Match": "*"}, look)
        return store._replace(paths=["/", *(["/policies/refund"] if number == 0 else [])])

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(open_store, range(rounds)))


def opened(shop: Shop) -> Spoilt:
    slug = f"x{secrets.token_hex(6)}"
    made = sign_up(shop.api_url, shop.mail_url, store="x", slug=slug, mail=f"{slug}@example.com", password=PASSWORD)
    return Spoilt(slug, made["api_key"], [])


def goods(shop: Shop) -> Spoilt:
    """One store with products, SKUs, categories, sales, numbers to choose from, questions to answer, channels, coupons and levels that are
    named so, and a shopper who has goods and questions in a cart and in orders."""
    store = opened(shop)
    with closing(Desk(shop.api_url)) as desk:
        return Merchant(desk, store).fill()


class Merchant:
    """Writes payloads wherever a merchant may write."""

    def __init__(self, desk: Desk, store: Spoilt) -> None:
        self.desk = desk
        self.store = store
        self.at = {"X-Tessera-Store": store.slug}
        self.skus: list[str] = []
        self.asking: list[str] = []  # SKUs that ask questions
        self.sales: list[str] = []

    def ask(self, method: str, path: str, body: Any = None, *, file: bytes | None = None, **headers: str) -> Any:
        return self.desk.ask(method, path, bearer(self.store.key) | headers, body, file=file)

    def guest(self) -> Headers:
        return bearer(self.desk.ask("POST", "/v1/shopper-tokens", self.at)["token"]) | self.at

    def fill(self) -> Spoilt:
        paths = self._goods()
        self._promote()
        return self._sell(paths)

    def _goods(self) -> list[str]:
        """The paths of the pages that show them to anybody."""
        paths = ["/"]
        everything = "\n".join(batches(TEXT))
        for number, name in enumerate(batches(NAME)):
            category = self.ask("POST", "/v1/categories", {"name": name})["id"]
            product = self.ask("POST", "/v1/products", {"name": name, "description": everything, "category_id": category})["id"]
            self.ask("PUT", f"/v1/translations/{product}/en", {"name": name, "description": everything})
            sku = {"product_id": product, "name": name, "price_minor": 100, "currency": "CNY", "usage_note": "\n".join(batches(NOTE))}
            plain = self.ask("POST", "/v1/skus", sku)["id"]
            codes = f"CODE-{number}-1\nCODE-{number}-2\nCODE-{number}-3\n".encode()
            self.ask("POST", f"/v1/vault/imports?sku_id={plain}", file=codes, **{"Content-Type": "text/plain"})
            sale = self.ask("POST", "/v1/sales", {"sku_id": plain, "name": name, "units": 1, "limit_per_shopper": 0})["id"]
            self.ask("PUT", f"/v1/skus/{plain}/shelf", {"units": "all"})
            self.ask("PUT", f"/v1/channels/own_{number}", {"name": name[:80]})
            paths += [f"/sales/{sale}", f"/?category={category}"]
            self.skus.append(plain)
            self.sales.append(sale)
        product = self.ask("POST", "/v1/products", {"name": "to choose"})["id"]
        lines = "\n".join(["code,label", *(f'PICK-{n},"{text.replace(chr(34), chr(34) * 2)}"' for n, text in enumerate(batches(PICK)))])
        sku = {"product_id": product, "name": "x", "price_minor": 100, "currency": "CNY"}
        chosen = self.ask("POST", "/v1/skus", sku | {"type": "chosen"})["id"]
        self.ask("POST", f"/v1/vault/imports?sku_id={chosen}", file=lines.encode(), **{"Content-Type": "text/csv"})
        paths.append(f"/sales/{self.ask('PUT', f'/v1/skus/{chosen}/shelf', {'units': 'all'})['id']}")
        for texts in _tens(list(batches(LABEL))):
            fields = [{"name": f"f{n}", "label": {"zh-CN": text, "en": text}, "hint": text} for n, text in enumerate(texts)]
            asking = self.ask("POST", "/v1/skus", sku | {"type": "manual", "config": {"fields": fields, "within_h": 48}})["id"]
            self.ask("POST", f"/v1/skus/{asking}/units", {"quantity": 1})
            self.ask("PUT", f"/v1/skus/{asking}/shelf", {"units": "all"})
            self.asking.append(asking)
        return paths

    def _promote(self) -> None:
        coupon = {"kind": "fixed", "off_minor": 1}
        for name in batches(COUPON):
            made = self.ask("POST", "/v1/coupons", {"name": name, **coupon})["id"]
            self.ask("POST", f"/v1/coupons/{made}/start")
        names = {name.casefold(): name for name in batches(LEVEL)}.values()  # none twice, and so many as there may be
        levels = [{"name": name, "growth": n + 1} for n, name in enumerate(islice(names, 10))]
        rules = {"enabled": True, "sign_in_points": 5, "hold_days": 0, "expiry": "never", "expiry_count": 1, "period_days": 365}
        self.ask("PUT", "/v1/points/program", rules | {"grace_days": 30, "levels": levels}, **{"If-Match": "*"})

    def _sell(self, paths: list[str]) -> Spoilt:
        """Strangers whose contacts are payloads, and one shopper with a cart and orders."""
        wishes = zip(self.sales, batches(CONTACT), strict=False)
        strangers = [self._buy(self.guest(), {"sale_id": sale, "quantity": 1, "contact": contact}) for sale, contact in wishes]
        who = self.guest()
        asking = self.desk.ask("POST", "/v1/orders", who, {"lines": [{"sku_id": sku, "quantity": 1} for sku in self.asking]})
        named = self.desk.ask("POST", "/v1/orders", who, {"lines": [{"sku_id": self.skus[0], "quantity": 1}]})
        orders = [f"/orders/{each['id']}" for each in (named, asking)]
        questions = [f"/orders/{asking['id']}/inputs/{line['sale_id']}" for line in asking["lines"]]
        lines = [{"sku_id": sku, "quantity": 1} for sku in self.skus]
        self.desk.ask("PUT", "/v1/cart", who, {"lines": lines})
        his = ["/cart", "/checkout", "/me", "/me/coupons", "/me/points", *questions, *orders, f"{orders[0]}/pay"]
        product = self.ask("GET", f"/v1/skus/{self.skus[0]}")["product_id"]
        one = [f"/products/{product}", f"/sales/{self.sales[0]}", f"/orders/{strangers[0]}"]
        lists = ("/", "/sales", "/products", "/skus", "/categories", "/vault", "/orders", "/customers", "/coupons", "/points", "/audit")
        console = [*lists, *one, orders[0], "/settings/channels"]
        return self.store._replace(paths=paths, token=who["Authorization"].removeprefix("Bearer "), his=his, console=console)

    def _buy(self, who: Headers, wish: dict[str, Any]) -> str:
        return str(self.desk.ask("POST", "/v1/checkouts", who, wish)["id"])


def _tens(labels: list[str], most: int = 10) -> Iterator[list[str]]:
    for start in range(0, len(labels), most):
        yield labels[start : start + most]


def refused_colors(shop: Shop, store: Spoilt) -> Mapping[tuple[str, str], httpx.Response]:
    """What each colour was answered for each payload."""
    headers = bearer(store.key) | {"If-Match": "*"}
    with httpx.Client(base_url=shop.api_url, headers=headers, trust_env=False) as api:
        return {(field, text): api.patch("/v1/store", json={field: text}) for field in COLORS for _, text in PAYLOADS}
