"""One run of the loader against one racer, and whether everything it was told is right."""

import asyncio
import json
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from checkout_core.ids import decode
from checkout_core.intents import SaleKey
from loadtests.bench import afterwards, quiet
from loadtests.bench.racers import Kind, Racer
from loadtests.bench.rig import LIMIT, SLUG, Rig
from loadtests.peers import postgres_only, stock
from tenants.db import dsn_for
from tenants.invariants.look import Options
from tenants.invariants.run import check_now

ROOT: Final = Path(__file__).parents[2]
SPARE: Final = 256  # units beyond what is pressed for, so that nobody is refused
POSTPONED: Final = ("202", "503")
TIMEOUT_S: Final = 300
REST_S: Final = 20.0


class Wrong(Exception):
    """A racer answered what it must not, or the checker found a violation. The message says which."""


class Pressed(NamedTuple):
    """`per_s` counts what was granted; `latency_ms` is p50 … max. `cpu_us` is user and system time per answer, by process, and of the shop
    what is spent `later`, by Postgres and worker, when everybody has his answer.
    """

    answers: int
    per_s: float
    seconds: float
    cpu_us: dict[str, float]
    latency_ms: dict[str, float]
    late_ms: float = 0.0  # by which the loader itself let an arrival in too late
    postponed: int = 0  # answers that sent somebody away to ask again: 202 and 503
    elsewhere: float = 0.0  # the share of the machine that others had meanwhile

    @property
    def server_us(self) -> float:
        """API, Redis and Postgres together: what an answer costs whoever runs them."""
        return sum(self.cpu_us.get(name, 0.0) for name in ("api", "redis", "postgres"))

    def as_json(self) -> dict[str, Any]:
        return self._asdict() | {"server_us": round(self.server_us, 1)}


Watch = AbstractContextManager[object]  # entered for as long as the loader runs


def reserve(rig: Rig, racer: Racer, count: int, *, connections: int = 0, rate: float = 0.0, watch: Watch | None = None) -> Pressed:
    """`count` new shoppers reserve one unit each in a new sale. Raises `Wrong` when anything but 201 was said, or the books disagree."""
    sale = rig.open_sale(racer, count + SPARE) if not racer.is_constant else "sal_" + 32 * "0"
    history = rig.shop.folder / "history.jsonl"
    history.unlink(missing_ok=True)
    kept = history if racer.kind is Kind.DURABLE else None
    report = load(rig, racer, sale, count, connections=connections, rate=rate, history=kept, watch=watch)
    pressed = pressed_of(report)
    if racer.kind is Kind.DURABLE:
        # Under too heavy a load it says 202, which is its right; who was told so asks again, and the order must be there.
        expect_all(racer, report, count)
        pressed.cpu_us["later"] = round(afterwards.finish(rig) / count * 1e6, 1)
    else:
        expect(racer, report, {"201": count})
    if not racer.is_constant:
        audit(rig, racer, sale, count, history)
    return pressed


def load(
    rig: Rig,
    racer: Racer,
    sale: str,
    count: int,
    *,
    connections: int = 0,
    rate: float = 0.0,
    insist: int = 0,
    history: Path | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """The loader's report of new shoppers who press once each, or with `insist` again and again until that many presses."""
    how = ["--closed", str(connections), "--greet", "/readyz"] if connections else ["--open", str(rate)]
    limit = 0 if racer.is_constant else LIMIT
    line = [sys.executable, "-m", "loadtests.loader", "shop", "--port", str(rig.port(racer)), "--store", SLUG, "--sale", sale, *how]
    line += ["--shoppers", str(rig.shoppers(count)), "--limit", str(limit), "--repeat", "0", "--twice", "0", "--seconds", "120"]
    line += ["--insist", str(insist)] if insist else []
    line += ["--history", str(history)] if history else []
    line += [f"--pid={name}={pid}" for name, pids in rig.pids(racer).items() for pid in pids]
    before = quiet.look(rig.pids(racer))
    with watch or nullcontext():
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=TIMEOUT_S, cwd=ROOT)
    after = quiet.look(rig.pids(racer))
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise Wrong(f"{racer.name}: the loader failed: {done.stderr.strip()[-500:]}") from None
    return report | {"elsewhere": quiet.elsewhere(before, after)}


