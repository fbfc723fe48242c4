"""The API over a real database of its own, and two stores that know nothing of each other.

Nothing is rolled back: every test signs up its own merchants, and row-level security keeps their worlds apart, as in production.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from litestar import Litestar

from api.app import create_app
from api.process import Process, open_process
from checkout_core.config import Settings
from checkout_core.ids import decode, new_id
from tenants.db import tenant_tx
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.declared import Declared

DATABASE = "shop"
PLATFORM_HOST = "localhost"


@pytest.fixture(scope="session")
async def settings(servers: Servers) -> Settings:
    """Of a database with the real schema, made by the real migrations, once per worker."""
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute(f"CREATE DATABASE {DATABASE}")
    await admin.close()
    url = servers.database_url.replace("/postgres?", f"/{DATABASE}?")
    environ = {"DATABASE_URL": url, "TESSERA_ENV": "test", "TESSERA_SECRET": "5e" * 32, "TESSERA_PUBLIC_URL": f"http://{PLATFORM_HOST}"}
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


@pytest.fixture(scope="module")
def declared(app: Litestar) -> Declared:
    return Declared(app)


@pytest.fixture
async def client(app: Litestar, declared: Declared) -> AsyncIterator[httpx.AsyncClient]:
    """Anonymous, on the platform's host; who asks and at which store is in the headers of each request.

    An answer that the OpenAPI document does not declare fails the test.
    """
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{PLATFORM_HOST}", event_hooks={"response": [declared]}) as client:
        yield client


class Store:
    """A merchant's store as its people use it: through the API."""

    def __init__(self, client: httpx.AsyncClient, process: Process, slug: str, mail: str, password: str, signed_up: dict[str, Any]) -> None:
        self.client = client
        self.process = process
        self.slug = slug
        self.mail = mail
        self.password = password
        self.key: str = signed_up["api_key"]
        self.tenant_id: UUID = decode("ten", signed_up["tenant_id"])
        self.host: str = signed_up["store_host"]

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
        token = (await self.ask("POST", "/v1/shopper-tokens", self.at))["token"]
        return {"Authorization": f"Bearer {token}", **self.at}

    async def key_with(self, *scopes: str) -> dict[str, str]:
        """Headers of a program with these permissions only."""
        made = await self.ask("POST", "/v1/api-keys", self.merchant, {"name": "limited", "scopes": list(scopes)})
        return {"Authorization": f"Bearer {made['key']}"}

    async def product(self, name: str = "Steam 100") -> str:
        return str((await self.ask("POST", "/v1/products", self.merchant, {"name": name}))["id"])

    async def sku(self, units: int = 0, **changes: Any) -> str:
        """A SKU of a new product, with `units` loaded."""
        body = {"name": "100", "price_minor": 9900, "currency": "CNY", **changes}
        body.setdefault("product_id", await self.product())
        sku = str((await self.ask("POST", "/v1/skus", self.merchant, body))["id"])
        if units:
            await self.load(sku, units)
        return sku

    async def load(self, sku: str, units: int, *, state: str = "loaded") -> list[int]:
        """A batch of `units` as an import leaves it, without codes; their ids."""
        sku_id, batch_id = decode("sku", sku), new_id()
        async with tenant_tx(self.process.app_pool, self.tenant_id) as tx:
            sql = "INSERT INTO vault_batch (tenant_id, id, sku_id, state, operator, loaded) VALUES ($1, $2, $3, $4, 'test', $5)"
            await tx.conn.execute(sql, tx.tenant_id, batch_id, sku_id, state, units)
            sql = """INSERT INTO unit (tenant_id, id, sku_id, batch_id)
                     SELECT $1, nextval('unit_id_seq'), $2, $3 FROM generate_series(1, $4) RETURNING id"""
            return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, sku_id, batch_id, units)]

    async def sale(self, units: int = 3, **changes: Any) -> str:
        """A sale that is open, of a new SKU with as many units."""
        body = {"name": "Launch", "units": units, "limit_per_shopper": 0, **changes}
        if "sku_id" not in body:
            body["sku_id"] = await self.sku(units)
        return str((await self.ask("POST", "/v1/sales", self.merchant, body))["id"])

    async def order(self, shopper: dict[str, str], sale: str, quantity: int = 1) -> str:
        headers = shopper | {"Idempotency-Key": uuid4().hex}
        return str((await self.ask("POST", "/v1/checkouts", headers, {"sale_id": sale, "quantity": quantity}))["id"])

    async def ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
        """What the API answers; that it is a success is asserted."""
        response = await self.client.request(method, path, headers=headers, json={} if body is None and method == "POST" else body)
        assert response.is_success, response.text
        return response.json() if response.content else None


async def open_store(client: httpx.AsyncClient, process: Process) -> Store:
    name = uuid4().hex[:12]
    new = {"store": f"Store {name}", "slug": f"s-{name}", "mail": f"{name}@example.org", "password": f"password {name}"}
    response = await client.post("/v1/merchants", json=new)
    assert response.status_code == 201, response.text
    return Store(client, process, new["slug"], new["mail"], new["password"], response.json())


@pytest.fixture
async def acme(client: httpx.AsyncClient, process: Process) -> Store:
    return await open_store(client, process)


@pytest.fixture
async def globex(client: httpx.AsyncClient, process: Process) -> Store:
    """Another tenant."""
    return await open_store(client, process)
