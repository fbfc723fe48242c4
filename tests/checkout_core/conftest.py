"""A Valkey of our own, which a test may flush, freeze and kill."""

import tempfile
from collections.abc import AsyncIterator, Iterator

import pytest

from checkout_core.admission import Gatekeeper
from checkout_core.partitions import Partitions
from tessera.embedded import Servers
from tests.checkout_core.gate import Gate


@pytest.fixture(scope="session")
def valkey() -> Iterator[Servers]:
    # Without fsync each write reaches the file before the reply: while one runs, Valkey keeps writes back for up to two seconds.
    environ = {"DATABASE_URL": "unused:"}
    with tempfile.TemporaryDirectory(prefix="tessera-test-") as folder, Servers(folder, fsync=False, environ=environ) as servers:
        yield servers


@pytest.fixture
async def gate(valkey: Servers) -> AsyncIterator[Gate]:
    """A flash sale that nobody has loaded yet."""
    valkey.wait_ready("valkey")
    async with Partitions(valkey.redis_url) as partitions:
        yield Gate(Gatekeeper(partitions), partitions)
