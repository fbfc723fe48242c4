"""Two stores with everything in them that has an address, and everybody who might ask for it."""

from typing import Any, NamedTuple
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from api import csrf
from api.process import Process
from tenants.accounts import SCOPES
from tests.shop import Store

SEED = "a" * 22  # what the pages' form proof is bound to


class World(NamedTuple):
    """What `store` has, by the name it goes by in a path."""

    store: Store
    canary: str  # a word that only this store's things hold
    owner: dict[str, str]  # the shopper whose order it is
    ids: dict[str, str]

    @classmethod
    async def of(cls, store: Store) -> "World":
        canary = f"canary{uuid4().hex}"
        product = await store.product(canary)
        sku = await store.sku(product_id=product, name=canary)
        batch = await imported(store, sku, [uuid4().hex for _ in range(4)])
        sale = await store.sale(units=3, sku_id=sku, name=canary)
        owner = await store.guest()
        order = await store.order(owner, sale)
        key = await store.ask("POST", "/v1/api-keys", store.merchant, {"name": canary, "scopes": ["orders:read"]})
        account = await store.ask("POST", "/v1/provider-accounts", store.merchant, provider_account())
        ids = {
            "product_id": product, "sku_id": sku, "import_id": batch, "batch": batch, "sale_id": sale, "sale": sale,
            "order_id": order, "order": order, "key_id": key["id"], "tenant": store.tenant_id.hex, "account": account["id"][4:],
        }  # fmt: skip
        return cls(store, canary, owner, ids)

    def missing(self) -> dict[str, str]:
        """The same names with ids that nobody has."""
        return {name: value[:-32] + uuid4().hex for name, value in self.ids.items()}


async def imported(store: Store, sku: str, codes: list[str]) -> str:
    headers = store.merchant | {"Content-Type": "text/plain"}
    content = "".join(f"{code}\n" for code in codes).encode()
    response = await store.client.post(f"/v1/vault/imports?sku_id={sku}", content=content, headers=headers)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


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
    limited: dict[str, str]  # A's program, with every permission but the one that is needed

    @classmethod
    async def of(cls, a: World, b: World, needed: str) -> "Actors":
        b_shopper = await b.store.guest()
        limited = await a.store.key_with(*(SCOPES - {needed}))
        return cls(
            anonymous=a.store.at,
            owner=a.owner,
            other_shopper=await a.store.guest(),
            foreign_shopper=b_shopper | a.store.at,
            foreign_shopper_at_home=b_shopper,
            merchant=a.store.merchant,
            foreign_merchant=b.store.merchant,
            limited=limited,
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


async def session(store: Store) -> str:
    return str((await store.ask("POST", "/v1/sessions", {}, {"mail": store.mail, "password": store.password}))["token"])


def bearer(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


async def send(client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], **content: Any) -> httpx.Response:
    return await client.request(method, path, headers=headers | {"Idempotency-Key": uuid4().hex}, **content)
