"""The plan of a rehearsal, and the verdict on what came of it. Locust itself is never imported here: it patches its process."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loadtests.locust.notes import Notes, Told, spread
from loadtests.locust.page import page
from loadtests.locust.plan import SHAPES, lead_s, plan
from loadtests.locust.settings import Settings, Thresholds
from loadtests.locust.verdict import breaches, figures, words
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
    return breaches(figures(notes, OFFER), checker, most)


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

    def test_somebody_was_never_let_in(self) -> None:
        notes = sold()
        notes.never_came = 2
        assert [each[:8] for each in judged(notes)] == ["2 people"]

    def test_a_run_in_which_nothing_happened_is_no_pass(self) -> None:
        assert judged(Notes()) == ["nobody was told anything: there is nothing to judge"]

    def test_the_checker_decides_too(self) -> None:
        checker = {"invariants": {"I1": {"status": "holds"}, "I2": {"status": "violated"}}, "failures": ["the books"]}
        assert judged(sold(), checker) == ["the checker: I2 violated", "the checker could not look: the books"]


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
    report: dict[str, Any] = {
        "target": "http://x", "store": "cards", "sale": "sal_1", "shape": "sale", "rate": 300.0, "hands": 8, "offer": OFFER,
        "figures": found, "checker": checker, "thresholds": most._asdict(), "breaches": breaches(found, checker, most),
    }  # fmt: skip
    verdict = "FAIL" if checker else "PASS"
    assert words(report).endswith(f"Verdict: {verdict}")
    shown = page(report, ["locust-0.html"])
    assert f"<strong>{verdict}</strong>" in shown
    assert "<b>" not in shown
