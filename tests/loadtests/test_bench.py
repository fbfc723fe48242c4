"""What the race makes of its figures: ratios, tables, plots, and what it keeps from run to run."""

import json
import os
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from checkout_core import decide
from loadtests.bench import __main__ as bench
from loadtests.bench import compiled, machine, million, plots, quiet, racers, races, report
from loadtests.bench.figures import GOALS, best_of, by_round, entry, spent, summaries
from loadtests.bench.press import Pressed, Wrong, expect
from loadtests.bench.racers import Racer
from loadtests.bench.sizes import FULL, SMOKE, SPARED
from loadtests.bench.trials import MEASURES


def pressed(per_s: float = 1000.0, **cpu_us: float) -> Pressed:
    latency_ms = {"p50": 1.0, "p99": 2.0, "p999": 3.0}
    return Pressed(100, per_s, 0.1, {"api": 10.0, "redis": 2.0, "postgres": 30.0, "loader": 9.0} | cpu_us, latency_ms)


NOTHING = dict.fromkeys(MEASURES, 1.0)
ROUNDS = {"ours": [pressed(1000), pressed(1500)], "litestar": [pressed(500, api=100.0), pressed(250, api=200.0)]}
FOUND = {
    "P2": entry("P2", [2.0, 6.0], {"racers": summaries(ROUNDS)}),
    "P8": entry("P8", [3.0], {"us_per_reservation": {"a": {"python": 2.0, "compiled": 1.0, "ratio": 2.0}}, "is_compiled": True}),
    "capacity": {"ours": {"1": pressed(10).as_json(), "64": pressed(900).as_json()}},
    "latency": {"ours": {"50%": pressed().as_json() | {"rate": 500.0}, "90%": pressed().as_json() | {"rate": 900.0}}},
    "processes": {"racers": summaries(ROUNDS)},
    "profile": {"scenarios": {}, "missing": {"perf": "perf is not installed"}},
    "settings": {"jit": {"where": "Postgres", "chosen": "off", "others": {"on": [NOTHING]}, "noise": [NOTHING]}},
    "machine": {"cores": 2, "packages": {"redis": "5"}},
    "million": {
        "checkouts": 1_000_000,
        "rss_mib_over_time": {"api": [(1.0, 100.0), (2.0, 101.0)]},
        "tenths": [pressed().as_json()],
        "tables": {"orders": {"rows": 5, "mib": 1.0, "bytes_per_order": 2.0}},
    },
}


class TestFigures:
    def test_a_ratio_is_formed_within_a_round(self) -> None:
        assert by_round(ROUNDS, lambda ours, peer: ours.per_s / peer.per_s, "ours", "litestar") == [2.0, 6.0]

    def test_the_median_counts_and_all_rounds_are_kept(self) -> None:
        found = entry("P4", [5.0, 7.0, 100.0], {})
        assert (found["ratio"], found["met"], found["min"], found["max"], found["rounds"]) == (7.0, True, 5.0, 100.0, [5.0, 7.0, 100.0])

    @pytest.mark.parametrize(("name", "ratio", "is_met"), [("P1", 4.0, True), ("P1", 3.9, False), ("P7", 1.05, True), ("P7", 1.06, False)])
    def test_a_bound_holds_from_its_side(self, name: str, ratio: float, is_met: bool) -> None:
        assert GOALS[name].is_met(ratio) is is_met

    def test_the_best_rival_is_the_one_that_spends_least(self) -> None:
        rounds = {"go": [pressed(api=50.0)], "go-2": [pressed(api=40.0)], "go-constant": [pressed(api=1.0)]}
        assert best_of(rounds, ("go", "go-2"), lambda each: spent(each, "api", "redis"), most=False) == "go-2"

    def test_the_loader_is_nobodys_cost(self) -> None:
        assert pressed().server_us == 42.0


class TestWhatIsExpected:
    def report(self, **changes: object) -> dict[str, object]:
        rush = {"statuses": {"201": 3}, "codes": {}, "failures": {}}
        return {"rush": rush | changes, "violations": [], "undecided": 0}

    def test_exactly_these_answers(self) -> None:
        expect(racers.OURS, self.report(), {"201": 3})

    @pytest.mark.parametrize("wrong", [{"statuses": {"201": 2, "409": 1}}, {"failures": {"timeout": 1}}, {"statuses": {"201": 4}}])
    def test_anything_else_ends_the_run(self, wrong: dict[str, object]) -> None:
        with pytest.raises(Wrong, match="ours was to answer"):
            expect(racers.OURS, self.report(**wrong), {"201": 3})


