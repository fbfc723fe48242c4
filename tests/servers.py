"""The pair of servers that the tests of one worker share."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera.embedded import Servers

REPLACED = ("DATABASE_URL", "REDIS_URL", "ARQ_REDIS_URL")


def own_environ() -> dict[str, str]:
    """The environment without the addresses of servers that hold somebody's data. TESSERA_PG_BIN and its like stay."""
    return {name: value for name, value in os.environ.items() if name not in REPLACED}


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """A real Postgres and a real Valkey, empty at first, one pair per xdist worker."""
    folder = Path(tempfile.mkdtemp(prefix="tessera-test-"))
    folder.chmod(0o755)
    try:
        with Servers(folder, fsync=False, environ=own_environ()) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)
