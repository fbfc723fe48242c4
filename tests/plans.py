"""What a statement reads from one end to the other, by its plan."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest

from tenants.db import Pool, create_pool, dsn_for, tenant_tx
from tenants.warm import warm
from tessera.embedded import Servers
from tests.security.database import own_database


@pytest.fixture(scope="session")
async def young(servers: Servers) -> AsyncIterator[Pool]:
    """The application's sessions on a database in which nothing is yet, whose plans they would keep while it grows.

    In the one that all tests share, what the planner knows is what a vacuum happened to find there, and a plan is another each time.
    """
    async with own_database(servers, "young") as settings:
        pool = await create_pool(dsn_for(settings, "tessera_app"), size=1, warm=warm)
        try:
            yield pool
        finally:
            await pool.close()


async def scans(pool: Pool, tenant_id: UUID, sql: str) -> list[str]:
    """Tables of which the statement would read all rows of the tenant, by the plan the application gets: generic, under its role.

    The pool forbids sequential scans, so a statement that no index serves shows as a scan of an index by nothing but the tenant.
    """
    return [scan for node in _nodes(await _plan(pool, tenant_id, sql)) if (scan := _whole(node))]


async def joined(pool: Pool, tenant_id: UUID, sql: str) -> list[str]:
    """What of a statement is joined with something else, not looked up in an index for each row of it.

    How, is the planner's choice of the moment: by hashing, or by reading all of the one anew for each row of the other.
    """
    found = []
    for node in _nodes(await _plan(pool, tenant_id, sql)):
        if node["Node Type"] in ("Nested Loop", "Hash Join", "Merge Join"):
            [inner] = [plan for plan in node["Plans"] if plan["Parent Relationship"] == "Inner"]
            read = [each for each in _nodes(inner) if each["Node Type"] in ("CTE Scan", "Function Scan", "Seq Scan")]
            found += [str(each.get("CTE Name") or each.get("Relation Name") or each.get("Function Name")) for each in read]
    return found


async def _plan(pool: Pool, tenant_id: UUID, sql: str) -> dict[str, Any]:
    async with tenant_tx(pool, tenant_id) as tx:
        arguments = ", ".join(["NULL"] * len((await tx.conn.prepare(sql)).get_parameters()))
        await tx.conn.execute(f"PREPARE looked_at AS {sql}")
        plan = await tx.conn.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE looked_at{f' ({arguments})' if arguments else ''}")
        await tx.conn.execute("DEALLOCATE looked_at")
    found: dict[str, Any] = json.loads(plan)[0]["Plan"]
    return found


def _whole(node: dict[str, Any]) -> str:
    if node["Node Type"] == "Seq Scan":
        return str(node["Relation Name"])
    by = set(re.findall(r"\b(\w+) (?:=|>|<|>=|<=) ", node.get("Index Cond", "")))
    return str(node["Index Name"]) if "Index Name" in node and not by - {"tenant_id"} else ""


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)