class TestReport:
    def test_every_section_of_the_guide_is_filled(self) -> None:
        text = bench.GUIDE.read_text()
        assert [name for name in report.SECTIONS if f"<!-- {name} -->" not in text] == []
        filled = report.fill(text, FOUND)
        assert report.NOT_YET not in filled
        assert "**4.00**" in filled  # the median of 2 and 6
        assert "the shop: 201 after COMMIT" in filled

    def test_what_stands_between_the_sections_stays(self) -> None:
        text = "before\n<!-- goals -->\nold\n<!-- end -->\nafter\n"
        assert report.fill(text, {}) == f"before\n<!-- goals -->\n{report.NOT_YET}<!-- end -->\nafter\n"
        assert report.fill(report.fill(text, FOUND), FOUND) == report.fill(text, FOUND)

    def test_plots_are_xml(self, tmp_path: Path) -> None:
        drawn = report.draw(FOUND, tmp_path)
        assert {file.stem for file in drawn} == {f"bench-{each}" for each in ("cost", "throughput", "capacity", "latency", "memory")}
        for file in drawn:
            assert ET.parse(file).getroot().tag.endswith("svg")

    def test_a_plot_of_nothing_says_so(self) -> None:
        assert "not measured" in plots.lines("nothing", {}, "x", "y")


class TestKeeping:
    def test_what_was_measured_before_stays(self, tmp_path: Path) -> None:
        bench.keep(tmp_path, "bench.json", {"P1": 1, "P2": 1})
        everything = bench.keep(tmp_path, "bench.json", {"P2": 2})
        assert everything == {"P1": 1, "P2": 2} == json.loads((tmp_path / "bench.json").read_text())

    def test_a_part_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(SystemExit):
            bench.arguments(["--only", "P9"])
        assert bench.arguments(["--only", "P3,latency"]).parts == {"P3", "latency"}

    def test_every_goal_has_its_race(self) -> None:
        assert set(races.NEEDED) == set(GOALS)


class TestTable:
    def test_names_are_nobody_elses(self) -> None:
        everybody = {racer for part in bench.PARTS.values() for racer in part}
        assert len({racer.name for racer in everybody}) == len(everybody)

    def test_a_short_run_still_has_somebody_for_each_goal(self) -> None:
        assert [name for name, needed in races.NEEDED.items() if needed and not set(needed) - set(SPARED)] == []
        assert SMOKE.presses < FULL.presses

    @pytest.mark.parametrize(("racer", "presses"), [(racers.OURS, 4_000), (racers.LITESTAR, 2_000), (racers.POSTGRES[0], 1_000)])
    def test_who_is_slow_is_pressed_less(self, racer: Racer, presses: int) -> None:
        assert FULL._replace(presses=4_000).of(racer) == presses


class TestWhatTheMachineDoes:
    def test_what_we_burn_is_ours(self) -> None:
        before, began = quiet.look({}), time.process_time()
        while time.process_time() - began < 0.2:
            pass
        after = quiet.look({})
        assert after.ours - before.ours >= 0.15
        assert 0 <= quiet.elsewhere(before, after) <= 1

    def test_what_others_burn_is_seen(self) -> None:
        cores = quiet.CORES
        before, after = quiet.Look(0, 0, 0, 0), quiet.Look(10, 6.0 * cores, 1.0 * cores, 5.0 * cores)
        assert quiet.elsewhere(before, after) == pytest.approx(0.2)

    def test_memory_is_resident(self) -> None:
        assert million.rss_mib([os.getpid()]) > 10


class TestCompiled:
    def test_the_twin_is_python_of_the_same_words(self) -> None:
        twin = compiled.twin(decide)
        assert str(twin.__file__).endswith("decide.py")
        wishes, taken, limit, free = compiled.a_batch(4)
        assert twin.decide(wishes, dict(taken), limit, free) == decide.decide(wishes, dict(taken), limit, free)

    def test_a_pair_is_timed(self) -> None:
        ratios, pairs = compiled.measure(1)
        assert ratios[0] > 0
        assert pairs["checkout_core.decide"]["python"] > 0

    def test_files_of_compiled_modules_are_named(self) -> None:
        assert machine.about_the_machine()["compiled"]["checkout_core.decide"].startswith("checkout_core/decide")
