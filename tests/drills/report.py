"""The report of drills: `drill.json` for programs, `drill.md` for people."""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.drills.drill import Outcome

FOLDER = Path("build")


def merged(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """One outcome for each name: repetitions add up, the slowest recovery counts, timelines are kept of those that failed."""
    found: dict[str, Outcome] = {}
    for each in outcomes:
        before = found.get(each.name)
        if before is None:
            found[each.name] = msgspec.structs.replace(each)
            continue
        found[each.name] = Outcome(
            each.name,
            before.runs + each.runs,
            before.violations + each.violations,
            max((s for s in (before.recovered_s, each.recovered_s) if s is not None), default=None),
            {name: before.counts.get(name, 0) + each.counts.get(name, 0) for name in before.counts | each.counts},
            each.timeline if each.violations else before.timeline,
        )
    return list(found.values())


def total(outcomes: Sequence[Outcome], count: str) -> int:
    return sum(outcome.counts.get(count, 0) for outcome in outcomes)


def passed(outcomes: Sequence[Outcome]) -> bool:
    """No violation, and every control caught."""
    return not any(outcome.violations for outcome in outcomes) and total(outcomes, "controls_caught") == total(outcomes, "controls")


def forget() -> None:
    """A run that is given up leaves no report, least of all an earlier one's."""
    for name in ("drill.json", "drill.md"):
        (FOLDER / name).unlink(missing_ok=True)


def write(outcomes: Sequence[Outcome], seconds: float) -> None:
    """Both files, in `build/`."""
    outcomes = merged(outcomes)
    summary = {
        "violations": sum(len(outcome.violations) for outcome in outcomes),
        "kill_points": total(outcomes, "kill_points"),
        "controls_caught": total(outcomes, "controls_caught"),
        "drills": [
            {"name": outcome.name, "runs": outcome.runs, "violations": len(outcome.violations), "recovered_s": outcome.recovered_s}
            for outcome in outcomes
        ],
    }
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "drill.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=1) + b"\n")
    (FOLDER / "drill.md").write_text(_page(outcomes, seconds))


def _page(outcomes: Sequence[Outcome], seconds: float) -> str:
    failed = [outcome for outcome in outcomes if outcome.violations]
    caught, controls = total(outcomes, "controls_caught"), total(outcomes, "controls")
    lines = [
        f"# Drills, {time.strftime('%Y-%m-%d %H:%M')}",
        "",
        f"{len(outcomes)} drills in {seconds:.0f} s: {f'{len(failed)} not as promised' if failed else 'all as promised'}.",
        f"{total(outcomes, 'kill_points')} kill points; {caught} of {controls} controls caught.",
        "",
        "| drill | runs | violations | recovered within | counts |",
        "|---|---:|---:|---:|---|",
    ]
    for each in outcomes:
        recovered = "" if each.recovered_s is None else f"{each.recovered_s:.1f} s"
        counts = ", ".join(f"{name} {count}" for name, count in each.counts.items())
        lines.append(f"| {each.name} | {each.runs} | {len(each.violations)} | {recovered} | {counts} |")
    for each in failed:
        lines += ["", f"## {each.name}", "", *(f"- {violation}" for violation in each.violations), "", "```"]
        lines += [f"{event.at_s:9.3f} s  {event.what}" for event in each.timeline]
        lines.append("```")
    return "\n".join(lines) + "\n"
