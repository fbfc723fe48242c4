"""Two stores with everything in them that has an address, and everybody who might ask for it."""

import json
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from api import csrf
from api.process import Process
from checkout_core import tokens
from checkout_core.ids import decode, encode, new_id
from tenants import entitlements, exceptions, picks, sessions
from tenants.db import platform_tx, tenant_tx
from tenants.permissions import PERMISSIONS
from tenants.picks import Pick
from tenants.sessions import Visitor
from tenants.vault import exports, watches
from tests.documents import PDF
from tests.pictures import picture
from tests.platform import signed_in
from tests.shop import Person, Store

A_PICTURE = picture()
SEED = "a" * 22  # what the pages' form proof is bound to


class World(NamedTuple):
    """What `store` has, by the name it goes by in a path."""

    store: Store
    canary: str  # a word that only this store's things hold
    owner: dict[str, str]  # the shopper whose order it is
    ids: dict[str, str]
    person: dict[str, str]  # its owner, with a session

    @classmethod
    async def of(cls, store: Store) -> "World":
        canary = f"canary{uuid4().hex}"
        about = {"notice": canary, "refund_policy": canary}
        await store.ask("PATCH", "/v1/store", store.merchant | {"If-Match": "*"}, about)
        product = await store.product(canary)
        sku = await store.sku(product_id=product, name=canary)
        codes = [uuid4().hex for _ in range(9)]
        batch = await imported(store, sku, codes)
        unit = await loose_unit(store, sku, batch, canary)
        async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
            await picks.put(tx, decode("sku", sku), [Pick(name="gala.stalls", label=canary)])
        sale = await store.sale(units=3, sku_id=sku, name=canary)
        await store.ask("PUT", f"/v1/skus/{sku}/shelf", store.merchant, {"units": 4})
        owner = await store.guest()
        await store.ask("PUT", "/v1/cart", owner, {"lines": [{"sku_id": sku, "quantity": 1, "picks": [canary]}]})
        order = await store.order(owner, sale)
        fulfilment_id = await waiting(store, order, sale)
        key = await store.ask("POST", "/v1/api-keys", store.merchant, {"name": canary, "scopes": ["orders:read"]})
        account = await store.ask("POST", "/v1/provider-accounts", store.merchant, provider_account())
        endpoint_id, delivery_id = await webhooks(store, canary)
        role = await store.ask("POST", "/v1/roles", store.merchant, {"name": canary, "permissions": ["orders:read"]})
        colleague = await store.employ("support", await Person.new(store.process, f"{canary}@example.org"))
        new = {"mail": f"new-{canary}@example.org", "role": "support"}
        invitation = await store.ask("POST", "/v1/invitations", store.merchant, new)
        await store.ask("PUT", f"/v1/translations/{product}/en", store.merchant, {"name": canary})
        category = await store.ask("POST", "/v1/categories", store.merchant, {"name": canary})
        image_id = await pictured(store, product)
        review_id = await handed_in(store, product, canary)
        domain = await store.ask("POST", "/v1/domains", store.merchant, {"domain": f"{canary}.example.com"})
        shopper = encode("shp", tokens.verify(store.process.keys.shoppers, bearer(owner)).id)
        request = await store.ask("POST", f"/v1/shoppers/{shopper}/exports", store.merchant)
        group, price_list = await priced(store, sku, shopper, canary)
        coupon, grant = await taken_off(store, owner, canary)
        level = {"name": canary[:40], "growth": 1}
        await store.ask(
            "PUT", "/v1/points/program", store.merchant | {"If-Match": "*"}, {"enabled": True, "sign_in_points": 5, "levels": [level]}
        )
        await store.ask("POST", f"/v1/shoppers/{shopper}/points/entries", store.merchant, {"amount": 50, "reason": canary})
        tag = await store.ask("POST", "/v1/order-tags", store.merchant, {"name": canary})
        await store.ask("POST", f"/v1/orders/{order}/notes", store.merchant, {"words": canary})
        export = await store.ask("POST", "/v1/order-exports", store.merchant, {"format": "csv"})
        exception_id, entitlement_id = await at_work(store, order, sku, shopper, canary)
        ids = {
            "domain_id": domain["id"], "subject_id": product, "endpoint_id": endpoint_id, "delivery_id": delivery_id,
            "product_id": product, "sku_id": sku, "import_id": batch, "batch": batch,
            "batch_id": batch, "unit_id": unit, "sale_id": sale, "sale": sale, "product": product, "category": category["id"],
            "order_id": order, "order": order, "key_id": key["id"], "session_id": (await begun(store, canary))[1],
            "tenant": store.tenant_id.hex, "account": account["id"][4:], "account_id": account["id"],
            "exception_id": exception_id, "entitlement_id": entitlement_id,
            "role_id": role["id"], "user_id": colleague.id, "invitation_id": invitation["id"],
            "merchant_id": f"ten_{store.tenant_id.hex}",
            "shopper_id": shopper, "request_id": request["id"], "fulfilment_id": fulfilment_id,
            "tag_id": tag["id"], "export_id": export["id"], "coupon_id": coupon, "grant_id": grant,
            "known_code": codes[0], **await vault_of(store, sku, canary),
            "group_id": group, "list_id": price_list, "category_id": category["id"], "image_id": image_id, "review_id": review_id,
        }  # fmt: skip
        return cls(store, canary, owner, ids, (await begun(store, canary))[0])

    async def with_qualification(self, state: str) -> "World":
        """The same, and a qualification in `state` that shows one document."""
        if before := self.ids.get("qualification_id"):  # one of a kind is under way at a time
            await self.store.client.post(f"/v1/qualifications/{before}/withdraw", headers=self.store.merchant)
        new = {"kind": "gift_cards", "legal_name": self.canary, "registration_number": self.canary}
        made = await self.store.ask("POST", "/v1/qualifications", self.store.merchant, new)
        path, headers = f"/v1/qualifications/{made['id']}", self.store.merchant | {"Content-Type": "application/pdf"}
        content = PDF + self.canary.encode() + b"%%EOF"
        shown = await self.store.client.post(f"{path}/documents?shows=prepaid_card_record", content=content, headers=headers)
        assert shown.status_code == 201, shown.text
        if state != "draft":
            await self.store.ask("POST", f"{path}/submit", self.store.merchant)
            reviewer, at = await signed_in(self.store.process), f"/v1/platform/merchants/{self.ids['merchant_id']}{path[3:]}"
            for act in {"submitted": [], "in_review": ["take"], "approved": ["take", "approve"]}[state]:
                await self.store.ask("POST", f"{at}/{act}", reviewer, {"valid_until": "2099-01-01T00:00:00Z"} if act == "approve" else {})
        ids = {"qualification_id": str(made["id"]), "document_id": str(shown.json()["documents"][0]["id"])}
        return self._replace(ids=self.ids | ids)

    def missing(self) -> dict[str, str]:
        """The same names with ids that nobody has."""
        return {name: value[:-32] + uuid4().hex for name, value in self.ids.items()} | {"unit_id": str(1 << 62)}


