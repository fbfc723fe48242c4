"""`tessera tokens`: guests in bulk that the API takes for its own."""

import subprocess
import sys

import httpx

from checkout_core.config import Settings
from tessera.embedded import Servers
from tests.shop import Store


def tokens(servers: Servers, settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**servers.environment, "TESSERA_ENV": "test", "TESSERA_SECRET": settings.secret.hex(), "DATABASE_URL": settings.database_url}
    return subprocess.run([sys.executable, "-m", "tessera", "tokens", *arguments], env=environ, capture_output=True, text=True, check=False)


async def test_each_is_a_shopper_of_the_store(servers: Servers, settings: Settings, client: httpx.AsyncClient, acme: Store) -> None:
    made = tokens(servers, settings, "--store", acme.slug, "--count", "3").stdout.split()
    assert len(set(made)) == 3
    sale = await acme.sale(units=3)
    for token in made:
        await acme.order({"Authorization": f"Bearer {token}", **acme.at}, sale)


async def test_a_store_that_is_not_there(servers: Servers, settings: Settings) -> None:
    done = tokens(servers, settings, "--store", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no store 'nobody'" in done.stderr
