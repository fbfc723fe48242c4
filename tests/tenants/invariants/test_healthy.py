"""A healthy store is found healthy, and what was not looked at is said."""

from pathlib import Path
from typing import Any

import msgspec

from tenants.invariants.report import Status, as_text
from tests.tenants.invariants.conftest import Bench, violated

HISTORY = """{{"order_id": "ord_{awaiting}", "told": "reserved", "at": 1, "key": "a"}}
{{"order_id": "{delivered}", "told": "reserved", "at": 1, "key": "b"}}
{{"order_id": "ord_{delivered}", "told": "delivered", "at": 2}}
{{"order_id": "ord_{refused}", "told": "sold_out", "at": 2, "key": "c"}}
{{"order_id": "ord_{refused}", "told": "in the morning", "at": 2}}
"""

# There is no function to run with another's rights, and nobody was told “sold out” of a sale by name.
ABOUT_NOTHING_YET = ("no function", "nobody was told")


def history_file(folder: Path, bench: Bench, text: str) -> str:
    path = folder / "history.jsonl"
    path.write_text(text.format_map({name: getattr(value, "hex", value) for name, value in bench.store.ids.items()}))
    return str(path)


class TestHealthy:
    async def test_everything_that_can_be_checked_holds(self, bench: Bench, books: dict[str, Any], tmp_path: Path) -> None:
        report = await bench.check(at_rest=True, history=history_file(tmp_path, bench, HISTORY))
        assert violated(report) == set(), as_text(report)
        assert report.failures == []
        assert report.exit_code == 0
        assert {verdict.name for verdict in report.verdicts if verdict.status is Status.NOT_CHECKED} == set()

    async def test_every_claim_looks_at_something(self, bench: Bench, books: dict[str, Any], tmp_path: Path) -> None:
        """A claim that holds because its table is empty proves nothing, so the healthy store leaves none empty."""
        report = await bench.check(at_rest=True, history=history_file(tmp_path, bench, HISTORY))
        empty = [claim.sentence for v in report.verdicts for claim in v.claims if claim.status is Status.HOLDS and not claim.looked_at]
        assert [sentence for sentence in empty if not sentence.startswith(ABOUT_NOTHING_YET)] == []

    async def test_an_empty_store_says_that_there_was_nothing_to_look_at(self, bench: Bench) -> None:
        tables = await bench.conn.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        await bench.conn.execute(f"TRUNCATE {', '.join(row[0] for row in tables)}")
        report = await bench.check()
        assert violated(report) == set()
        stock = next(line for line in as_text(report).splitlines() if line.startswith("I2 "))
        assert "(nothing to look at)" in stock

    async def test_what_needs_more_than_postgres_is_not_checked_without_it(self, bench: Bench) -> None:
        summary = (await bench.check()).summary()
        assert {summary[name] for name in ("I7", "I12", "I20")} == {"not checked"}

    async def test_it_changes_nothing(self, bench: Bench) -> None:
        sql = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
        before = await bench.conn.fetchval(sql)
        await bench.check(at_rest=True, sample=None)
        assert await bench.conn.fetchval(sql) == before

    async def test_who_had_more_when_the_limit_was_lowered_keeps_it(self, bench: Bench) -> None:
        await bench.execute("UPDATE sale SET limit_per_shopper = 1, limit_since = now() WHERE id = {sale}")
        assert violated(await bench.check()) == set()
        await bench.execute("UPDATE sale SET limit_since = (SELECT created_at - interval '1 us' FROM orders WHERE id = {delivered})")
        assert violated(await bench.check()) == {"I8"}

    async def test_a_running_store_may_be_behind_and_a_resting_one_may_not(self, bench: Bench) -> None:
        await bench.execute("UPDATE refund SET next_try_at = now() - interval '5 min' WHERE id = {refund_late}")
        assert violated(await bench.check()) == set()
        assert violated(await bench.check(at_rest=True)) == {"I17"}


class TestWaiting:
    async def test_it_says_what_is_still_under_way(self, bench: Bench) -> None:
        report = await bench.check(wait_s=0.1, at_rest=True)
        assert "orders paid or being refunded" in report.notes[0]
        assert "refunds without an answer" in report.notes[0]

    async def test_it_goes_on_when_the_store_is_at_rest(self, bench: Bench, books: dict[str, Any]) -> None:
        await bench.execute(
            "UPDATE refund SET state = 'failed', next_try_at = NULL WHERE state = 'requested'",
            "UPDATE orders SET state = 'refunded' WHERE state = 'refunding'",
        )
        report = await bench.check(wait_s=20, at_rest=True)
        assert report.notes[0].startswith("at rest after 0.")

    async def test_a_payment_only_the_provider_knows_of_is_waited_for(self, bench: Bench, books: dict[str, Any]) -> None:
        await bench.execute(
            "DELETE FROM refund_unit WHERE refund_id IN (SELECT id FROM refund WHERE state = 'requested')",
            "DELETE FROM refund WHERE state = 'requested'",
            "UPDATE orders SET state = 'refunded' WHERE state = 'refunding'",
        )
        payments = bench.store.books["payments"]
        payments.append(payments[0] | {"transaction_id": "unheard"})
        report = await bench.check(wait_s=0.1, at_rest=True)
        assert "1 payments at the provider not heard of" in report.notes[0]


class TestFailures:
    async def test_a_claim_postgres_cannot_answer_is_not_checked_and_the_rest_is(self, bench: Bench) -> None:
        await bench.execute("DROP TABLE exception_case", "DROP TABLE audit")
        report = await bench.check()
        assert any("audit" in failure for failure in report.failures)
        assert report.exit_code == 2
        assert report.summary()["I1"] == "holds"

    async def test_books_that_cannot_be_read_are_a_failure(self, bench: Bench, books: dict[str, Any]) -> None:
        report = await bench.check(provider_token="wrong")
        assert report.exit_code == 2
        assert report.summary()["I12"] == "not checked"

    async def test_a_gate_that_does_not_answer(self, bench: Bench) -> None:
        bench.settings = msgspec.structs.replace(bench.settings, redis_url="redis://127.0.0.1:1")
        report = await bench.check()
        assert report.exit_code == 2
        assert report.summary()["I6"] == "not checked"
        assert "gate" in " ".join(report.failures)

    async def test_a_store_without_a_gate_needs_no_redis_for_it(self, bench: Bench) -> None:
        await bench.execute("UPDATE sale SET door = 'direct'", "DELETE FROM give_back")
        assert {(await bench.check(at_rest=True)).summary()[name] for name in ("I6", "I24")} == {"not checked"}

    async def test_another_secret(self, bench: Bench) -> None:
        bench.settings = msgspec.structs.replace(bench.settings, secret=bytes(32))
        # The roles' passwords follow from the secret too; the sockets of the tests ask for none.
        report = await bench.check()
        assert report.exit_code == 2
        assert "TESSERA_SECRET" in " ".join(report.failures)