async def loose_unit(store: Store, sku: str, batch: str, canary: str) -> str:
    """The last unit of the batch, with the canary in its history."""
    listed = await store.ask("GET", f"/v1/vault/units?sku_id={sku}&batch_id={batch}", store.merchant)
    unit = listed["units"][0]["unit"]
    for act in ("lock", "unlock"):
        await store.ask("POST", f"/v1/vault/units/{act}", store.merchant, {"units": [unit], "reason": canary})
    return str(unit)


async def waiting(store: Store, order: str, sale: str) -> str:
    """A line of the order that waits to be fulfilled."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """INSERT INTO fulfilment (tenant_id, order_id, sale_id, sku_id, next_try_at)
                 SELECT $1, order_id, sale_id, sku_id, now() + interval '1 day' FROM order_line
                 WHERE tenant_id = $1 AND order_id = $2 AND sale_id = $3 RETURNING id"""
        return encode("ful", await tx.conn.fetchval(sql, tx.tenant_id, decode("ord", order), decode("sal", sale)))


async def at_work(store: Store, order: str, sku: str, shopper: str, canary: str) -> tuple[str, str]:
    """A case of the exception queue, and an entitlement of the order."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        await exceptions.report(tx, "fulfilment_overdue", canary, order=order)
        case_id = await tx.conn.fetchval("SELECT id FROM exception_case WHERE tenant_id = $1", tx.tenant_id)
        entitlement_id = await entitlements.grant(
            tx, type="licence", unit=1, order_id=decode("ord", order), sku_id=decode("sku", sku), shopper_id=decode("shp", shopper),
            data={"canary": canary},
        )  # fmt: skip
    return encode("exc", case_id), encode("ent", entitlement_id)


