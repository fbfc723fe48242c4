"""The presses that are sampled, and what is kept of them: CPU µs per answer by layer.

A layer's share is that of the samples; the CPU it is a share of was measured with nobody watching, for what perf itself does in a process
is charged to it and never sampled.
"""

from typing import Any, Final, NamedTuple

from loadtests.bench import press, racers, races
from loadtests.bench.press import Pressed
from loadtests.bench.profiles import layers, perf, rules, spy
from loadtests.bench.profiles.perf import NotHere, Samples
from loadtests.bench.racers import Kind, Racer
from loadtests.bench.races import Hall
from loadtests.bench.sizes import CONNECTIONS

ROUNDS: Final = 4  # as many presses as so many rounds of a race
SAMPLES_MIN: Final = 200  # of a process, for shares to be said
PROCESSES: Final = ("api", "redis", "postgres")


class Scenario(NamedTuple):
    name: str
    racer: Racer
    what: str
    times: int = 1  # what is short is pressed more often
    is_sold_out: bool = False


SCENARIOS: Final = (
    Scenario("reserve", racers.OURS, "a reservation, committed"),
    Scenario("after Redis", racers.ACKED, "the same, answered after Redis, nothing committed"),
    Scenario("sold out", racers.OURS, "a refusal, from memory", times=2, is_sold_out=True),
    Scenario("constant", racers.CONSTANT, "parse, authentication, a fixed 201", times=2),
    Scenario("Go", racers.GO, "net/http and redigo, answered after Redis, nothing committed"),
)
RACERS: Final = {scenario.racer.name: scenario.racer for scenario in SCENARIOS}


def run(hall: Hall) -> dict[str, Any]:
    """Everything the tools that are here can see; `missing` says what they could not. Raises `Wrong`."""
    found: dict[str, Any] = {"hertz": perf.HERTZ, "scenarios": {}, "missing": {}}
    try:
        perf.ensure()
        for scenario in SCENARIOS:
            if hall.has(scenario.racer):
                found["scenarios"][scenario.name] = sampled(hall, scenario)
    except NotHere as error:
        found["missing"]["perf"] = str(error)
    try:
        found["python"] = functions(hall, SCENARIOS[0])
    except NotHere as error:
        found["missing"]["py-spy"] = str(error)
    for why in found["missing"].values():
        hall.say(why)
    return found


def sampled(hall: Hall, scenario: Scenario) -> dict[str, Any]:
    """Pressed under perf, and before and after it with nobody watching: what drifts meanwhile is seen, and what perf costs."""
    pids = hall.rig.pids(scenario.racer)
    samples = Samples(hall.rig.shop.folder, {name: pids[name] for name in PROCESSES})
    before, watched, after = pressed(hall, scenario), pressed(hall, scenario, samples), pressed(hall, scenario)
    unwatched = {name: (before.cpu_us[name] + after.cpu_us[name]) / 2 for name in PROCESSES}
    kind = "go" if scenario.racer.kind is Kind.GO else "api"
    seen = {}
    for name in PROCESSES:
        each = layers.fold(samples.text(name), rules.PROCESSES[kind if name == "api" else name])
        if each.samples >= SAMPLES_MIN:
            seen[name] = in_us(each, unwatched[name])
    return {
        "what": scenario.what,
        "per_s": round((before.per_s + after.per_s) / 2),
        "cpu_us": unwatched,
        "presses": [each.as_json() for each in (before, watched, after)],
        "elsewhere": max(each.elsewhere for each in (before, watched, after)),
        "processes": seen,
    }


def in_us(folded: layers.Folded, cpu_us: float) -> dict[str, Any]:
    """Samples as µs per answer, the largest first."""
    each = cpu_us / folded.samples
    return {
        "samples": folded.samples,
        "layers": {name: round(count * each, 3) for name, count in folded.layers.most_common()},
        "top": [[symbol, file, round(count * each, 3)] for (symbol, file), count in folded.top],
    }


def functions(hall: Hall, scenario: Scenario) -> dict[str, Any]:
    """Python functions of the API process; a press of its own, because the process is stopped for each look."""
    eye = spy.Spy(hall.rig.shop.folder, hall.rig.pids(scenario.racer)["api"][0])
    watched = pressed(hall, scenario, eye)
    return spy.fold(eye.text, watched.cpu_us["api"])


def pressed(hall: Hall, scenario: Scenario, watch: press.Watch | None = None) -> Pressed:
    """One press, proven and told."""
    rig, racer, count = hall.rig, scenario.racer, ROUNDS * scenario.times * hall.size.presses
    if scenario.is_sold_out:
        sale = races.sell_out(rig)
        done = races.refuse(rig, racer, sale, count, watch)
        rig.end_sale(sale)
    else:
        done = press.reserve(rig, racer, count, connections=CONNECTIONS, watch=watch)
    how = f"under {type(watch).__module__.rpartition('.')[2]}" if watch else "unwatched"
    hall.say(f"{scenario.name:18} {how:>16} {done.per_s:>9,.0f}/s  {races.cpu(done)}")
    return done
