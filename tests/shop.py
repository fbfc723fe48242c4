"""The API over a real database of its own, and two stores that know nothing of each other.

Nothing is rolled back: every test signs up its own merchants, and row-level security keeps their worlds apart, as in production.
"""

from collections.abc import AsyncIterator
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from litestar import Litestar

from api.app import create_app
from api.process import Process, open_process
from checkout_core.config import Settings
from checkout_core.ids import decode, encode, new_id
from loadtests.client import AsyncClient
from loadtests.client.operations import api_keys, catalogue, sales, shoppers, staff
from loadtests.client.operations.api_keys import NewApiKey
from loadtests.client.operations.catalogue import NewProduct, NewSku
from loadtests.client.operations.sales import NewSale
from tenants import accounts, memberships, roles, sessions
from tenants.accounts import SignedUp
from tenants.db import platform_tx, tenant_tx
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.declared import Declared

DATABASE = "shop"
PLATFORM_HOST = "localhost"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
async def settings(servers: Servers) -> Settings:
    """Of a database with the real schema, made by the real migrations, once per worker."""
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute(f"CREATE DATABASE {DATABASE}")
    await admin.close()
    url = servers.database_url.replace("/postgres?", f"/{DATABASE}?")
    environ = {
        "DATABASE_URL": url,
        "TESSERA_ENV": "test",
        "TESSERA_SECRET": "5e" * 32,
        "TESSERA_PUBLIC_URL": f"http://{PLATFORM_HOST}",
        "TESSERA_WEBHOOK_LOOPBACK": "1",
    }
    settings = Settings.from_env(servers.environment | environ | {"TESSERA_IP_LIMIT_FACTOR": "10000"})
    await migrate(settings)
    return settings


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[Litestar]:
    app = create_app(settings)
    # Not by the framework's lifespan: it must be closed by the task that opened it, and a fixture is not.
    async with open_process(settings) as app.state.process:
        yield app


@pytest.fixture(scope="session")
def process(app: Litestar) -> Process:
    process: Process = app.state.process
    return process


@pytest.fixture(scope="session")
def declared(settings: Settings) -> Declared:
    """Once per worker: the document follows from the handlers, which every app has."""
    return Declared(create_app(settings))


@pytest.fixture
async def client(app: Litestar, declared: Declared) -> AsyncIterator[httpx.AsyncClient]:
    """Anonymous, on the platform's host; who asks and at which store is in the headers of each request.

    An answer that the OpenAPI document does not declare fails the test.
    """
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{PLATFORM_HOST}", event_hooks={"response": [declared]}) as client:
        yield client