async def vault_of(store: Store, sku: str, canary: str) -> dict[str, str]:
    """An export that a manager asked for, a rotation that is done, and a watch on the SKU."""
    manager, sku_id = await store.employ("manager"), decode("sku", sku)
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        by = exports.Member(manager.id, manager.user_id)
        export = await exports.request(tx, "stock", sku_id, units=1, reason=canary, by=by)
        await watches.put(tx, sku_id, 1, actor="test")
        sql = """INSERT INTO key_rotation (tenant_id, id, purposes, state, codes, asked_by, finished_at, next_try_at)
                 VALUES ($1, $2, '{seal}', 'done', 0, $3, now(), NULL)"""
        rotation_id = new_id()
        await tx.conn.execute(sql, tx.tenant_id, rotation_id, canary)
    return {"code_export_id": encode("exp", export.id), "rotation_id": encode("rot", rotation_id)}


async def webhooks(store: Store, canary: str) -> tuple[str, str]:
    """An endpoint at a port where nobody listens, and a delivery to it that failed."""
    new = {"url": f"http://127.0.0.1:9/{canary}", "description": canary, "event_types": ["*"]}
    endpoint_id = (await store.ask("POST", "/v1/webhook-endpoints", store.merchant, new))["endpoint"]["id"]
    tested = await store.ask("POST", f"/v1/webhook-endpoints/{endpoint_id}/test", store.merchant)
    return endpoint_id, tested["delivery_id"]


async def imported(store: Store, sku: str, codes: list[str]) -> str:
    headers = store.merchant | {"Content-Type": "text/plain"}
    content = "".join(f"{code}\n" for code in codes).encode()
    response = await store.client.post(f"/v1/vault/imports?sku_id={sku}", content=content, headers=headers)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def pictured(store: Store, product: str) -> str:
    """A picture of the product; its id."""
    headers = store.merchant | {"Content-Type": "image/png"}
    response = await store.client.post(f"/v1/products/{product}/images", content=A_PICTURE, headers=headers)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def priced(store: Store, sku: str, shopper: str, canary: str) -> tuple[str, str]:
    """A group that the shopper is in, and a list with a price of the SKU."""
    group = (await store.ask("POST", "/v1/buyer-groups", store.merchant, {"name": canary, "kind": "level"}))["id"]
    await store.ask("PUT", f"/v1/buyer-groups/{group}/members/{shopper}", store.merchant)
    price_list = (await store.ask("POST", "/v1/price-lists", store.merchant, {"name": canary}))["id"]
    await store.ask("PUT", f"/v1/price-lists/{price_list}/entries", store.merchant, {"entries": [{"sku_id": sku, "unit_minor": 9800}]})
    return group, price_list


async def taken_off(store: Store, owner: dict[str, str], canary: str) -> tuple[str, str]:
    """A coupon that anybody may claim, and the shopper's piece of it."""
    about = {"name": canary, "kind": "fixed", "off_minor": 1, "per_shopper_max": 100}
    coupon = (await store.ask("POST", "/v1/coupons", store.merchant, about))["id"]
    await store.ask("POST", f"/v1/coupons/{coupon}/start", store.merchant)
    return coupon, (await store.ask("POST", f"/v1/coupon-claims/open/{coupon}", owner))["id"]


