"""The races behind the goals. Rounds are interleaved, A B C C B A, so that whatever else the machine does meets all alike."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any, Final

import asyncpg

from checkout_core.ids import decode
from checkout_core.intents import SaleKey
from loadtests.bench import compiled, press, racers
from loadtests.bench.figures import Rounds, best_of, by_round, entry, spent, spread, summaries
from loadtests.bench.press import ROOT, Pressed, Wrong
from loadtests.bench.racers import Kind, Racer
from loadtests.bench.rig import SLUG, Rig
from loadtests.bench.sizes import CONNECTIONS, Size
from loadtests.peers import contract, postgres_only
from tenants.db import dsn_for

SOLD_OUT_UNITS: Final = 64
LEARNT_S: Final = 0.5  # until a process has read who holds the units of a sale
DISTURBED: Final = 0.1  # the share of the machine from which on a round is said to have been disturbed
TURNS: Final = 3  # of each round at one connection
CHILD_TIMEOUT_S: Final = 120

Say = Callable[[str], None]

# Who is needed for each goal; the worker, Postgres and Valkey always run.
NEEDED: Final[dict[str, tuple[Racer, ...]]] = {
    "P1": (),
    "P2": (racers.OURS, racers.LITESTAR, racers.LITESTAR_PLAIN),
    "P3": (racers.ACKED, racers.GO, racers.GO_TWICE),
    "P4": (racers.OURS, *racers.POSTGRES),
    "P5": (racers.OURS, racers.REFUSED),
    "P6": (racers.ACKED, racers.CONSTANT, racers.DECIDED, racers.GO_CONSTANT, racers.LITESTAR_CONSTANT),
    "P7": (racers.BATCHED, racers.UNBATCHED),
    "P8": (),
}
RESERVING: Final = ("P2", "P3", "P4", "P6")  # measured in one race, each racer once a round


class Hall:
    """A rig, how much is to be done in it, and where to say how it goes."""

    def __init__(self, rig: Rig, size: Size, say: Say) -> None:
        self.rig = rig
        self.size = size
        self.say = say
        self.seen: dict[str, list[float]] = {}  # reservations/s of racers pressed at `CONNECTIONS`

    def has(self, *wanted: Racer) -> bool:
        return not {racer.name for racer in wanted} & set(self.rig.missing)

    def prove_contracts(self) -> None:
        """Every racer answers as it must before it races; also its first, cold requests. Raises `Wrong`."""
        proven: set[object] = set()
        for racer in self.rig.racers:
            if racer.is_constant or racer.program in proven:
                continue
            proven.add(racer.program)
            opened: list[str] = []

            def open_sale(units: int, limit: int, racer: Racer = racer, opened: list[str] = opened) -> str:
                opened.append(self.rig.open_sale(racer, units, limit))
                return opened[-1]

            if faults := contract.faults(self.rig.port(racer), SLUG, self.rig.token, open_sale):
                raise Wrong(f"{racer.name} breaks the contract: {'; '.join(faults)}")
            if racer.sells_from_postgres:
                asyncio.run(self._close(racer, opened))

    async def _close(self, racer: Racer, opened: Iterable[str]) -> None:
        conn = await asyncpg.connect(dsn_for(self.rig.settings, "tessera_migrator"))
        try:
            for sale in opened:
                if racer.kind is Kind.POSTGRES:
                    await postgres_only.settle(conn, SaleKey(self.rig.tenant_id, decode("sal", sale)))
                self.rig.end_sale(sale)
        finally:
            await conn.close()

    def reserve(self, racer: Racer, count: int = 0, *, connections: int = CONNECTIONS, rate: float = 0.0) -> Pressed:
        """One round of one racer, proven and told."""
        pressed = press.reserve(self.rig, racer, count or self.size.of(racer), connections=0 if rate else connections, rate=rate)
        if connections == CONNECTIONS and not rate:
            self.seen.setdefault(racer.name, []).append(pressed.per_s)
        elsewhere = f"  elsewhere {pressed.elsewhere:.0%}" if pressed.elsewhere > DISTURBED else ""
        how = f"{rate:,.0f}/s offered" if rate else f"{connections} connections"
        self.say(
            f"{racer.name:18} {how:>16} {pressed.per_s:>9,.0f}/s  {cpu(pressed)}  p50 {pressed.latency_ms['p50']:.1f} ms"
            f"  p99 {pressed.latency_ms['p99']:.1f} ms" + (f"  {pressed.postponed} postponed" if pressed.postponed else "") + elsewhere
        )
        return pressed

    def interleaved(self, contestants: Iterable[Racer], measure: Callable[[Racer], Pressed], times: int = 0) -> Rounds:
        """All of them, round after round, each second one backwards: what drifts meanwhile favours nobody."""
        who = [racer for racer in contestants if self.has(racer)]
        rounds: Rounds = {racer.name: [] for racer in who}
        for number in range(times or self.size.rounds):
            for racer in reversed(who) if number % 2 else who:
                rounds[racer.name].append(measure(racer))
        return rounds


def cpu(pressed: Pressed) -> str:
    shown = [name for name in ("api", "redis", "postgres", "later", "loader") if name != "later" or name in pressed.cpu_us]
    return " ".join(f"{name} {pressed.cpu_us.get(name, 0):.1f}" for name in shown) + " µs"


def reserving(hall: Hall, wanted: set[str]) -> dict[str, Any]:
    """P2, P3, P4 and P6: everybody reserves, at `CONNECTIONS`."""
    who = {racer.name: racer for name in RESERVING if name in wanted for racer in NEEDED[name] if racer.kind is not Kind.POSTGRES}
    pools: dict[str, float] = {}
    if "P4" in wanted:
        pools = {racer.name: hall.reserve(racer, hall.size.of(racer) // 2).per_s for racer in filter(hall.has, racers.POSTGRES)}
        best = max(filter(hall.has, racers.POSTGRES), key=lambda racer: pools[racer.name])
        who[best.name] = best
    rounds = hall.interleaved(who.values(), hall.reserve)
    found: dict[str, Any] = {}
    for name in sorted(wanted & set(RESERVING)):
        read = {"P2": _p2, "P3": _p3, "P4": _p4, "P6": _p6}[name]
        own = {racer.name for racer in NEEDED[name]}
        if (ratios := read(rounds)) is not None:
            each, more = ratios
            found[name] = entry(name, each, {"racers": summaries({n: r for n, r in rounds.items() if n in own}), **more})
    if "P4" in found:
        found["P4"]["detail"]["pools_per_s"] = {name: round(per_s, 1) for name, per_s in pools.items()}
    return found


Ratios = tuple[list[float], dict[str, Any]]


def _p2(rounds: Rounds) -> Ratios | None:
    per_cpu = by_round(rounds, lambda ours, peer: spent(peer, "api", "redis") / spent(ours, "api", "redis", "postgres"), "ours", "litestar")
    per_s = by_round(rounds, lambda ours, peer: ours.per_s / peer.per_s, "ours", "litestar")
    detail = {"per_cpu_second": _ratios(per_cpu), "throughput": _ratios(per_s)}
    return (per_cpu if median(per_cpu) < median(per_s) else per_s), detail


def _p3(rounds: Rounds) -> Ratios | None:
    if "go" not in rounds:
        return None
    rival = best_of(rounds, ("go", "go-2"), lambda each: spent(each, "api", "redis"), most=False)
    per_cpu = by_round(rounds, lambda ours, peer: spent(peer, "api", "redis") / spent(ours, "api", "redis"), "acked", rival)
    return per_cpu, {"against": rival}


def _p4(rounds: Rounds) -> Ratios | None:
    rival = best_of(rounds, [racer.name for racer in racers.POSTGRES], lambda each: each.per_s, most=True)
    per_s = by_round(rounds, lambda ours, peer: ours.per_s / peer.per_s, "ours", rival)
    per_cpu = by_round(rounds, lambda ours, peer: peer.server_us / ours.server_us, "ours", rival)
    return per_s, {"against": rival, "per_cpu_second": _ratios(per_cpu)}


def _p6(rounds: Rounds) -> Ratios | None:
    return by_round(rounds, lambda ours, fixed: spent(ours, "api") / spent(fixed, "api"), "acked", "constant"), {}


def _ratios(values: list[float]) -> dict[str, Any]:
    return {"ratio": round(median(values), 3), "rounds": [round(value, 3) for value in values]}


def sell_out(rig: Rig) -> str:
    """A sale of the shop that is over, and known to be by its process."""
    sale = rig.open_sale(racers.OURS, SOLD_OUT_UNITS)
    press.expect(racers.OURS, press.load(rig, racers.OURS, sale, SOLD_OUT_UNITS, connections=8), {"201": SOLD_OUT_UNITS})
    press.load(rig, racers.OURS, sale, CONNECTIONS, connections=8)  # the first refusals, from which the process learns
    time.sleep(LEARNT_S)
    return sale


def refuse(rig: Rig, racer: Racer, sale: str, count: int, watch: press.Watch | None = None) -> Pressed:
    """`count` people who have not asked before are told that it is sold out. Raises `Wrong` when anything else was said."""
    report = press.load(rig, racer, sale, count, connections=CONNECTIONS, watch=watch)
    press.expect(racer, report, {"409": count})
    if report["rush"]["codes"] != {"sold_out": count}:
        raise Wrong(f"{racer.name} was to say sold_out only, and said {report['rush']['codes']}")
    return press.pressed_of(report)


def sold_out(hall: Hall) -> dict[str, Any]:
    """P5: a sale that is over, asked for by people who have not asked before."""
    rig, count = hall.rig, 2 * hall.size.presses
    sale = sell_out(rig)

    def measure(racer: Racer) -> Pressed:
        pressed = refuse(rig, racer, sale, count)
        hall.say(f"{racer.name:18} {'sold out':>16} {pressed.per_s:>9,.0f}/s  {cpu(pressed)}  redis {pressed.cpu_us['redis']:.2f} µs")
        return pressed

    rounds = hall.interleaved((racers.OURS, racers.REFUSED), measure)
    press.prove(rig, "sold out")
    rig.end_sale(sale)
    per_s = by_round(rounds, lambda ours, fixed: ours.per_s / fixed.per_s, "ours", "refused")
    per_cpu = by_round(rounds, lambda ours, fixed: spent(fixed, "api") / spent(ours, "api"), "ours", "refused")
    detail = {"racers": summaries(rounds), "throughput": _ratios(per_s), "per_cpu_second": _ratios(per_cpu)}
    return entry("P5", per_s if median(per_s) < median(per_cpu) else per_cpu, detail)


def at_rest(hall: Hall) -> dict[str, Any]:
    """P7: one shopper after the other, in one sale, in short turns: an fsync takes as long as the disk likes at the moment."""
    rig, count, turns = hall.rig, hall.size.alone // TURNS, hall.size.rounds * TURNS
    total = count * turns * len(NEEDED["P7"])
    sale = rig.open_sale(racers.BATCHED, total + press.SPARE)
    history = rig.shop.folder / "at-rest.jsonl"

    def measure(racer: Racer) -> Pressed:
        report = press.load(rig, racer, sale, count, connections=1, history=history)
        press.expect_all(racer, report, count)
        pressed = press.pressed_of(report)
        hall.say(f"{racer.name:18} {'1 connection':>16} {pressed.per_s:>9,.0f}/s  {cpu(pressed)}  p50 {pressed.latency_ms['p50']:.2f} ms")
        return pressed

    rounds = hall.interleaved(NEEDED["P7"], measure, turns)
    press.audit(rig, racers.BATCHED, sale, total, history)
    ratios = by_round(rounds, lambda ours, other: ours.latency_ms["p50"] / other.latency_ms["p50"], "batched", "unbatched")
    return entry("P7", ratios, {"racers": summaries(rounds)})


def core_alone(hall: Hall) -> dict[str, Any]:
    """P1: Redis and its client, without HTTP."""
    each: dict[str, list[dict[str, Any]]] = {"core": [], "one at a time": []}
    asked = {"core": "loadtests.bench.core", "one at a time": "loadtests.peers.one_at_a_time"}
    for _ in range(hall.size.rounds):
        for name, module in asked.items():
            report = child(hall, module, "--count", str(hall.size.core))  # the same for both: a hash costs more the more it holds
            if not 0.999 * report["count"] < report["reserved"] <= report["count"]:  # a random shopper may meet himself
                raise Wrong(f"{name} reserved {report['reserved']} of {report['count']}")
            hall.say(f"{name:18} {'':>16} {report['per_s']:>9,.0f}/s  redis {report['redis_us']:.1f} µs")
            each[name].append(report)
    ratios = [ours["per_s"] / one["per_s"] for ours, one in zip(each["core"], each["one at a time"], strict=True)]
    detail: dict[str, Any] = {
        name: {field: spread([one[field] for one in reports]) for field in ("per_s", "redis_us")} for name, reports in each.items()
    }
    detail["core"]["client_us"] = spread([one["client_us"] for one in each["core"]])
    detail["driven_by"] = each["one at a time"][0]["driven_by"]
    return entry("P1", ratios, detail)


def child(hall: Hall, module: str, *arguments: str) -> dict[str, Any]:
    """What a measurement in a process of its own prints."""
    environ = {**os.environ, "REDIS_URL": hall.rig.peers_url}
    line = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=CHILD_TIMEOUT_S, cwd=ROOT, env=environ)
    if done.returncode:
        raise Wrong(f"{module} failed: {done.stderr.strip()[-500:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def compiled_parts(hall: Hall) -> dict[str, Any]:
    """P8: needs nobody else."""
    ratios, pairs = compiled.measure(max(3, hall.size.rounds))
    for name, each in pairs.items():
        hall.say(f"{name:35} {each['compiled']:.3f} µs compiled, {each['python']:.3f} µs as Python")
    return entry("P8", ratios, {"us_per_reservation": pairs, "is_compiled": all(map(compiled.is_compiled, compiled.MODULES))})
