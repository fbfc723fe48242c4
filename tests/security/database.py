"""A database of its own with the real schema, for tests that write to the catalogue or fill every table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from checkout_core.config import Settings
from tenants.migrate import migrate
from tessera.embedded import Servers
from tests.shop import PLATFORM_HOST

SECRET = "5e" * 32
TENANT = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"  # as pg_get_expr writes it


@asynccontextmanager
async def own_database(servers: Servers, name: str) -> AsyncIterator[Settings]:
    admin = await asyncpg.connect(servers.database_url)
    try:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.execute(f"CREATE DATABASE {name}")
        url = servers.database_url.replace("/postgres?", f"/{name}?")
        environ = servers.environment | {"DATABASE_URL": url, "TESSERA_ENV": "test", "TESSERA_SECRET": SECRET}
        environ |= {"TESSERA_PUBLIC_URL": f"http://{PLATFORM_HOST}", "TESSERA_IP_LIMIT_FACTOR": "10000", "TESSERA_WEBHOOK_LOOPBACK": "1"}
        settings = Settings.from_env(environ)
        await migrate(settings)
        yield settings
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
