"""The demonstration's own parts: runs never meet, and a figure that is not as it must be is said."""

import datetime as dt
import multiprocessing
import tempfile
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tenants.types import TYPES, configured
from tenants.types.fields import answers
from tessera import published
from tessera.commands import demo
from tessera.demo import figures, flash, place, shelf, words
from tessera.demo.figures import Books

IMPORTS = {"a.txt": {"loaded": 3, "duplicates": 1, "malformed": [2], "blank": 0}}
BOOKS = Books(
    allotted=500,
    sold=500,
    held=0,
    orders=450,
    promised=500,
    delivered_units=500,
    duplicates=0,
    paid=450,
    delivered=450,
    refunded=0,
    unsettled=0,
    ledger_imbalance=0,
)
TIMES = {"p50": 1.0, "p99": 2.0}
RUSH: dict[str, Any] = {
    "shoppers": 3000,
    "presses": 3300,
    "orders": 450,
    "units": 500,
    "undecided": 0,
    "violations": [],
    "rush": {"codes": {"sold_out": 2000, "limit": 10}},
    "reserve": {
        "per_s": 2000.0,
        "answers": 480,
        "latency_ms": TIMES,
        "cpu_us": {"api": 100.0, "redis": 0.0, "postgres": 90.0, "loader": 20.0},
    },
    "pay": {"codes": 500, "duplicates": 0},
}
TAIL_RUN: dict[str, Any] = {
    "per_s": 4000.0, "statuses": {"409": 2000}, "failures": {}, "codes": {"sold_out": 2000}, "latency_ms": TIMES,
    "latency_ms_by_answer": {"sold_out": TIMES}, "cpu_us": {"api": 80.0, "redis": 0.0, "postgres": 40.0},
}  # fmt: skip
TAIL: dict[str, Any] = {"orders": 0, "violations": [], "rush": TAIL_RUN}
TAIL["open"] = {**deepcopy(TAIL), "rate_per_s": 2000.0}


def outcome(
    books: Books = BOOKS, rush: dict[str, Any] = RUSH, tail: dict[str, Any] = TAIL, status: str = "holds", imports: dict[str, Any] = IMPORTS
) -> tuple[dict[str, Any], list[str]]:
    report = figures.assemble(books, rush, tail, {"I1": status, "I6": "not checked"}, imports)
    return report, figures.shortcomings(report, books, rush, tail, IMPORTS, 500)


class TestFigures:
    def test_a_good_run_has_no_shortcoming_and_the_promised_form(self) -> None:
        report, short = outcome()
        assert short == []
        assert (report["units"], report["sold"], report["oversold"], report["duplicates"], report["ledger_imbalance"]) == (
            500,
            500,
            0,
            0,
            0,
        )
        assert (report["paid"], report["delivered"], report["refunded"]) == (450, 450, 0)
        assert report["reserve"] == {
            "per_s": 2000.0,
            "p50_ms": 1.0,
            "p99_ms": 2.0,
            "cpu_us": {"api": 100.0, "redis": 0.0, "postgres": 90.0},
        }
        assert report["imports"] == IMPORTS
        assert {"per_s", "p50_ms", "p99_ms", "cpu_us"} <= set(report["sold_out"])

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("sold", 499, "sold: 499"),
            ("promised", 501, "oversold: 1"),
            ("delivered_units", 502, "oversold: 2"),
            ("duplicates", 1, "duplicates: 1"),
            ("paid", 449, "paid orders: 449"),
            ("delivered", 449, "delivered orders: 449"),
            ("refunded", 1, "refunded orders: 1"),
            ("unsettled", 2, "unsettled orders: 2"),
            ("ledger_imbalance", 100, "ledger imbalance: 100"),
        ],
    )
    def test_what_postgres_counts_otherwise_is_said(self, field: str, value: int, said: str) -> None:
        _, short = outcome(books=msgspec.structs.replace(BOOKS, **{field: value}))
        assert any(each.startswith(said) for each in short), short

    def test_what_clients_were_told_beyond_the_stock_is_oversold(self) -> None:
        report, short = outcome(rush={**RUSH, "units": 503})
        assert report["oversold"] == 3
        assert any(each.startswith("oversold: 3") for each in short)

    def test_a_code_two_clients_saw_is_a_duplicate(self) -> None:
        report, _ = outcome(rush={**RUSH, "pay": {"codes": 500, "duplicates": 2}})
        assert report["duplicates"] == 2

    def test_a_violation_a_false_reservation_and_a_wrong_import_are_said(self) -> None:
        assert outcome(status="violated")[1] == ["I1 is violated", "the checker proved nothing"]
        assert outcome(tail={**TAIL, "orders": 1})[1] == ["reserved after the sale was sold out: 1, must be 0"]
        assert outcome(tail={**TAIL, "rush": {**TAIL_RUN, "statuses": {"409": 2000, "500": 3}}})[1]
        assert outcome(imports={"a.txt": {**IMPORTS["a.txt"], "loaded": 4}})[1]
        assert outcome(rush={**RUSH, "violations": ["two orders for one key"]})[1] == ["a client: two orders for one key"]


