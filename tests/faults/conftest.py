"""Scenes in processes of their own, each on a new database; and the tables they are judged by."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

import asyncpg
import pytest

from checkout_core.config import Settings
from tenants.migrate import migrate
from tessera.embedded import Servers

TEMPLATE = "faults"
TIMEOUT_S = 100
_numbers = count()


def execute(servers: Servers, statement: str) -> None:
    """One statement as the administrator."""

    async def run() -> None:
        admin = await asyncpg.connect(servers.database_url)
        try:
            await admin.execute(statement)
        finally:
            await admin.close()

    asyncio.run(run())


def environment(servers: Servers, database: str) -> dict[str, str]:
    url = servers.database_url.replace("/postgres?", f"/{database}?")
    return servers.environment | {"DATABASE_URL": url, "TESSERA_ENV": "test", "TESSERA_SECRET": "5a" * 32}


@pytest.fixture(scope="session")
def migrated(servers: Servers) -> Servers:
    """The tests' servers, with a migrated database to copy."""
    execute(servers, f"CREATE DATABASE {TEMPLATE}")
    asyncio.run(migrate(Settings.from_env(environment(servers, TEMPLATE))))
    return servers


@pytest.fixture
def play(migrated: Servers) -> Callable[..., dict[str, Any]]:
    """Play scenes in a child without the safeties in `removed`; what it showed."""

    def run(*scenes: str, rounds: int = 1, removed: str = "") -> dict[str, Any]:
        database = f"faults_{next(_numbers)}"
        execute(migrated, f"CREATE DATABASE {database} TEMPLATE {TEMPLATE}")
        command = [sys.executable, "-m", "tests.faults.play", *scenes, "--rounds", str(rounds)]
        environ = dict(os.environ) | environment(migrated, database) | {"TESSERA_UNSAFE": removed}
        try:
            done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        finally:
            execute(migrated, f"DROP DATABASE {database} WITH (FORCE)")
        assert done.returncode == 0, done.stderr[-4000:]
        shown: dict[str, Any] = json.loads(done.stdout)
        print(command, removed, shown)
        return shown

    return run