class Through(httpx.AsyncBaseTransport):
    """By way of a test's own client: what answers it, answers here, and is held against the document too."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.client.send(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())


class Person(NamedTuple):
    """Somebody with an account, wherever he works."""

    id: str
    mail: str
    password: str

    @property
    def user_id(self) -> UUID:
        return decode("usr", self.id)

    @classmethod
    async def new(cls, process: Process, mail: str | None = None) -> "Person":
        """As he is after he accepted his first invitation."""
        user_id = new_id()
        person = cls(encode("usr", user_id), mail or f"{uuid4().hex[:12]}@example.org", PASSWORD)
        async with platform_tx(process.platform_pool) as conn:
            sql = "INSERT INTO merchant_user (id, mail, password_hash) VALUES ($1, $2, $3)"
            await conn.execute(sql, user_id, person.mail, await password_hash(process))
        return person


class Store:
    """A merchant's store as its people use it: through the API."""

    def __init__(self, client: httpx.AsyncClient, process: Process, slug: str, mail: str, password: str, opened: SignedUp) -> None:
        """`api` is the owner's program, `visit` a visitor's: both by the typed client."""
        self.client = client
        self.process = process
        self.slug = slug
        self.mail = mail
        self.password = password
        self.key = opened.api_key
        self.tenant_id = opened.tenant_id
        self.host = opened.store_host
        self.api = AsyncClient(f"http://{PLATFORM_HOST}", token=self.key, transport=Through(client))
        self.visit = AsyncClient(f"http://{PLATFORM_HOST}", store=slug, transport=Through(client))

    @property
    def at(self) -> dict[str, str]:
        """Headers of a visitor."""
        return {"X-Tessera-Store": self.slug}

    @property
    def merchant(self) -> dict[str, str]:
        """Headers of the owner's program."""
        return {"Authorization": f"Bearer {self.key}"}

    async def guest(self) -> dict[str, str]:
        """Headers of a new shopper."""
        made = await self.visit(shoppers.create_shopper_token())
        return {"Authorization": f"Bearer {made.token}", **self.at}

    async def key_with(self, *scopes: str) -> dict[str, str]:
        """Headers of a program with these permissions only."""
        made = await self.api(api_keys.create_api_key(NewApiKey(name="limited", scopes=list(scopes))))
        return {"Authorization": f"Bearer {made.key}"}

    async def employ(self, role: str, person: Person | None = None) -> Person:
        """Somebody new, or `person`, works here in this role (`support`, `rol_…`)."""
        person = person or await Person.new(self.process)
        async with tenant_tx(self.process.app_pool, self.tenant_id) as tx:
            await memberships.add(tx, person.user_id, roles.ref(role))
        return person

    async def session(self, person: Person) -> dict[str, str]:
        """Headers of somebody in a new session here; without the hundredth of a second that a password takes."""
        async with platform_tx(self.process.platform_pool) as conn:
            made = await sessions.begin(conn, person.user_id, self.tenant_id)
        return {"Authorization": f"Bearer {made.token}"}

    def asked_anew(self, *headers: dict[str, str]) -> None:
        """As two seconds later: what this process remembers of who these are is forgotten."""
        for each in headers:
            self.process.callers.forget(each["Authorization"].removeprefix("Bearer "))

    async def staff(self, role: str) -> dict[str, str]:
        """Headers of somebody new who works here in this role."""
        return await self.session(await self.employ(role))

    async def owner(self) -> Person:
        """Who signed it up, if nobody joined him yet."""
        [person] = [each async for each in self.api.each(staff.list_staff())]
        assert person.mail == self.mail
        return Person(person.id, self.mail, self.password)

    async def audited(self) -> list[str]:
        """What the audit says was done, in order."""
        async with tenant_tx(self.process.app_pool, self.tenant_id) as tx:
            sql = "SELECT action FROM audit WHERE tenant_id = $1 ORDER BY id"
            return [row["action"] for row in await tx.conn.fetch(sql, tx.tenant_id)]

    async def product(self, name: str = "Steam 100") -> str:
        return (await self.api(catalogue.create_product(NewProduct(name=name)))).id

    async def sku(self, units: int = 0, **changes: Any) -> str:
        """A SKU of a new product, with `units` loaded."""
        body = {"name": "100", "price_minor": 9900, "currency": "CNY", **changes}
        if "product_id" not in body:
            body["product_id"] = await self.product()
        sku = (await self.api(catalogue.create_sku(NewSku(**body)))).id
        if units:
            await self.load(sku, units)
        return sku

    async def load(self, sku: str, units: int, *, state: str = "loaded") -> list[int]:
        """A batch of `units` as an import leaves it, without codes; their ids."""
        sku_id, batch_id = decode("sku", sku), new_id()
        async with tenant_tx(self.process.app_pool, self.tenant_id) as tx:
            sql = "INSERT INTO vault_batch (tenant_id, id, sku_id, state, operator, loaded) VALUES ($1, $2, $3, $4, 'test', $5)"
            await tx.conn.execute(sql, tx.tenant_id, batch_id, sku_id, state, units)
            sql = """INSERT INTO unit (tenant_id, id, rank, sku_id, batch_id)
                     SELECT $1, id, id, $2, $3 FROM (SELECT nextval('unit_id_seq') AS id FROM generate_series(1, $4)) AS made
                     RETURNING id"""
            return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id, batch_id, units)]

    async def sale(self, units: int | Literal["all"] = 3, **changes: Any) -> str:
        """A sale that is open, of a new SKU with as many units."""
        body = {"name": "Launch", "units": units, "limit_per_shopper": 0, **changes}
        if "sku_id" not in body:
            body["sku_id"] = await self.sku(int(units))
        return (await self.api(sales.create_sale(NewSale(**body)))).id

    async def order(self, shopper: dict[str, str], sale: str, quantity: int = 1) -> str:
        headers = shopper | {"Idempotency-Key": uuid4().hex}
        return str((await self.ask("POST", "/v1/checkouts", headers, {"sale_id": sale, "quantity": quantity}))["id"])

    async def ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
        """What the API answers; that it is a success is asserted."""
        response = await self.client.request(method, path, headers=headers, json={} if body is None and method == "POST" else body)
        assert response.is_success, response.text
        return response.json() if response.content else None


async def open_store(client: httpx.AsyncClient, process: Process) -> Store:
    """As signing up leaves one, without the mail on the way."""
    name = uuid4().hex[:12]
    slug, mail = f"s-{name}", f"{name}@example.org"
    async with platform_tx(process.platform_pool) as conn:
        opened = await accounts.open_account(
            conn, process.app_pool, pepper=process.keys.api_keys, base_domain=process.settings.base_domain,
            store=f"Store {name}", slug=slug, mail=mail, password_hash=await password_hash(process),
        )  # fmt: skip
    return Store(client, process, slug, mail, PASSWORD, opened)


async def password_hash(process: Process) -> str:
    """Of `PASSWORD`, made once: every store's owner has the same."""
    if PASSWORD not in _hashes:
        _hashes[PASSWORD] = await process.passwords.hash(PASSWORD)
    return _hashes[PASSWORD]


_hashes: dict[str, str] = {}


@pytest.fixture
async def acme(client: httpx.AsyncClient, process: Process) -> Store:
    return await open_store(client, process)


@pytest.fixture
async def globex(client: httpx.AsyncClient, process: Process) -> Store:
    """Another tenant."""
    return await open_store(client, process)
