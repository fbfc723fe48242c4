"""The plan of a rehearsal, and the verdict on what came of it. Locust itself is never imported here: it patches its process."""

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loadtests.locust.notes import Notes, Told, spread
from loadtests.locust.page import page
from loadtests.locust.plan import SHAPES, lead_s, plan
from loadtests.locust.settings import Settings, Thresholds
from loadtests.locust.verdict import figures, judgement, words
from loadtests.locust.watch import FULL, Watch, bottleneck, busy, busy_s
from tessera.rehearsal import LEADS_S

OFFER = {"units": 3, "limit_per_shopper": 1}


class TestPlan:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_every_shopper_comes_once(self, shape: str) -> None:
        arrivals = plan(shape, 1000, 100.0, seed=1)
        assert Counter(place for arrival in arrivals for place in arrival.shoppers) == Counter(range(1000))
        assert arrivals == sorted(arrivals)
        assert arrivals[0].due_s >= -lead_s(shape)

    def test_nobody_presses_before_it_opens_and_the_spike_keeps_its_rate(self) -> None:
        arrivals = plan("sale", 10_000, 500.0, seed=2)
        assert {arrival.journey for arrival in arrivals if arrival.due_s < 0} == {"window"}
        in_a_second = sum(len(arrival.shoppers) for arrival in arrivals if 5 <= arrival.due_s < 6)
        assert 400 < in_a_second < 600
        phases = Counter(arrival.phase for arrival in arrivals for _ in arrival.shoppers)
        assert phases == {"spike": 9_000, "tail": 1_000}

    def test_it_is_the_same_in_every_process(self) -> None:
        assert plan("sale", 500, 50.0, seed=3) == plan("sale", 500, 50.0, seed=3)
        assert plan("sale", 500, 50.0, seed=3) != plan("sale", 500, 50.0, seed=4)

    def test_who_comes(self) -> None:
        journeys = Counter(arrival.journey for arrival in plan("spike", 20_000, 500.0, seed=5) for _ in arrival.shoppers)
        assert 0.7 < journeys["buyer"] / 20_000 < 0.8
        assert 0.05 < journeys["scalper"] / 20_000 < 0.15

    def test_the_command_opens_the_sale_when_those_who_come_early_have_come(self) -> None:
        assert {shape: lead_s(shape) for shape in SHAPES} == LEADS_S

    def test_an_unknown_shape(self) -> None:
        with pytest.raises(ValueError, match="no shape 'storm'"):
            plan("storm", 1, 1.0, seed=1)


