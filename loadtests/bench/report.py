"""What was measured, in words: tables for the terminal and for docs/benchmarks.md, whose sections between markers are written here."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from loadtests.bench import plots, racers
from loadtests.bench.candidates import TRIED, UNTRIED
from loadtests.bench.figures import GOALS
from loadtests.bench.markdown import NOT_YET, table
from loadtests.bench.plots import Bar
from loadtests.bench.profiles import tables
from loadtests.bench.racers import Racer
from loadtests.bench.trials import MEASURES, differing, floors, is_better, verdict

IMAGES: Final = "images"
_ALL: Final = [each for each in vars(racers).values() if isinstance(each, Racer)] + list(racers.POSTGRES)
_ABOUT: Final = {racer.name: racer.about for racer in _ALL}
PROCESSES: Final = ("api", "redis", "postgres")


def goals_as_text(found: Mapping[str, Any]) -> str:
    """For the terminal."""
    rows = [f"{name}  {each['goal']:>7}  {each['ratio']:>7.2f}  {yes(each['met']):>3}  {each['what']}" for name, each in _goals(found)]
    return "\n".join([f"{'':2}  {'goal':>7}  {'found':>7}  met", *rows])


def goals(found: Mapping[str, Any]) -> str:
    rows = [
        (f"{name}: {each['what']}", each["goal"], f"**{each['ratio']:.2f}**", f"{each['min']:.2f} – {each['max']:.2f}", yes(each["met"]))
        for name, each in _goals(found)
    ]
    return table(("ratio", "goal", "median", "rounds", "met"), rows) if rows else NOT_YET


def reserving(found: Mapping[str, Any]) -> str:
    """All racers of the goals that reserve, with what each process spent."""
    everybody = _racers_of(found)
    if not everybody:
        return NOT_YET
    rows = []
    for name, each in everybody.items():
        us = {process: each["cpu_us"].get(process, {}).get("median", 0.0) for process in (*PROCESSES, "loader")}
        per_s, ms = each["per_s"], each["latency_ms"]
        together = sum(us[process] for process in PROCESSES)
        rate = f"{per_s['median']:,.0f} ({per_s['min']:,.0f} – {per_s['max']:,.0f})"
        spent = [f"{us[process]:.1f}" for process in PROCESSES]
        rows.append(
            (
                about(name),
                rate,
                *spent,
                f"**{together:.1f}**",
                f"{each['cpu_us']['later']['median']:.1f}" if "later" in each["cpu_us"] else "",
                f"{us['loader']:.1f}",
                f"{ms['p50']['median']:.1f} / {ms['p99']['median']:.1f}",
                f"{each['elsewhere']:.0%}",
            )
        )
    measured = ("API µs", "Redis µs", "Postgres µs", "together", "later", "loader µs", "p50 / p99 ms", "disturbed")
    return table(("256 connections", "answers/s", *measured), rows)


def capacity(found: Mapping[str, Any]) -> str:
    swept: dict[str, Any] = found.get("capacity", {})
    if not swept:
        return NOT_YET
    connections = sorted({int(each) for racer in swept.values() for each in racer})
    rows = [
        (about(name), *(f"{each[str(n)]['per_s']:,.0f}" if str(n) in each else "" for n in connections)) for name, each in swept.items()
    ]
    return table(("reservations/s at so many connections", *(f"{n:,}" for n in connections)), rows)


def latency(found: Mapping[str, Any]) -> str:
    rows = [
        (about(name), share, f"{each['rate']:,.0f}",
         *(f"{each['latency_ms'].get(point, 0):.1f}" for point in ("p50", "p99", "p999")), f"{each['late_ms']:.1f}")
        for name, shares in found.get("latency", {}).items() for share, each in shares.items()
    ]  # fmt: skip
    head = ("open loop", "of capacity", "arrivals/s", "p50 ms", "p99 ms", "p99.9 ms", "loader late at most, ms")
    return table(head, rows) if rows else NOT_YET


def processes(found: Mapping[str, Any]) -> str:
    rows = [
        (about(name), f"{each['per_s']['median']:,.0f}", f"{each['cpu_us']['api']['median']:.1f}")
        for name, each in found.get("processes", {}).get("racers", {}).items()
    ]
    return table(("256 connections", "reservations/s", "API µs"), rows) if rows else NOT_YET


def compiled(found: Mapping[str, Any]) -> str:
    detail = found.get("P8", {}).get("detail", {})
    pairs = detail.get("us_per_reservation", {})
    if not pairs:
        return NOT_YET
    rows = [(f"`{name}`", f"{each['python']:.3f}", f"{each['compiled']:.3f}", f"{each['ratio']:.2f}") for name, each in pairs.items()]
    note = "" if detail["is_compiled"] else "\nNothing was compiled when this was measured: both columns are Python.\n"
    return table(("µs per reservation", "Python", "compiled", "ratio"), rows) + note


def machine(found: Mapping[str, Any]) -> str:
    about: dict[str, Any] = found.get("machine", {})
    if not about:
        return NOT_YET
    rows = [(name, _flat(value)) for name, value in about.items()]
    return table(("", "measured on"), rows)


def million(found: Mapping[str, Any]) -> str:
    each: dict[str, Any] = found.get("million", {})
    if not each:
        return NOT_YET
    rows = [(name.replace("_", " "), _flat(value)) for name, value in each.items() if name not in ("rss_mib_over_time", "tenths", "tables")]
    tenths = [(n + 1, f"{t['per_s']:,.0f}", *(f"{t['cpu_us'][p]:.1f}" for p in PROCESSES)) for n, t in enumerate(each["tenths"])]
    tables = [
        (f"`{name}`", f"{size['rows']:,}", f"{size['mib']:.1f}", f"{size['bytes_per_order']:.0f}") for name, size in each["tables"].items()
    ]
    parts = [table(("", "figure"), rows), table(("tenth", "checkouts/s", "API µs", "Redis µs", "Postgres µs"), tenths)]
    return "\n".join([*parts, table(("table, indexes included", "rows", "MiB", "bytes an order"), tables)])


def settings(found: Mapping[str, Any]) -> str:
    """Every value that was tried, and what noise did meanwhile. A ratio that noise does not explain is bold."""
    tried = [(each, found["settings"][each.name]) for each in TRIED if each.name in found.get("settings", {})]
    if not tried:
        return NOT_YET
    noise = [ratios for _, each in tried for ratios in each["noise"]]
    rows: list[tuple[object, ...]] = []
    for candidate, each in tried:
        for label, other in each["others"].items():
            differ = differing(other, noise)
            cells = [ratio_cell([ratios[measure] for ratios in other], bold=measure in differ) for measure in MEASURES]
            rows.append((f"`{candidate.name}`", each["chosen"] or "none", label, *cells, verdict(differ), choice(candidate.kept, differ)))
    tried_rounds = sorted({len(other) for _, each in tried for other in each["others"].values()})
    strayed = [(rounds, len(noise), *(f"× {ratio:.2f}" for ratio in floors(noise, rounds).values())) for rounds in tried_rounds]
    head = ("setting", "chosen", "instead", "reservations/s", "CPU", "p99", "instead is", "why the chosen one")
    untried = table(("no figure for", "why"), [(f"`{name}`", why) for name, why in UNTRIED.items()])
    return "\n".join([table(head, rows), table(("noise: rounds", "pairs seen", "reservations/s", "CPU", "p99"), strayed), untried])


def ratio_cell(rounds: Sequence[float], *, bold: bool) -> str:
    ratio = f"{median(rounds):.2f}"
    return f"{f'**{ratio}**' if bold else ratio} ({min(rounds):.2f} – {max(rounds):.2f})"


def choice(kept: str, differ: Mapping[str, float]) -> str:
    """Why what is chosen is chosen."""
    if is_better(differ):
        return kept or "none: it is to be changed"
    return kept or ("it is better" if differ else "nothing speaks for a change")


SECTIONS: Final = {
    "goals": goals,
    "reserving": reserving,
    "capacity": capacity,
    "latency": latency,
    "processes": processes,
    "compiled": compiled,
    "profile": tables.profile,
    "settings": settings,
    "machine": machine,
    "million": million,
}


def fill(text: str, found: Mapping[str, Any]) -> str:
    """The guide with every section between `<!-- name -->` and `<!-- end -->` written anew."""

    def section(match: re.Match[str]) -> str:
        return f"<!-- {match[1]} -->\n{SECTIONS[match[1]](found)}<!-- end -->"

    return re.sub(rf"<!-- ({'|'.join(SECTIONS)}) -->\n.*?<!-- end -->", section, text, flags=re.DOTALL)


def draw(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """The plots of what was measured; the files written."""
    drawn: dict[str, str] = {}
    if everybody := _racers_of(found):
        cost = [Bar(n, {p: e["cpu_us"].get(p, {}).get("median", 0.0) for p in PROCESSES}) for n, e in everybody.items()]
        cost.sort(key=lambda bar: bar.whole)
        drawn["bench-cost"] = plots.bars("What one answer costs: CPU time of each process, 256 connections", cost, "µs")
        rates = [Bar(n, {"": e["per_s"]["median"]}, e["per_s"]["min"], e["per_s"]["max"]) for n, e in everybody.items()]
        rates.sort(key=lambda bar: -bar.whole)
        drawn["bench-throughput"] = plots.bars("Answers a second, 256 connections: median, least and most of the rounds", rates, "/s")
    if found.get("capacity"):
        series = {name: {float(n): each["per_s"] for n, each in by.items()} for name, by in found["capacity"].items()}
        drawn["bench-capacity"] = plots.lines("Capacity by connections, closed loop", series, "connections", "reservations/s")
    if timed := found.get("latency"):
        series = {name: {float(load.rstrip("%")): each["latency_ms"]["p99"] for load, each in by.items()} for name, by in timed.items()}
        drawn["bench-latency"] = plots.lines("p99 by load, open loop", series, "load, % of capacity", "ms")
    if found.get("million"):
        series = {name: {float(at): mib for at, mib in points} for name, points in found["million"]["rss_mib_over_time"].items()}
        drawn["bench-memory"] = plots.lines("Memory while a million units are sold", series, "seconds", "MiB", even=True)
    drawn |= tables.drawings(found)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, svg in drawn.items():
        files.append(folder / f"{name}.svg")
        files[-1].write_text(svg, encoding="utf-8")
    return files


def about(racer: str) -> str:
    return _ABOUT.get(racer, racer)


def yes(is_met: bool) -> str:
    return "yes" if is_met else "no"


def _goals(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, found[name]) for name in GOALS if name in found]


def _racers_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """Each racer once, from the first goal that has it."""
    out: dict[str, Any] = {}
    for name in ("P2", "P3", "P4", "P6"):
        for racer, each in found.get(name, {}).get("detail", {}).get("racers", {}).items():
            out.setdefault(racer, each)
    return out


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return " · ".join(f"{name} {_flat(each)}" for name, each in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
