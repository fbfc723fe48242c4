"""The profile in words and bars: a table of layers for each process, the functions that were seen most, and what was missing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from loadtests.bench import plots
from loadtests.bench.markdown import NOT_YET, table
from loadtests.bench.plots import Bar

TITLES: Final = {"api": "API", "redis": "Redis", "postgres": "Postgres"}
LEAST_US: Final = 0.05  # of a layer in any scenario, below which it goes with the rest
PARTS_MAX: Final = 9  # of a bar, besides the rest
REST: Final = "rest"
# Of a drawing, which has fewer colours than a table has rows.
DRAWN_AS: Final = {
    "kernel: network": ("kernel: send", "kernel: receive", "kernel: wait"),
    "kernel: others": ("kernel: files", "kernel: memory", "kernel: others"),
    "Python: objects, memory": ("Python: objects", "Python: memory", "Python: collector"),
    "Go: runtime": ("Go: memory", "Go: scheduler, syscalls"),
    "Go: packages": ("Go: JSON", "Go: hashes, base64", "Go: maps, strings, time", "Go: net/http", "Go: redigo", "Go: the peer"),
    "libraries": ("uvloop", "httptools", "hiredis", "msgspec", "asyncpg", "hashes, base64", "other modules"),
}
_PART: Final = {layer: part for part, layers in DRAWN_AS.items() for layer in layers}


def profile(found: Mapping[str, Any]) -> str:
    """The section of the guide."""
    each: dict[str, Any] = found.get("profile", {})
    if not each:
        return NOT_YET
    parts = [f"Not measured: {why}.\n" for why in each["missing"].values()]
    if scenarios := each["scenarios"]:
        parts += [_costs(scenarios), *(_process(scenarios, name) for name in TITLES), _top(scenarios)]
    if python := each.get("python"):
        parts.append(_functions(python))
    return "\n".join(parts)


def drawings(found: Mapping[str, Any]) -> dict[str, str]:
    """SVG by the name of its file: a stacked bar for each scenario, one drawing for each process."""
    scenarios: dict[str, Any] = found.get("profile", {}).get("scenarios", {})
    drawn = {}
    for process, title in TITLES.items():
        if seen := _seen(scenarios, process):
            titled = f"{title}: where the time of an answer goes, CPU µs"
            drawn[f"bench-profile-{process}"] = plots.bars(titled, list(_bars(seen)), "µs")
    return drawn


def _bars(seen: Mapping[str, Mapping[str, float]]) -> Iterator[Bar]:
    """The parts that are largest in any scenario have colours of their own; our compiled modules are one part."""
    grouped: dict[str, dict[str, float]] = {}
    for name, layers in seen.items():
        bar = grouped.setdefault(name, {})
        for layer, us in layers.items():
            part = "ours, compiled" if layer.startswith("ours: ") else _PART.get(layer, layer)
            bar[part] = bar.get(part, 0.0) + us
    most = {part: max(bar.get(part, 0.0) for bar in grouped.values()) for bar in grouped.values() for part in bar}
    own = sorted(sorted(most, key=lambda part: -most[part])[:PARTS_MAX])
    for name, bar in grouped.items():
        rest = {REST: sum(us for part, us in bar.items() if part not in own)} if len(most) > len(own) else {}
        yield Bar(name, {part: bar.get(part, 0.0) for part in own} | rest)


def _seen(scenarios: Mapping[str, Any], process: str) -> dict[str, dict[str, float]]:
    """Layers by scenario, where the process did enough to be sampled."""
    return {name: each["processes"][process]["layers"] for name, each in scenarios.items() if process in each["processes"]}


def _costs(scenarios: Mapping[str, Any]) -> str:
    rows = []
    for name, each in scenarios.items():
        before, watched, after = (press["cpu_us"] for press in each["presses"])
        spent = (f"{before[p]:.1f}, {after[p]:.1f} ({watched[p]:.1f})" for p in TITLES)
        rows.append((f"{name}: {each['what']}", f"{each['per_s']:,}", *spent, f"{each['elsewhere']:.0%}"))
    head = ("256 connections; µs before, after (and under perf)", "answers/s", *(f"{title} µs" for title in TITLES.values()), "disturbed")
    return table(head, rows)


def _process(scenarios: Mapping[str, Any], process: str) -> str:
    seen = _seen(scenarios, process)
    if not seen:
        return ""
    every = sorted({layer for layers in seen.values() for layer in layers})
    most = {layer: max(layers.get(layer, 0.0) for layers in seen.values()) for layer in every}
    rows = [
        (layer, *(f"{layers[layer]:.2f}" if layer in layers else "" for layers in seen.values()))
        for layer in every
        if most[layer] >= LEAST_US
    ]
    small = [sum(us for layer, us in layers.items() if most[layer] < LEAST_US) for layers in seen.values()]
    if any(small):
        rows.append((REST, *(f"{us:.2f}" for us in small)))
    rows.append(("**together**", *(f"**{sum(layers.values()):.1f}**" for layers in seen.values())))
    rows.append(("samples", *(f"{scenarios[name]['processes'][process]['samples']:,}" for name in seen)))
    drawing = f"![{TITLES[process]}: where the time of an answer goes](images/bench-profile-{process}.svg)\n"
    return f"{drawing}\n" + table((f"{TITLES[process]}, µs per answer", *seen), rows)


def _top(scenarios: Mapping[str, Any]) -> str:
    """Of the first scenario, side by side: it is the one with all processes."""
    name, each = next(iter(scenarios.items()))
    columns = [[f"`{symbol}` ({file}) {us:.2f}" for symbol, file, us in seen["top"]] for seen in each["processes"].values()]
    rows = [(number + 1, *row) for number, row in enumerate(zip(*columns, strict=False))]
    head = ("", *(f"{TITLES[process]} µs" for process in each["processes"]))
    return f"<details><summary>The functions that were seen most: {name}</summary>\n\n{table(head, rows)}\n</details>\n"


def _functions(python: Mapping[str, Any]) -> str:
    rows = [
        (f"`{name}`" if ":" in name else name, f"{us['self_us']:.2f}", f"{us['inclusive_us']:.2f}")
        for name, us in python["functions"].items()
    ]
    head = (f"Python functions of a reservation, {python['samples']:,} looks", "self µs", "with what it calls µs")
    return table(head, rows)