class TestSettings:
    NEEDED = {"LOAD_TARGET": "http://shop.example:8000", "LOAD_STORE": "cards", "LOAD_SALE": "sal_1", "LOAD_TOKENS": "tokens"}

    def test_what_is_needed_suffices(self) -> None:
        settings = Settings.from_env(self.NEEDED)
        assert (settings.target, settings.shape, settings.parts) == ("http://shop.example:8000", "sale", 1)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"LOAD_STORE": ""}, "LOAD_STORE is not set"),
            ({"LOAD_TARGET": "shop.example"}, "LOAD_TARGET is not"),
            ({"LOAD_TARGET": "http://shop.example/v1"}, "LOAD_TARGET is not"),
            ({"LOAD_RATE": "fast"}, "LOAD_RATE is not a number"),
            ({"LOAD_RATE": "0"}, "LOAD_RATE is less"),
            ({"LOAD_RATE": "nan"}, "LOAD_RATE is less"),
        ],
    )
    def test_what_is_wrong_is_named(self, change: dict[str, str], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            Settings.from_env(self.NEEDED | change)


def told(notes: Notes, word: str, ms: float) -> None:
    """A press that was decided at once."""
    notes.add("press", word, ms)
    notes.add("decision", word, ms)


def sold(units: int = 3, *, code: str = "") -> Notes:
    """Notes of a sale that went well: `units` shoppers with an order and a code each, and one who came too late."""
    notes = Notes()
    for number in range(units):
        told(notes, "reserved", 10.0 + number)
        notes.reserved(f"ord_{number}", Told(f"shopper {number}", "key", 1))
        notes.saw_codes(f"ord_{number}", [{"code": code or f"code {number}"}], 1)
    told(notes, "sold_out", 1.0)
    notes.arrived.update(buyer=units + 1)
    return notes


def judged(notes: Notes, checker: dict[str, Any] | None = None, most: Thresholds = Thresholds()) -> list[str]:  # noqa: B008 - immutable
    return judgement(figures(notes, OFFER), checker, most)[1]


class TestVerdict:
    def test_a_good_sale_passes(self) -> None:
        assert judged(sold()) == []
        found = figures(sold(), OFFER)
        assert (found["oversold"], found["duplicates"], found["over_limit"], found["codes_seen"]) == (0, 0, 0, 3)

    def test_one_unit_too_many(self) -> None:
        assert judged(sold(4)) == ["oversold: 1 units more were reserved than there were"]

    def test_a_stock_that_nobody_told_is_not_judged(self) -> None:
        assert figures(sold(4), {"units": 0, "limit_per_shopper": 1})["oversold"] is None

    def test_one_code_for_two(self) -> None:
        assert judged(sold(2, code="the same")) == ["1 codes were shown to somebody twice"]

    def test_two_orders_for_one_key(self) -> None:
        notes = sold(1)
        notes.reserved("ord_other", Told("shopper 0", "key", 1))
        twice = "shopper shopper 0 was told ord_0 and ord_other for one key"
        assert judged(notes) == ["1 units beyond what one shopper may have", twice]

    def test_an_order_with_a_code_missing(self) -> None:
        notes = sold(1)
        notes.saw_codes("ord_0", [], 1)
        assert judged(notes) == ["order ord_0 shows 0 codes for 1 units"]

    def test_errors_beyond_the_share(self) -> None:
        notes = sold()
        notes.errors["press: no answer"] += 1
        assert judged(notes, most=Thresholds(error_share=0.5)) == []
        assert judged(notes) == ["errors: 25.000% of all requests, at most 0.100%"]

    @pytest.mark.parametrize(("word", "name"), [("reserved", "RESERVE"), ("sold_out", "SOLD-OUT")])
    def test_a_slow_hundredth(self, word: str, name: str) -> None:
        """Each is judged by itself: a thousand fast refusals hide no slow reservation."""
        notes = sold()
        told(notes, word, 700.0)
        assert judged(notes) == [f"{name} p99 700 ms, at most 500 ms"]

    def test_a_generator_that_was_late_itself_judges_no_latency(self) -> None:
        """But what is wrong whoever was late fails all the same, and what was fast in spite of it passes."""
        notes = sold()
        notes.lag.extend([80.0] * 10)
        assert judgement(figures(notes, OFFER), None, Thresholds()) == ("pass", [])
        told(notes, "reserved", 700.0)
        verdict, found = judgement(figures(notes, OFFER), None, Thresholds())
        assert verdict == "void"
        assert found == ["RESERVE p99 700 ms, at most 500 ms", "the generator was late itself: p99 80 ms, at most 50 ms"]
        assert judgement(figures(notes, OFFER), None, Thresholds(lag_ms=100.0))[0] == "fail"
        notes.never_came = 1
        assert judgement(figures(notes, OFFER), None, Thresholds())[0] == "fail"

    def test_somebody_was_never_let_in(self) -> None:
        notes = sold()
        notes.never_came = 2
        assert [each[:8] for each in judged(notes)] == ["2 people"]

    def test_a_run_in_which_nothing_happened_is_no_pass(self) -> None:
        assert judged(Notes()) == ["nobody was told anything: there is nothing to judge"]

    def test_the_checker_decides_too(self) -> None:
        checker = {"invariants": {"I1": {"status": "holds"}, "I2": {"status": "violated"}}, "failures": ["the books"]}
        assert judged(sold(), checker) == ["the checker: I2 violated", "the checker could not look: the books"]


def watched(machine: list[float], **processes: list[float]) -> dict[str, Any]:
    """On two cores, by the second."""
    return {
        "cores": 2, "seconds": len(machine), "machine": busy(machine, 2 * FULL), "bystander_ms": spread([1.0]), "looks": 1, "unanswered": 0,
        "processes": {name: {**busy(cores, FULL), "wanted": 0.25} for name, cores in processes.items()},
    }  # fmt: skip


class TestBottleneck:
    def test_nobody(self) -> None:
        assert bottleneck(watched([1.0] * 20, api=[0.5] * 20)) == ""
        assert bottleneck(watched([1.0] * 20, api=[1.0] + [0.5] * 19)) == "", "a second is not often"
        assert bottleneck(watched([])) == ""

    def test_a_process_that_has_one_core(self) -> None:
        assert bottleneck(watched([1.5] * 20, api=[0.2] * 20, generator=[0.97] * 20)) == "generator, 0.97 of its one core"
        assert bottleneck(watched([1.5] * 20, postgres=[1.1] * 20)) == "", "it can use more than one"

    def test_the_machine(self) -> None:
        said = bottleneck(watched([1.95] * 20, api=[0.95] * 20, generator=[0.4] * 20))
        assert said == "the machine: no core was free in 20 of 20 s (api 0.95, generator 0.40, others 0.60 cores)"

    async def test_it_looks_only_while_people_come(self) -> None:
        now, began = time.time(), time.perf_counter()
        watch = Watch("http://127.0.0.1:9", {"me": os.getpid()}, now + 1.0, now + 10, 1.0)
        watch.look(lambda: time.perf_counter() - began < 2.5)
        found = watch.as_json()
        assert found["seconds"] == 1
        assert 5 <= found["unanswered"] <= 16
        assert found["processes"]["me"]["mean"] < 0.5

    def test_the_machine_is_busy_when_we_are(self) -> None:
        before, end = busy_s(), time.process_time() + 0.3
        while time.process_time() < end:
            pass
        assert busy_s() - before >= 0.25


class TestNotes:
    def test_percentiles_are_samples(self) -> None:
        assert spread([5.0, 1.0, 3.123456]) == {"p50": 3.123, "p95": 5.0, "p99": 5.0, "p999": 5.0, "max": 5.0}
        assert spread(range(1, 1001))["p999"] == 999
        assert spread([]) == {}

    def test_two_processes_put_together(self, tmp_path: Path) -> None:
        """What only shows when they are: one key with an order in each."""
        whole = Notes()
        for number, order in enumerate(("ord_a", "ord_b")):
            part = Notes()
            told(part, "reserved", float(number))
            part.reserved(order, Told("ann", "key", 1))
            part.saw_codes(order, [{"code": "the same"}], 1)
            part.write(tmp_path / "notes.json")
            whole.read(tmp_path / "notes.json")
        found = figures(whole, OFFER)
        assert (found["requests"], found["duplicates"], found["over_limit"]) == (2, 1, 1)
        assert found["violations"] == ["shopper ann was told ord_a and ord_b for one key"]

    def test_no_code_is_written_down(self, tmp_path: Path) -> None:
        notes = sold(1, code="SECRET-CODE")
        notes.write(tmp_path / "notes.json")
        assert "SECRET-CODE" not in (tmp_path / "notes.json").read_text()


@pytest.mark.parametrize("checker", [None, {"invariants": {"I1": {"status": "violated", "promise": "<b>"}}, "failures": []}])
def test_verdict_and_page_say_the_same(checker: dict[str, Any] | None) -> None:
    found = json.loads(json.dumps(figures(sold(), OFFER)))
    most = Thresholds()
    verdict, breaches = judgement(found, checker, most)
    report: dict[str, Any] = {
        "target": "http://x", "store": "cards", "sale": "sal_1", "shape": "sale", "rate": 300.0, "hands": 8, "offer": OFFER,
        "figures": found, "checker": checker, "thresholds": most._asdict(), "breaches": breaches, "verdict": verdict,
        "watch": watched([1.9] * 5, api=[0.9] * 5),
    }  # fmt: skip
    assert verdict == ("fail" if checker else "pass")
    assert words(report).endswith(f"Verdict: {verdict.upper()}")
    assert "no core was free in 5 of 5 s" in words(report)
    assert "api 0.90 (+0.25)" in words(report)
    shown = page(report, ["locust-0.html"])
    assert f"<strong>{verdict.upper()}</strong>" in shown
    assert "no core was free in 5 of 5 s" in shown
    assert "<b>" not in shown
