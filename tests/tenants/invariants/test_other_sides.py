"""What clients say and what the provider's books say, against the store (I7, I9, I12, I18, I20, I22 in Redis)."""

from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tenants import keys
from tenants.db import TenantTx
from tenants.invariants.history import BadHistory
from tests.tenants.invariants.conftest import Bench, rows, violated
from tests.tenants.invariants.healthy import MCH_ID, Builder, code_of
from tests.tenants.invariants.test_healthy import history_file

NOBODY = "ord_00000000000070008000000000000000"


class TestClients:
    @pytest.mark.parametrize(
        ("lines", "violates", "names"),
        [
            pytest.param(f'{{{{"order_id": "{NOBODY}", "told": "reserved", "at": 1}}}}', "I7", NOBODY, id="reserved, and no order"),
            pytest.param('{{"order_id": "{refused}", "told": "reserved", "at": 1}}', "I7", "{refused}", id="reserved, and refused"),
            pytest.param('{{"order_id": "{awaiting}", "told": "delivered", "at": 1}}', "I7", "{awaiting}", id="delivered, and unpaid"),
            pytest.param('{{"order_id": "{awaiting}", "told": "sold_out", "at": 1}}', "I18", "{awaiting}", id="sold out, and an order"),
            pytest.param(
                '{{"order_id": "{refused}", "told": "sold_out", "at": 1}}\n{{"order_id": "{refused}", "told": "limit", "at": 1}}',
                "I18", "{refused}", id="two answers",
            ),
            pytest.param(
                '{{"order_id": "{awaiting}", "told": "reserved", "at": 1, "key": "a"}}\n'
                '{{"order_id": "{closing}", "told": "reserved", "at": 1, "key": "a"}}',
                "I18", "{awaiting}", id="one key, two orders",
            ),
            pytest.param(
                '{{"order_id": "{refused}", "told": "sold_out", "at": 1, "sale_id": "sal_{sale}", "quantity": 2}}',
                "I9", "{refused}", id="sold out before anybody bought",
            ),
        ],
    )  # fmt: skip
    async def test_what_was_said_is_not_so(self, lines: str, violates: str, names: str, bench: Bench, tmp_path: Path) -> None:
        report = await bench.check(history=history_file(tmp_path, bench, lines))
        assert violated(report) == {violates}
        name = names.format_map({name: getattr(value, "hex", value) for name, value in bench.store.ids.items()})
        assert name in rows(report, violates)

    async def test_a_sold_out_that_was_true(self, bench: Bench, tmp_path: Path) -> None:
        """All allotted units were reserved by then, though some came back since."""
        await bench.execute(
            "UPDATE order_line SET quantity = 13 WHERE order_id = {expired}",
            "UPDATE orders SET amount_minor = 13 * 990 WHERE id = {expired}",
        )
        line = '{{"order_id": "{refused}", "told": "sold_out", "at": 4000000000, "sale_id": "sal_{sale}"}}'
        report = await bench.check(history=history_file(tmp_path, bench, line))
        assert report.summary()["I9"] == "holds"

    @pytest.mark.parametrize("line", ["{{", '{{"told": "reserved"}}', '{{"order_id": "ord_1", "told": "reserved", "at": 1}}'])
    async def test_a_file_that_is_none(self, line: str, bench: Bench, tmp_path: Path) -> None:
        with pytest.raises(BadHistory, match="line 1"):
            await bench.check(history=history_file(tmp_path, bench, line))


