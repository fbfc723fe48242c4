"""Notices of the sandbox provider, and every switch that makes it misbehave."""

import json
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.provider import CREATE, Merchant, Sandbox, Sink


class TestWebhooks:
    async def test_a_notice_is_signed_and_sealed(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        out_trade_no, pay_url = merchant.create(sink.url, attach="mine")
        paid = sandbox.pay(pay_url)
        (notice,) = await sink.quiet()
        assert sandbox.vouches_for(notice.fields, notice.body)
        envelope = json.loads(notice.body)
        assert (envelope["event_type"], envelope["resource_type"]) == ("TRANSACTION.SUCCESS", "encrypt-resource")
        assert set(envelope["resource"]) == {"original_type", "algorithm", "ciphertext", "associated_data", "nonce"}
        assert merchant.open(notice.body) == paid
        assert (paid["out_trade_no"], paid["attach"]) == (out_trade_no, "mine")

    async def test_sent_again_until_200_or_204(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        answers = iter([None, 500, 302, 201, 200])
        sink.answer = lambda notice: next(answers)
        sandbox.pay(merchant.create(sink.url)[1])
        received = await sink.wait(5)
        assert len({notice.event_id for notice in received}) == 1
        assert len({notice.body for notice in received}) == 5
        assert all(sandbox.vouches_for(notice.fields, notice.body) for notice in received)
        waits = [b.at - a.at for a, b in pairwise(received)]
        for wait_s, planned_s in zip(waits, (0.15, 0.15, 0.3, 1.8), strict=True):
            assert planned_s - 0.02 <= wait_s <= planned_s + 5.0
        assert len(await sink.quiet(0.3)) == 5

    async def test_given_up_after_the_sixteenth(self, merchant: Merchant, sandbox: Sandbox, tmp_path: Path, sink: Sink) -> None:
        quick = Sandbox(tmp_path, time_scale=0.00001)
        try:
            sink.answer = lambda notice: 500
            merchant = quick.register()
            quick.pay(merchant.create(sink.url)[1])
            await sink.wait(16)
            assert len(await sink.quiet(0.5)) == 16
            (notice,) = quick.books(merchant.mch_id)["notices"]
            assert (notice["state"], notice["attempts"], notice["last_answer"]) == ("given_up", 16, "500")
        finally:
            assert quick.stop() == 0

    async def test_a_refund_is_announced(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        out_trade_no, pay_url = merchant.create(sink.url)
        sandbox.pay(pay_url)
        merchant.refund(out_trade_no, out_trade_no, 900, notify_url=sink.url + "?refund")
        notices = await sink.wait(2)
        told = merchant.open(next(n for n in notices if n.event_type == "REFUND.SUCCESS").body)
        assert (told["out_refund_no"], told["status"], told["amount"]["refund"]) == (out_trade_no, "SUCCESS", 900)


class TestFaults:
    async def paid(self, merchant: Merchant, sandbox: Sandbox, sink: Sink, **switches: Any) -> tuple[str, dict[str, Any]]:
        out_trade_no, pay_url = merchant.create(sink.url)
        sandbox.faults(**switches, out_trade_no=out_trade_no)
        sandbox.pay(pay_url)
        return out_trade_no, sandbox.admin("GET", "faults")

    async def test_duplicate(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        await self.paid(merchant, sandbox, sink, duplicate=9)
        received = await sink.wait(10)
        assert len(await sink.quiet()) == 10
        assert len({notice.event_id for notice in received}) == 1

    async def test_delay(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        started = time.monotonic()
        await self.paid(merchant, sandbox, sink, delay_ms=700)
        (notice,) = await sink.wait(1)
        assert notice.at - started >= 0.7

    async def test_drop_everything(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        out_trade_no, _ = await self.paid(merchant, sandbox, sink, drop=1)
        assert await sink.quiet() == []
        assert merchant.query(out_trade_no)[1]["trade_state"] == "SUCCESS"
        assert sandbox.admin("GET", "faults")["counts"]["dropped"] >= 2
        sandbox.clear_faults()
        await sink.wait(1)

    async def test_wrong_amount(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        out_trade_no, _ = await self.paid(merchant, sandbox, sink, wrong_amount=-100)
        (notice,) = await sink.wait(1)
        assert sandbox.vouches_for(notice.fields, notice.body)
        assert merchant.open(notice.body)["amount"]["payer_total"] == 9800
        assert merchant.query(out_trade_no)[1]["amount"]["payer_total"] == 9900

    async def test_wrong_currency(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        out_trade_no, _ = await self.paid(merchant, sandbox, sink, wrong_currency="USD")
        (notice,) = await sink.wait(1)
        assert merchant.open(notice.body)["amount"] == {"total": 9900, "payer_total": 9900, "currency": "USD", "payer_currency": "USD"}
        assert merchant.query(out_trade_no)[1]["amount"]["currency"] == "CNY"

    async def test_signtest(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        sink.answer = lambda notice: 204 if sandbox.vouches_for(notice.fields, notice.body) else 401
        await self.paid(merchant, sandbox, sink, signtest=True)
        probe, true = await sink.wait(2)
        assert dict(probe.fields)["sandbox-signature"].startswith("SANDBOX/SIGNTEST/")
        assert sandbox.vouches_for(true.fields, true.body)
        counts = sandbox.admin("GET", "faults")["counts"]
        assert (counts["forged_sent"], counts["forged_accepted"]) == (1, 0)

    async def test_forged_and_accepted_is_counted(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        """The switchboard tells on a merchant who believes everything."""
        await self.paid(merchant, sandbox, sink, forged="wrong_key")
        forged, true = await sink.wait(2)
        assert not sandbox.vouches_for(forged.fields, forged.body)
        assert sandbox.vouches_for(true.fields, true.body)
        await sink.quiet(0.2)
        assert sandbox.admin("GET", "faults")["counts"]["forged_accepted"] == 1

    async def test_reorder(self, sandbox: Sandbox, tmp_path: Path, sink: Sink) -> None:
        slow = Sandbox(tmp_path, time_scale=0.2)
        try:
            merchant = slow.register()
            slow.faults(reorder=True, seed=7)
            made = [merchant.create(sink.url) for _ in range(12)]
            for _, pay_url in made:
                slow.pay(pay_url)
            received = [merchant.open(notice.body)["out_trade_no"] for notice in await sink.wait(12)]
            assert sorted(received) == sorted(number for number, _ in made)
            assert received != [number for number, _ in made]
        finally:
            slow.stop()

    def test_slow_answers_come_after_the_work(self, merchant: Merchant, sandbox: Sandbox) -> None:
        order = merchant.order()
        sandbox.faults(slow_ms=400, out_trade_no=order["out_trade_no"])
        started = time.monotonic()
        assert merchant.call("POST", CREATE, order)[0] == 200
        assert time.monotonic() - started >= 0.4

    def test_half_of_the_failures_did_the_work(self, merchant: Merchant, sandbox: Sandbox) -> None:
        sandbox.faults(http_5xx=1, seed=3)
        orders = [merchant.order() for _ in range(20)]
        assert {merchant.call("POST", CREATE, order)[0] for order in orders} == {500}
        sandbox.clear_faults()
        done = Counter(merchant.query(order["out_trade_no"])[0] for order in orders)
        assert 3 <= done[200] <= 17
        assert done[200] + done[404] == 20

    @pytest.mark.parametrize("wrong", [{"drop": 2}, {"forged": "nonsense"}, {"typo": 1}, {"duplicate": -1}, {"http_5xx": "often"}])
    def test_bad_switches(self, sandbox: Sandbox, wrong: dict[str, Any]) -> None:
        status, _, _ = sandbox.request(
            "POST", "/admin/faults", json.dumps(wrong).encode(), {"Authorization": f"Bearer {sandbox.admin_token}"}
        )
        assert status == 400