SHOPPERS = 2000
FLASH_BOOKS = Books(
    allotted=500, sold=250, held=250, orders=500, promised=500, delivered_units=250, duplicates=0, paid=250, delivered=250, refunded=0,
    unsettled=250, ledger_imbalance=0,
)  # fmt: skip
WAVE: dict[str, Any] = {
    "shoppers": SHOPPERS, "orders": 500, "units": 500, "undecided": 0, "violations": [],
    "rush": {"statuses": {"201": 520, "409": 480}, "failures": {}},
    "reserve": {
        "answers": 520, "orders": 500, "seconds": 0.25, "latency_ms": TIMES, "cpu_us": {"api": 100.0, "redis": 10.0, "postgres": 50.0},
    },
    "tail": {
        "seconds": 2.0, "statuses": {"409": 20_990, "201": 8}, "failures": {"timeout": 2}, "codes": {"sold_out": 20_000, "limit": 990},
        "latency_ms_by_answer": {"sold_out": TIMES}, "cpu_us": {"api": 40.0, "redis": 0.0, "postgres": 1.0},
    },
    "pay": {"codes": 250, "duplicates": 0},
}  # fmt: skip


def flash_outcome(books: Books = FLASH_BOOKS, **changes: Any) -> tuple[dict[str, Any], list[str]]:
    wave = WAVE | changes
    report = flash.assemble(books, wave)
    return report, flash.shortcomings(report, books, wave, SHOPPERS)


class TestFlash:
    def test_a_sale_that_sold_exactly_has_no_shortcoming(self) -> None:
        report, short = flash_outcome()
        assert short == []
        assert (report["units"], report["sold"], report["oversold"], report["requests"]) == (500, 500, 0, 22_000)

    def test_reserve_counts_committed_rows_and_sold_out_what_came_after(self) -> None:
        report, _ = flash_outcome()
        assert report["reserve"] == {
            "per_s": 2000.0,
            "p50_ms": 1.0,
            "p99_ms": 2.0,
            "cpu_us": {"api": 104.0, "redis": 10.4, "postgres": 52.0},
        }
        assert report["sold_out"] == {
            "per_s": 10_000.0, "p50_ms": 1.0, "p99_ms": 2.0, "cpu_us": {"api": 40.0, "redis": 0.0, "postgres": 1.0}
        }  # fmt: skip
        fewer, short = flash_outcome(msgspec.structs.replace(FLASH_BOOKS, orders=400))
        assert fewer["reserve"]["per_s"] == 1600.0, "what clients were told is no row"
        assert short == ["flash sale: orders clients were told are theirs: 500, must be 400"]

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("held", 249, "units held or sold: 499"),
            ("held", 251, "oversold: 1"),
            ("promised", 501, "oversold: 1"),
            ("delivered", 249, "delivered orders: 249"),
            ("unsettled", 251, "orders that wait to be paid: 251"),
        ],
    )
    def test_what_postgres_counts_otherwise_is_said(self, field: str, value: int, said: str) -> None:
        _, short = flash_outcome(msgspec.structs.replace(FLASH_BOOKS, **{field: value}))
        assert any(each.startswith(f"flash sale: {said}") for each in short), short

    def test_what_clients_saw_otherwise_is_said(self) -> None:
        assert flash_outcome(units=501)[0]["oversold"] == 1
        assert flash_outcome(undecided=1)[1] == ["flash sale: presses without a decision: 1, must be 0"]
        assert flash_outcome(violations=["two orders for one key"])[1] == ["a client of the flash sale: two orders for one key"]
        report, short = flash_outcome(tail=None)
        assert report["sold_out"] == {
            "per_s": None,
            "p50_ms": None,
            "p99_ms": None,
            "cpu_us": {"api": None, "redis": None, "postgres": None},
        }
        assert short == ["flash sale: requests: 1000, must be 22000"]