def pressed_of(report: dict[str, Any]) -> Pressed:
    rush, late_ms = report["rush"], report.get("loader_late_ms_max", 0.0)
    postponed = sum(rush["statuses"].get(status, 0) for status in POSTPONED)
    per_s = rush["per_s"] * (1 - postponed / rush["answers"]) if rush["answers"] else 0.0
    return Pressed(rush["answers"], per_s, rush["seconds"], rush["cpu_us"], rush["latency_ms"], late_ms, postponed, report["elsewhere"])


def expect_all(racer: Racer, report: dict[str, Any], orders: int) -> None:
    """Raises `Wrong` unless everybody has his order in the end, and nobody was told anything but 201 or to ask again."""
    strange = set(report["rush"]["statuses"]) - {"201", *POSTPONED}
    if strange or report["rush"]["failures"] or report["violations"] or report["undecided"] or report["orders"] != orders:
        said = {name: report["rush"][name] for name in ("statuses", "codes", "failures")} | {"violations": report["violations"][:3]}
        raise Wrong(f"{racer.name} was to make {orders} orders, and made {report['orders']}: {said}, {report['undecided']} undecided")


def expect(racer: Racer, report: dict[str, Any], statuses: dict[str, int]) -> None:
    """Raises `Wrong` unless exactly these statuses came, and nothing else."""
    rush = report["rush"]
    if rush["statuses"] != statuses or rush["failures"] or report["violations"] or report["undecided"]:
        said = {name: rush[name] for name in ("statuses", "codes", "failures")} | {"violations": report["violations"][:3]}
        raise Wrong(f"{racer.name} was to answer {statuses}, and answered {said}")


def audit(rig: Rig, racer: Racer, sale: str, sold: int, history: Path) -> None:
    """Hold the books against what was said. Raises `Wrong`."""
    key = SaleKey(rig.tenant_id, decode("sal", sale))
    if racer.sells_from_postgres:
        committed = asyncio.run(_committed(rig, key, settle=racer.kind is Kind.POSTGRES))
        if committed != sold:
            raise Wrong(f"{racer.name} said {sold} times that a unit is reserved, and committed {committed}")
        prove(rig, racer.name, history if racer.kind is Kind.DURABLE else None)
        rig.end_sale(sale)
        return
    if racer.kind is Kind.ACKED:
        avail, orders = asyncio.run(rig.gate_of(key))
        rig.forget(key)
    else:
        avail, orders, units = stock.left(rig.peers, key.sale_id)
        stock.forget(rig.peers, key.sale_id)
        if units != orders:
            raise Wrong(f"{racer.name} counts {units} units of its shoppers and {orders} orders")
    if (avail, orders) != (SPARE, sold):
        raise Wrong(f"{racer.name} said {sold} times that a unit is reserved; {orders} orders are kept and {avail} units left, not {SPARE}")


def prove(rig: Rig, who: str, history: Path | None = None) -> None:
    """Run the checker over everything sold so far, at rest. Raises `Wrong` for a violation."""
    options = Options(at_rest=True, wait_s=REST_S, history=str(history) if history and history.exists() else "")
    report = check_now(rig.settings, options)
    if report.exit_code:
        bad = [f"{verdict.name}: {verdict.promise}" for verdict in report.verdicts if verdict.violations]
        raise Wrong(f"after {who} the checker found: {'; '.join(bad + report.failures)}")


async def _committed(rig: Rig, sale: SaleKey, *, settle: bool) -> int:
    conn = await asyncpg.connect(dsn_for(rig.settings, "tessera_migrator"))
    try:
        if settle:
            await postgres_only.settle(conn, sale)
        sql = """SELECT committed FROM sale WHERE tenant_id = $1 AND id = $2
                   AND committed = (SELECT count(*) FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND order_id IS NOT NULL)
                   AND committed = (SELECT count(*) FROM order_line WHERE tenant_id = $1 AND sale_id = $2)"""
        committed: int | None = await conn.fetchval(sql, *sale)
        return -1 if committed is None else committed
    finally:
        await conn.close()
