"""From notes to figures, from figures to a verdict. Every percentile is an element of all samples, none an estimate."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.locust.notes import Notes, Told, spread
from loadtests.locust.settings import Thresholds
from loadtests.locust.watch import bottleneck

NO_REQUESTS = {"decision", "served", "paid to code"}  # spans of several requests, or a part of one
OPEN = {"wait", "admitted"}  # the outcome is open: ask again


def figures(notes: Notes, offer: Mapping[str, Any]) -> dict[str, Any]:
    """`offer` is the sale before anybody came, as the storefront told it; `units` 0 means that its stock is not known."""
    asked = notes.samples.keys() - NO_REQUESTS
    requests = sum(len(ms) for step in asked for ms in notes.samples[step].values())
    decision = notes.samples.get("decision", {})  # from the moment somebody meant to press, with all he was told to wait
    first, last = notes.reserved_at or (0.0, 0.0)
    units = sum(told.quantity for told in notes.orders.values())
    stock, limit = int(offer.get("units", 0)), int(offer.get("limit_per_shopper", 0))
    reserve = {"answers": len(decision.get("reserved", ())), "orders": len(notes.orders), "units": units, "seconds": round(last - first, 3)}
    reserve["orders_per_s"] = round(len(notes.orders) / (last - first), 1) if last > first else 0.0
    return {
        "arrived": dict(notes.arrived),
        "never_came": notes.never_came,
        "requests": requests,
        "errors": dict(notes.errors),
        "error_share": round(sum(notes.errors.values()) / requests, 6) if requests else 0.0,
        "told_to_wait": sum(len(ms) for step in asked for word, ms in notes.samples[step].items() if word in OPEN),
        "reserve": {**reserve, "latency_ms": spread(decision.get("reserved", ()))},
        "sold_out": {"answers": len(decision.get("sold_out", ())), "latency_ms": spread(decision.get("sold_out", ()))},
        "steps_ms": {
            step: {word: {"answers": len(ms), **spread(ms)} for word, ms in sorted(words.items())}
            for step, words in sorted(notes.samples.items())
        },
        "oversold": max(0, units - stock) if stock else None,
        "duplicates": duplicates(notes.codes),
        "over_limit": over_limit(notes.orders.values(), limit),
        "codes_seen": sum(map(len, notes.codes.values())),
        "violations": notes.violations,
        "lag_ms": spread(notes.lag),
        "looks": len(notes.lag),
        "queued": {"arrivals": len(notes.queued), **spread(notes.queued)},
    }


def duplicates(codes: Mapping[str, Sequence[str]]) -> int:
    """Codes that were shown once too often: to two orders, or twice in one."""
    return sum(times - 1 for times in Counter(digest for each in codes.values() for digest in each).values())


def over_limit(orders: Any, limit: int) -> int:
    """Units that shoppers were told beyond what one may have; 0 for no limit."""
    held: dict[str, int] = defaultdict(int)
    each: Told
    for each in orders:
        held[each.shopper] += each.quantity
    return sum(max(0, units - limit) for units in held.values()) if limit else 0


def judgement(told: Mapping[str, Any], checker: Mapping[str, Any] | None, most: Thresholds) -> tuple[str, list[str]]:
    """ "pass", "fail" or "void", and all that is not as it must be.

    Void: all that is wrong are latencies, and the generator was late itself, which is in them. They say nothing of the store, good or bad.
    """
    broken, slow = breaches(told, checker, most), slowness(told, most)
    lag_ms = told["lag_ms"].get("p99", 0.0)
    if slow and not broken and lag_ms > most.lag_ms:
        return "void", [*slow, f"the generator was late itself: p99 {lag_ms:,.0f} ms, at most {most.lag_ms:,.0f} ms"]
    return "fail" if broken or slow else "pass", broken + slow


def slowness(told: Mapping[str, Any], most: Thresholds) -> list[str]:
    return [
        f"{name} p99 {what['latency_ms']['p99']:,.0f} ms, at most {most.p99_ms:,.0f} ms"
        for name, what in (("RESERVE", told["reserve"]), ("SOLD-OUT", told["sold_out"]))
        if what["latency_ms"].get("p99", 0.0) > most.p99_ms
    ]


def breaches(told: Mapping[str, Any], checker: Mapping[str, Any] | None, most: Thresholds) -> list[str]:
    """All that is wrong whoever was slow. `checker` is `tessera check --json`, None when nobody could look."""
    found = []
    if told["oversold"]:
        found.append(f"oversold: {told['oversold']} units more were reserved than there were")
    if told["duplicates"]:
        found.append(f"{told['duplicates']} codes were shown to somebody twice")
    if told["over_limit"]:
        found.append(f"{told['over_limit']} units beyond what one shopper may have")
    found += told["violations"][:10]
    if told["error_share"] > most.error_share:
        found.append(f"errors: {told['error_share']:.3%} of all requests, at most {most.error_share:.3%}")
    if not told["reserve"]["answers"] + told["sold_out"]["answers"]:
        found.append("nobody was told anything: there is nothing to judge")
    if told["never_came"]:
        found.append(f"{told['never_came']} people could not be let in before the end: more LOAD_HANDS or PROCESSES, or a smaller RATE")
    if checker is not None:
        violated = [name for name, each in checker["invariants"].items() if each["status"] == "violated"]
        if violated:
            found.append(f"the checker: {', '.join(violated)} violated")
        found += [f"the checker could not look: {failure}" for failure in checker["failures"]]
    return found


def words(report: Mapping[str, Any]) -> str:
    """The verdict for a terminal."""
    told, checker = report["figures"], report["checker"]
    reserve, sold_out = told["reserve"], told["sold_out"]
    lines = [
        "",
        f"{told['requests']:,} requests of {sum(told['arrived'].values()):,} arrivals: {arrivals(told['arrived'])}",
        f"  RESERVE   {how_many(reserve)}   {latency(reserve['latency_ms'])}",
        f"  SOLD-OUT  {sold_out['answers']:,} answers   {latency(sold_out['latency_ms'])}",
        f"  codes     {told['codes_seen']:,} seen by who paid   {latency(paid_to_code(told))} from payment to code",
        f"  errors    {sum(told['errors'].values()):,} ({told['error_share']:.3%}), told to wait {told['told_to_wait']:,}"
        + "".join(f"\n            {times:,} × {error}" for error, times in sorted(told["errors"].items())),
        f"  oversold  {or_unknown(told['oversold'])} · duplicates {told['duplicates']} · beyond the limit {told['over_limit']}",
        f"  checker   {checked(checker)}",
        "  whose time it was:",
        f"    queued     {told['queued']['arrivals']:,} found every connection of the generator busy   {latency(told['queued'])}",
        f"    lag        {latency(told['lag_ms'])} of the generator itself",
        f"    reserved   {latency(served(told, 'reserved'))} from sending a press until its answer was there",
        f"    sold out   {latency(served(told, 'sold_out'))} likewise",
        f"    bystander  {latency(report['watch']['bystander_ms'])} for /healthz, asked by a process that does nothing else"
        + (f"; {unanswered} × no answer" if (unanswered := report["watch"]["unanswered"]) else ""),
        f"    cores      {cores(report['watch'])}",
        f"    bottleneck {bottleneck(report['watch']) or 'none: everybody had time to spare'}",
    ]
    lines += ["", *(f"BREACH: {each}" for each in report["breaches"])]
    return "\n".join([*lines, f"Verdict: {report['verdict'].upper()}"])


def served(told: Mapping[str, Any], word: str) -> Mapping[str, float]:
    """One press at the store, without what the generator was late to send it and to read the answer."""
    found: Mapping[str, float] = told["steps_ms"].get("served", {}).get(word, {})
    return found


def cores(watched: Mapping[str, Any]) -> str:
    """Who used how much, the greediest first."""
    by_use = sorted(watched["processes"].items(), key=lambda each: -each[1]["mean"])
    each = [f"{name} {used['mean']:.2f} (+{used['wanted']:.2f})" for name, used in by_use]
    return f"{watched['machine']['mean']:.2f} of {watched['cores']} busy, (+) wanted and not to be had: {', '.join(each)}"


def how_many(reserve: Mapping[str, Any]) -> str:
    return f"{reserve['orders']:,} orders ({reserve['units']:,} units), {reserve['orders_per_s']:,.0f}/s over {reserve['seconds']:.1f} s"


def or_unknown(count: int | None) -> str:
    return "unknown" if count is None else str(count)


def arrivals(arrived: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {journey}" for journey, count in sorted(arrived.items()))


def paid_to_code(told: Mapping[str, Any]) -> Mapping[str, float]:
    found: Mapping[str, float] = told["steps_ms"].get("paid to code", {}).get("ok", {})
    return found


def checked(checker: Mapping[str, Any] | None) -> str:
    if checker is None:
        return "not checked: the store's database was not given"
    count = Counter(each["status"] for each in checker["invariants"].values())
    return " · ".join(f"{times} {status}" for status, times in count.items())


def latency(ms: Mapping[str, float]) -> str:
    points = [f"{name} {ms[name]:,.0f}" for name in ("p50", "p95", "p99", "p999", "max") if name in ms]
    return f"{' '.join(points)} ms" if points else "none"
