"""Scenes in processes of their own, each on a new database of one Postgres: some at the same time, some without a safety."""

import asyncio
import itertools
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from checkout_core.config import Settings
from tenants.migrate import migrate
from tessera.embedded import Servers

TEMPLATE = "children"
TIMEOUT_S = 540.0


class Played(msgspec.Struct):
    """`seen` is how things ended, `wrong` what the scene counted as not promised, `violated` what the checker found."""

    scene: str
    rounds: int
    seconds: float
    seen: dict[str, int]
    wrong: list[str]
    violated: list[str]


class Children:
    """Plays scenes of `tests.drills.play`."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._numbers = itertools.count()
        self._copying = asyncio.Lock()  # Postgres copies a database only while nobody else does

    async def play(self, scene: str, rounds: int, *, removed: str = "", until_caught: bool = False, **how: Any) -> Played:
        """What the scene showed, without the safeties in `removed`. Raises `RuntimeError` when the child failed."""
        database = f"child_{next(self._numbers)}"
        async with self._copying:
            await self.execute(f"CREATE DATABASE {database} TEMPLATE {TEMPLATE}")
        command = ["-m", "tests.drills.play", scene, "--rounds", str(rounds), "--how", json.dumps(how), *["--until-caught"] * until_caught]
        environ = dict(os.environ) | self.environment(database) | {"TESSERA_UNSAFE": removed}
        child = await asyncio.create_subprocess_exec(
            sys.executable, *command, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                out, err = await child.communicate()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        await self.execute(f"DROP DATABASE {database} WITH (FORCE)")
        if child.returncode:
            raise RuntimeError(f"{scene} without {removed or 'nothing'} failed: {err.decode()[-2000:]}")
        return msgspec.json.decode(out, type=Played)

    def environment(self, database: str) -> dict[str, str]:
        """For a process that works on one database of the servers."""
        url = self._servers.database_url.replace("/postgres?", f"/{database}?")
        return self._servers.environment | {"DATABASE_URL": url, "TESSERA_ENV": "test", "TESSERA_SECRET": "5a" * 32}

    async def execute(self, statement: str) -> None:
        """One statement as the administrator."""
        admin = await asyncpg.connect(self._servers.database_url)
        try:
            await admin.execute(statement)
        finally:
            await admin.close()


@asynccontextmanager
async def open_children() -> AsyncIterator[Children]:
    folder = Path(tempfile.mkdtemp(prefix="tessera-children-"))
    folder.chmod(0o755)
    servers = Servers(folder, fsync=False)  # a scene kills at most Valkey; a copy of the database waits for no disk then
    try:
        await asyncio.to_thread(servers.__enter__)
        try:
            children = Children(servers)
            await children.execute(f"CREATE DATABASE {TEMPLATE}")
            await migrate(Settings.from_env(children.environment(TEMPLATE)))
            yield children
        finally:
            await asyncio.to_thread(servers.__exit__, None, None, None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
