"""Servers that keep what they say they kept, and a process of its own for each play."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from checkout_core.config import Settings
from tenants.migrate import migrate
from tessera.embedded import Servers

Play = Callable[..., dict[str, Any]]
TEMPLATE = "safety"
TIMEOUT_S = 200


@pytest.fixture(scope="session")
def durable() -> Iterator[Servers]:
    """A Postgres with fsync on and a Valkey, with a migrated database to copy."""
    folder = Path(tempfile.mkdtemp(prefix="tessera-safety-"))
    folder.chmod(0o755)
    try:
        with Servers(folder) as running:
            execute(running, f"CREATE DATABASE {TEMPLATE}")
            asyncio.run(migrate(Settings.from_env(environment(running, TEMPLATE))))
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def play(durable: Servers) -> Play:
    """Play a scenario in a child, on a database of its own, without the safeties in `removed`; what it showed."""
    numbers = count()

    def run(scenario: str, rounds: int, *, removed: str = "") -> dict[str, Any]:
        database = f"play_{os.getpid()}_{next(numbers)}"
        execute(durable, f"CREATE DATABASE {database} TEMPLATE {TEMPLATE}")
        command = [sys.executable, "-m", "tests.safety.play", scenario, "--rounds", str(rounds)]
        environ = dict(os.environ) | environment(durable, database) | {"TESSERA_UNSAFE": removed}
        try:
            done = subprocess.run(
                [*command, *["--until-broken"] * bool(removed)], env=environ, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        finally:
            execute(durable, f"DROP DATABASE {database} WITH (FORCE)")
        assert done.returncode == 0, done.stderr[-4000:]
        shown: dict[str, Any] = json.loads(done.stdout)
        print(command, removed, shown)
        return shown

    return run


def environment(servers: Servers, database: str) -> dict[str, str]:
    """For a process that works on one database of the servers."""
    url = servers.database_url.replace("/postgres?", f"/{database}?")
    return servers.environment | {"DATABASE_URL": url, "TESSERA_ENV": "test", "TESSERA_SECRET": "5a" * 32}


def execute(servers: Servers, statement: str) -> None:
    """One statement as the administrator."""

    async def run() -> None:
        admin = await asyncpg.connect(servers.database_url)
        try:
            await admin.execute(statement)
        finally:
            await admin.close()

    asyncio.run(run())