class TestBooks:
    async def test_a_payment_the_provider_does_not_know(self, bench: Bench, books: dict[str, Any]) -> None:
        gone = bench.store.books["payments"].pop(0)
        report = await bench.check()
        assert violated(report) == {"I12"}
        assert bench.store.ids["payment_delivered"].hex in rows(report, "I12"), gone

    async def test_another_amount(self, bench: Bench, books: dict[str, Any]) -> None:
        bench.store.books["payments"][0]["amount"] += 1
        report = await bench.check()
        assert violated(report) == {"I12"}
        assert bench.store.ids["payment_delivered"].hex in rows(report, "I12")

    async def test_another_currency(self, bench: Bench, books: dict[str, Any]) -> None:
        bench.store.books["payments"][0]["currency"] = "USD"
        assert violated(await bench.check()) == {"I12"}

    async def test_a_payment_we_do_not_know_may_still_reach_us(self, bench: Bench, books: dict[str, Any]) -> None:
        bench.store.books["payments"].append(bench.store.books["payments"][0] | {"transaction_id": "unheard"})
        assert violated(await bench.check()) == set()
        report = await bench.check(at_rest=True)
        assert violated(report) == {"I12"}
        assert "unheard" in rows(report, "I12")

    async def test_a_payment_that_waits_for_a_person_is_known(self, bench: Bench, books: dict[str, Any]) -> None:
        bench.store.books["payments"].append(bench.store.books["payments"][0] | {"transaction_id": "unheard"})
        await bench.execute(
            "INSERT INTO exception_case (tenant_id, id, kind, reference) VALUES ({tenant}, {event}, 'payment_without_attempt', 'unheard')"
        )
        assert violated(await bench.check(at_rest=True)) == set()

    async def test_a_refund_that_never_reached_the_provider(self, bench: Bench, books: dict[str, Any]) -> None:
        bench.store.books["refunds"] = [
            r for r in bench.store.books["refunds"] if r["out_refund_no"] != bench.store.ids["refund_double"].hex
        ]
        report = await bench.check()
        assert violated(report) == {"I12"}
        assert bench.store.ids["refund_double"].hex in rows(report, "I12")

    async def test_a_refund_that_is_not_done(self, bench: Bench, books: dict[str, Any]) -> None:
        for refund in bench.store.books["refunds"]:
            refund["status"] = "PROCESSING"
        assert violated(await bench.check()) == {"I12"}

    async def test_a_refund_we_do_not_know_to_be_done(self, bench: Bench, books: dict[str, Any]) -> None:
        for refund in bench.store.books["refunds"]:
            refund["status"] = "SUCCESS"
        assert violated(await bench.check()) == set()
        report = await bench.check(at_rest=True)
        assert violated(report) == {"I12"}
        assert bench.store.ids["refund_late"].hex in rows(report, "I12")

    async def test_books_that_disagree_with_themselves(self, bench: Bench, books: dict[str, Any]) -> None:
        books["self_check"] = ["more refunded than paid: 42"]
        report = await bench.check()
        assert violated(report) == {"I12"}
        assert "more refunded than paid" in rows(report, "I12")

    async def test_an_order_we_never_wrote_down(self, bench: Bench, books: dict[str, Any]) -> None:
        bench.store.books["orders"].append({"out_trade_no": "wild", "total": 1, "currency": "CNY", "state": "NOTPAY"})
        report = await bench.check()
        assert violated(report) == {"I20"}
        assert "wild" in rows(report, "I20")

    async def test_a_refund_we_never_wrote_down(self, bench: Bench, books: dict[str, Any]) -> None:
        wild = bench.store.books["refunds"][0] | {"out_refund_no": "wild", "status": "PROCESSING"}
        bench.store.books["refunds"].append(wild)
        report = await bench.check()
        assert violated(report) == {"I20"}
        assert "wild" in rows(report, "I20")

    async def test_another_shop_at_the_same_sandbox_is_none_of_ours(self, bench: Bench, books: dict[str, Any]) -> None:
        books["merchants"]["1911111111"] = books["merchants"][MCH_ID]
        books["merchants"][MCH_ID] = {name: list(rows) for name, rows in books["merchants"][MCH_ID].items()}
        assert violated(await bench.check(at_rest=True)) == set()


class TestSecrets:
    @pytest.mark.parametrize("kind", ["string", "hash", "list", "set", "zset", "stream", "key"])
    async def test_a_code_in_redis(self, kind: str, bench: Bench) -> None:
        code, key = code_of("one", 3), f"checker-test:{kind}"
        async with Redis.from_url(bench.settings.redis_url) as redis:
            match kind:
                case "string":
                    await redis.set(key, f"\x00{code}\x01")
                case "hash":
                    await redis.hset(key, "field", code)
                case "list":
                    await redis.rpush(key, "a", code)
                case "set":
                    await redis.sadd(key, code)
                case "zset":
                    await redis.zadd(key, {code: 1})
                case "stream":
                    await redis.xadd(key, {"code": code})
                case "key":
                    key = f"checker-test:{code}"
                    await redis.set(key, "1")
            try:
                report = await bench.check(sample=None)
            finally:
                await redis.delete(key)
        assert violated(report) == {"I22"}
        assert "checker-test" in rows(report, "I22")
        assert code not in rows(report, "I22")

    async def test_a_code_loaded_twice_under_another_number(self, bench: Bench) -> None:
        """The same plaintext, sealed well and fingerprinted well, in two units: only the constraint forbade it."""
        await bench.loosen("code")
        builder = Builder(bench.conn, bench.store, "one")
        of_tenant = await keys.Keyring(bench.settings.secret).of(TenantTx(bench.conn, builder.tenant))
        again = builder.seal(of_tenant, bench.store.ids["loose"], code_of("one", 3))
        sql = "UPDATE code SET fingerprint = $2, sealed = $3 WHERE unit_id = $1"
        await bench.conn.execute(sql, bench.store.ids["loose"], again["fingerprint"], again["sealed"])
        report = await bench.check(sample=None)
        assert violated(report) == {"I5"}
        assert str(bench.store.ids["loose"]) in rows(report, "I5")

    async def test_codes_that_open_anywhere(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """A seal that does not say where it belongs would let a row be moved."""
        monkeypatch.setattr(keys, "unit_place", lambda *place: b"anywhere")
        monkeypatch.setattr("tests.tenants.invariants.healthy.unit_place", lambda *place: b"anywhere")
        builder = Builder(bench.conn, bench.store, "one")
        for tenant, slug in await bench.conn.fetch("SELECT id, slug FROM tenant"):
            builder.tenant = tenant
            of_tenant = await keys.Keyring(bench.settings.secret).of(TenantTx(bench.conn, tenant))
            units = [row[0] for row in await bench.conn.fetch("SELECT unit_id FROM code WHERE tenant_id = $1 ORDER BY 1", tenant)]
            for n, unit in enumerate(units):
                sealed = builder.seal(of_tenant, unit, code_of(slug, n))["sealed"]
                await bench.conn.execute("UPDATE code SET sealed = $2 WHERE unit_id = $1", unit, sealed)
        report = await bench.check(sample=None)
        assert violated(report) == {"I22"}
        claims = next(verdict.claims for verdict in report.verdicts if verdict.name == "I22")
        assert [claim.sentence for claim in claims if claim.violations] == ["a code does not open in another unit's place"]