async def handed_in(store: Store, product: str, name: str) -> str:
    """A review of the product that waits, as an edit leaves it where they are asked for; its id."""
    content = {"name": name, "description": name, "options": [], "translations": {}, "images": [], "skus": {}}
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "INSERT INTO product_review (tenant_id, id, product_id, content) VALUES ($1, $2, $3, $4) RETURNING id"
        review_id = await tx.conn.fetchval(sql, tx.tenant_id, new_id(), decode("prd", product), json.dumps(content))
    return encode("prv", review_id)


def _pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE_PEM, PUBLIC_PEM = _pair()


def provider_account() -> dict[str, Any]:
    return {
        "provider": "sandbox", "mch_id": uuid4().hex[:10], "serial_no": "s", "private_key_pem": PRIVATE_PEM, "api_v3_key": "k" * 32,
        "provider_serial": "p", "provider_public_key_pem": PUBLIC_PEM,
    }  # fmt: skip


class Actors(NamedTuple):
    """Everybody who may try at A's things, as headers; browsers as cookies."""

    anonymous: dict[str, str]
    owner: dict[str, str]  # A's shopper, whose order it is
    other_shopper: dict[str, str]  # A's too, who has nothing to do with it
    foreign_shopper: dict[str, str]  # B's, asking at A
    foreign_shopper_at_home: dict[str, str]  # B's, asking at B for A's things
    merchant: dict[str, str]  # A
    foreign_merchant: dict[str, str]  # B
    person: dict[str, str]  # A, with a session
    foreign_person: dict[str, str]  # B, with a session
    limited: dict[str, str]  # A's program, with every permission but the one that is needed
    platform: dict[str, str]  # an admin of the platform's staff, nobody to merchants and their shoppers
    platform_support: dict[str, str]
    platform_reviewer: dict[str, str]

    @classmethod
    async def of(cls, a: World, b: World, needed: str) -> "Actors":
        b_shopper = await b.store.guest()
        limited = await a.store.key_with(*(PERMISSIONS - {needed}))
        return cls(
            anonymous=a.store.at,
            owner=a.owner,
            other_shopper=await a.store.guest(),
            foreign_shopper=b_shopper | a.store.at,
            foreign_shopper_at_home=b_shopper,
            merchant=a.store.merchant,
            foreign_merchant=b.store.merchant,
            person=a.person,
            foreign_person=b.person,
            limited=limited,
            platform=await signed_in(a.store.process),
            platform_support=await signed_in(a.store.process, "support"),
            platform_reviewer=await signed_in(a.store.process, "reviewer"),
        )


class Browser(NamedTuple):
    """Somebody at the pages, with cookies and with the proof that our forms carry."""

    headers: dict[str, str]
    fields: dict[str, str]

    @classmethod
    def of(cls, process: Process, at: dict[str, str], **cookies: str) -> "Browser":
        everything = {"tessera_form": SEED, **{f"tessera_{name}": value for name, value in cookies.items()}}
        headers = at | {"Cookie": "; ".join(f"{name}={value}" for name, value in everything.items())}
        return cls(headers, {"csrf": csrf.token(process.keys.csrf, SEED)})


async def begun(store: Store, user_agent: str) -> tuple[dict[str, str], str]:
    """Headers of the owner in a new session, and its id; without the hundredth of a second that a password takes."""
    async with platform_tx(store.process.platform_pool) as conn:
        user_id = await conn.fetchval("SELECT id FROM merchant_user WHERE mail = $1", store.mail)
        made = await sessions.begin(conn, user_id, store.tenant_id, Visitor("203.0.113.1", user_agent))
    return {"Authorization": f"Bearer {made.token}"}, encode("ses", made.id)


async def session(store: Store) -> str:
    return str((await store.ask("POST", "/v1/sessions", {}, {"mail": store.mail, "password": store.password}))["token"])


def bearer(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


async def send(client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], **content: Any) -> httpx.Response:
    return await client.request(method, path, headers=headers | {"Idempotency-Key": uuid4().hex}, **content)