SHELF: dict[str, Any] = {"types": {"code": {"sold": 1, "delivered": 1, "used": True, "state": "delivered"}}}


class TestShelf:
    def test_each_type_there_is_stands_on_it_once(self) -> None:
        assert sorted(each.type for each in shelf.goods(dt.datetime.now(dt.UTC))) == sorted(TYPES)

    def test_what_is_on_it_is_as_its_type_wants_it(self) -> None:
        for each in shelf.goods(dt.datetime.now(dt.UTC)):
            type_ = TYPES[each.type]
            assert each.picked == type_.picked
            if each.parts:
                assert type_.stock == "parts"
                continue
            config = configured(type_, msgspec.to_builtins(each.config))
            said = answers(type_.fields(config), each.said)
            assert said.keys() >= {field.name for field in type_.fields(config) if field.required}
            assert bool(each.codes) == (type_.stock == "imported")

    def test_when_all_is_delivered_and_of_use_nothing_is_said(self) -> None:
        assert shelf.shortcomings(SHELF) == []
        assert words.shelf_text(SHELF["types"]) == "Shelf: 1 types sold, 1 delivered and used: code."

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"delivered": 0, "used": False, "state": "paid"}, "shelf: code: 0 of 1 units delivered, the order is paid"),
            ({"used": False}, "shelf: code: delivered, and of no use to its buyer"),
        ],
    )
    def test_what_is_not_delivered_or_of_no_use_is_said(self, changes: dict[str, Any], said: str) -> None:
        seen = {"code": SHELF["types"]["code"] | changes}
        assert shelf.shortcomings({"types": seen}) == [said]
        assert words.shelf_text(seen) == "Shelf: 1 types sold, 0 delivered and used."


class TestPlace:
    def test_two_runs_at_a_time_have_folders_of_their_own(self, tmp_path: Path) -> None:
        with place.fresh(tmp_path) as one, place.fresh(tmp_path) as two:
            assert one != two
            (one / "data").write_text("mine")
            with place.fresh(tmp_path):
                assert (one / "data").read_text() == "mine"

    def test_what_an_ended_run_left_goes_with_the_next(self, tmp_path: Path) -> None:
        with place.fresh(tmp_path) as folder:
            (folder / "data").mkdir()
        assert folder.exists()
        with place.fresh(tmp_path) as other:
            assert not folder.exists()
            assert [each.name for each in tmp_path.glob("run-*")] == [other.name]

    def test_sockets_of_a_killed_run_go_too(self, tmp_path: Path) -> None:
        sockets = Path(tempfile.mkdtemp(prefix="tessera-run-"))
        with place.fresh(tmp_path) as folder:
            (folder / "servers").mkdir()
            (folder / "servers" / "sockets").write_text(str(sockets))
        with place.fresh(tmp_path):
            assert not sockets.exists()

    def test_a_killed_run_holds_nothing(self, tmp_path: Path) -> None:
        process = multiprocessing.get_context("spawn").Process(target=enter_and_wait, args=(tmp_path,))
        process.start()
        try:
            assert wait_for(lambda: list(tmp_path.glob("run-*/held")))
        finally:
            process.kill()
            process.join()
        (left,) = tmp_path.glob("run-*")
        with place.fresh(tmp_path):
            assert not left.exists()

    def test_only_ones_own_word_is_withdrawn(self, tmp_path: Path) -> None:
        file = tmp_path / "demo.json"
        published.publish(file, "one", mode=0o600)
        assert file.stat().st_mode & 0o777 == 0o600
        published.publish(file, "two")
        published.withdraw(file, "one")
        assert file.read_text() == "two"
        published.withdraw(file, "two")
        assert not file.exists()
        published.withdraw(file, "two")


def enter_and_wait(root: Path) -> None:
    with place.fresh(root) as folder:
        (folder / "held").touch()
        time.sleep(60)


def wait_for(found: Any, seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while not (what := found()) and time.monotonic() < end:
        time.sleep(0.02)
    return what


def test_too_few_shoppers_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        demo.arguments(["--shoppers", "10"])
    assert "nothing sells out" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        demo.arguments(["--flash-shoppers", "50000"])
    assert "there are not more codes" in capsys.readouterr().err
