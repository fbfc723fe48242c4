"""Connections to Postgres that pass a failpoint before and after each step. They exist only where failpoints are on.

A statement is named after the function that sends it, its verb and its table; the end of a transaction is `commit`. A beginning is no
step of its own: nothing has happened yet.
"""

import functools
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import asyncpg

from checkout_core import failpoints
from checkout_core.failpoints import Site

T = TypeVar("T")

_EDGES: Final = frozenset({"tenants.db", "tenants.watched", "checkout_core.failpoints"})
_NO_STEP: Final = re.compile(r"BEGIN|START|ROLLBACK|SAVEPOINT|RELEASE|RESET|SET\b|SELECT (?:set_config|pg_)")
_STEP: Final = re.compile(r"\b(INSERT) INTO (\w+)|(?<!FOR )(?<!KEY )\b(UPDATE) (\w+)|\b(DELETE) FROM (\w+)")
_LOOK: Final = re.compile(r"\bFROM (\w+)")


@functools.cache
def step(sql: str) -> str | None:
    """`insert-orders`, `select-sale`, `commit`; None for what is no step."""
    words = sql.lstrip()
    if words.startswith("COMMIT"):
        return "commit"
    if _NO_STEP.match(words):
        return None
    if found := _STEP.search(words):
        verb, table = filter(None, found.groups())
        return f"{verb.lower()}-{table}"
    found = _LOOK.search(words)
    return f"select-{found[1] if found else 'nothing'}"


class WatchedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        return await _passed(query, lambda: super(WatchedConnection, self).execute(query, *args, **options))

    async def executemany(self, query: str, *args: Any, **options: Any) -> Any:
        return await _passed(query, lambda: super(WatchedConnection, self).executemany(query, *args, **options))

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        return await _passed(query, lambda: super(WatchedConnection, self).fetch(query, *args, **options))

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        return await _passed(query, lambda: super(WatchedConnection, self).fetchrow(query, *args, **options))

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        return await _passed(query, lambda: super(WatchedConnection, self).fetchval(query, *args, **options))


async def _passed(query: str, send: Callable[[], Awaitable[T]]) -> T:
    what, who = step(query), failpoints.site(_EDGES)
    if what is None or who is None:
        return await send()
    return await failpoints.around(Site(f"{who.name}.{what}", who.where), send)


def connection_class() -> type[asyncpg.Connection]:
    return WatchedConnection if failpoints.ON else asyncpg.Connection
