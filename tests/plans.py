"""What a statement reads from one end to the other, by its plan."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from tenants.db import Pool, tenant_tx


async def scans(pool: Pool, tenant_id: UUID, sql: str) -> list[str]:
    """Tables of which the statement would read all rows of the tenant, by the plan the application gets: generic, under its role.

    The pool forbids sequential scans, so a statement that no index serves shows as a scan of an index by nothing but the tenant.
    """
    async with tenant_tx(pool, tenant_id) as tx:
        arguments = ", ".join(["NULL"] * len((await tx.conn.prepare(sql)).get_parameters()))
        await tx.conn.execute(f"PREPARE looked_at AS {sql}")
        plan = await tx.conn.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE looked_at{f' ({arguments})' if arguments else ''}")
        await tx.conn.execute("DEALLOCATE looked_at")
    return [scan for node in _nodes(json.loads(plan)[0]["Plan"]) if (scan := _whole(node))]


def _whole(node: dict[str, Any]) -> str:
    if node["Node Type"] == "Seq Scan":
        return str(node["Relation Name"])
    by = set(re.findall(r"\b(\w+) (?:=|>|<|>=|<=) ", node.get("Index Cond", "")))
    return str(node["Index Name"]) if "Index Name" in node and not by - {"tenant_id"} else ""


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)
