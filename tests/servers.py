"""The pair of servers that the tests of one worker share."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera.embedded import Servers

# Whatever the one who runs the tests has set: servers that hold somebody's data are not for tests. TESSERA_PG_BIN and its like stay.
for replaced in ("DATABASE_URL", "REDIS_URL", "ARQ_REDIS_URL"):
    os.environ.pop(replaced, None)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """A real Postgres and a real Valkey, empty at first, one pair per xdist worker."""
    folder = Path(tempfile.mkdtemp(prefix="tessera-test-"))
    folder.chmod(0o755)
    try:
        with Servers(folder, fsync=False) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)
