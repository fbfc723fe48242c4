"""The sandbox provider by its wire format alone: docs/sandbox-provider.md, read by somebody who has not seen its code."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.provider import Merchant, Received, Sandbox, Sink

CREATE = "/v3/pay/transactions"
REFUNDS = "/v3/refund/domestic/refunds"


def signed_by_provider(sandbox: Sandbox, headers: dict[str, str], body: bytes) -> bool:
    key = serialization.load_pem_public_key(sandbox.provider_public_key_pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    message = f"{headers['sandbox-timestamp']}\n{headers['sandbox-nonce']}\n".encode() + body + b"\n"
    try:
        key.verify(b64decode(headers["sandbox-signature"]), message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return headers["sandbox-serial"] == sandbox.provider_serial and abs(time.time() - int(headers["sandbox-timestamp"])) < 30


def text(notice: Received) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in notice.headers}


class TestAuthorization:
    def test_without_a_signature(self, sandbox: Sandbox, merchant: Merchant) -> None:
        status, _, body = sandbox.request("POST", CREATE, json.dumps(merchant.order()).encode())
        assert (status, json.loads(body)["code"]) == (401, "SIGN_ERROR")

    @pytest.mark.parametrize(
        "changes",
        [
            {"timestamp": str(int(time.time()) - 400)},
            {"timestamp": str(int(time.time()) + 4000)},
            {"timestamp": "soon"},
            {"serial_no": "A" * 40},
            {"mchid": "1900000000"},
            {"signature": b64encode(bytes(256)).decode()},
            {"signature": "!!"},
        ],
    )
    def test_wrong_fields(self, merchant: Merchant, sandbox: Sandbox, changes: dict[str, str]) -> None:
        status, answer = merchant.call("POST", CREATE, merchant.order(), **changes)
        assert (status, answer["code"]) == (401, "SIGN_ERROR")

    def test_a_signature_is_for_one_body_and_one_path(self, sandbox: Sandbox, merchant: Merchant) -> None:
        body = json.dumps(merchant.order()).encode()
        good = merchant.authorization("POST", CREATE, body)
        for method, target, sent in [("POST", CREATE, body + b" "), ("POST", CREATE + "?x=1", body), ("POST", REFUNDS, body)]:
            assert sandbox.request(method, target, sent, {"Authorization": good})[0] == 401

    def test_another_merchants_name(self, merchant: Merchant, other_merchant: Merchant, sandbox: Sandbox) -> None:
        status, answer = merchant.call("POST", CREATE, merchant.order(mchid=other_merchant.mch_id))
        assert (status, answer["code"]) == (400, "PARAM_ERROR")

    def test_another_merchants_order_does_not_exist(self, merchant: Merchant, other_merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, _ = other_merchant.create()
        assert merchant.query(out_trade_no)[0] == 404

    def test_every_answer_is_signed_refusals_too(self, sandbox: Sandbox, merchant: Merchant) -> None:
        for target, expected in [(f"/v3/pay/transactions/out-trade-no/missing?mchid={merchant.mch_id}", 404), ("/v3/nothing", 404)]:
            status, headers, body = sandbox.request("GET", target, headers={"Authorization": merchant.authorization("GET", target, b"")})
            assert status == expected
            assert signed_by_provider(sandbox, {name.lower(): value for name, value in headers}, body)


class TestAdmin:
    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "books"), ("POST", "merchants"), ("GET", "faults"), ("POST", "faults"), ("POST", "pay/x")]
    )
    def test_needs_the_token(self, sandbox: Sandbox, method: str, path: str) -> None:
        for token in ("", "Bearer x", sandbox.admin_token):
            wanted = 401 if token != sandbox.admin_token else 200
            status, _, _ = sandbox.request(method, f"/admin/{path}", headers={"Authorization": token})
            assert status == wanted or token == sandbox.admin_token

    def test_keys_are_readable_by_the_owner_only(self, sandbox: Sandbox) -> None:
        for name in ("provider-key.pem", "admin-token", "provider-serial"):
            assert (sandbox.folder / name).stat().st_mode & 0o077 == 0


class TestCreate:
    def test_a_new_order_waits_for_its_payer(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        assert pay_url.startswith(sandbox.url + "/pay/")
        status, found = merchant.query(out_trade_no)
        assert (status, found["trade_state"], found["amount"]) == (200, "NOTPAY", {"total": 9900, "currency": "CNY"})
        assert "transaction_id" not in found

    def test_the_same_again_is_the_same_order(self, merchant: Merchant, sandbox: Sandbox) -> None:
        order = merchant.order()
        first, again = (merchant.call("POST", CREATE, order) for _ in range(2))
        assert first == again

    def test_the_same_again_after_it_was_paid(self, merchant: Merchant, sandbox: Sandbox) -> None:
        order = merchant.order()
        first = merchant.call("POST", CREATE, order)
        sandbox.pay(first[1]["pay_url"])
        assert merchant.call("POST", CREATE, order) == first

    @pytest.mark.parametrize("change", [{"description": "other"}, {"amount": {"total": 1, "currency": "CNY"}}, {"notify_url": "http://x/"}])
    def test_the_same_number_for_another_order(self, merchant: Merchant, sandbox: Sandbox, change: dict[str, Any]) -> None:
        order = merchant.order()
        merchant.call("POST", CREATE, order)
        status, answer = merchant.call("POST", CREATE, order | change)
        assert (status, answer["code"]) == (403, "OUT_TRADE_NO_USED")

    def test_two_merchants_may_use_one_number(self, merchant: Merchant, other_merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        assert other_merchant.create(out_trade_no=out_trade_no)[1] != pay_url

    @pytest.mark.parametrize(
        "change",
        [
            {"amount": {"total": 0, "currency": "CNY"}},
            {"amount": {"total": "100", "currency": "CNY"}},
            {"amount": {"total": 1.0, "currency": "CNY"}},
            {"amount": {"total": 100, "currency": "yuan"}},
            {"out_trade_no": "no spaces"},
            {"out_trade_no": "x"},
            {"description": ""},
            {"notify_url": "javascript:alert(1)"},
            {"return_url": "javascript:alert(1)"},
            {"time_expire": "tomorrow"},
            {"time_expire": "2020-01-01T00:00:00Z"},
            {"unknown": 1},
        ],
    )
    def test_bad_orders(self, merchant: Merchant, sandbox: Sandbox, change: dict[str, Any]) -> None:
        status, answer = merchant.call("POST", CREATE, merchant.order() | change)
        assert (status, answer["code"]) == (400, "PARAM_ERROR")

    def test_a_body_of_100_kib(self, merchant: Merchant, sandbox: Sandbox) -> None:
        assert merchant.call("POST", CREATE, merchant.order(attach="x" * 100_000))[0] == 413


class TestPay:
    def test_the_money_is_taken_once(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        first, again = sandbox.pay(pay_url), sandbox.pay(pay_url, amount=1)
        assert first == again
        assert first["trade_state"] == "SUCCESS"
        assert first["amount"]["payer_total"] == 9900
        books = sandbox.books(merchant.mch_id)
        assert [p["amount"] for p in books["payments"] if p["out_trade_no"] == out_trade_no] == [9900]
        assert [j["amount"] for j in books["journal"] if j["reference"] == first["transaction_id"]] == [9900]

    @pytest.mark.parametrize("amount", [1, 9899, 9901, 990000])
    def test_less_or_more_than_asked(self, merchant: Merchant, sandbox: Sandbox, amount: int) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url, amount=amount)
        assert merchant.query(out_trade_no)[1]["amount"] == {
            "total": 9900, "currency": "CNY", "payer_total": amount, "payer_currency": "CNY",
        }  # fmt: skip

    def test_twenty_at_once_take_it_once(self, merchant: Merchant, sandbox: Sandbox) -> None:
        from concurrent.futures import ThreadPoolExecutor

        out_trade_no, pay_url = merchant.create()
        with ThreadPoolExecutor(20) as pool:
            ids = {answer["transaction_id"] for answer in pool.map(lambda _: sandbox.pay(pay_url), range(20))}
        assert len(ids) == 1
        assert sum(p["out_trade_no"] == out_trade_no for p in sandbox.books(merchant.mch_id)["payments"]) == 1

    def test_the_journal_cannot_be_changed(self, sandbox: Sandbox, merchant: Merchant) -> None:
        sandbox.pay(merchant.create()[1])
        db = sqlite3.connect(sandbox.folder / "books.sqlite3")
        for statement in ("DELETE FROM journal", "UPDATE journal SET amount = amount + 1"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(statement)
        db.close()


class TestCloseAndExpire:
    def close(self, merchant: Merchant, out_trade_no: str) -> tuple[int, Any]:
        return merchant.call("POST", f"{CREATE}/out-trade-no/{out_trade_no}/close", {"mchid": merchant.mch_id})

    def test_a_closed_order_takes_no_money(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        assert self.close(merchant, out_trade_no) == (204, None)
        assert self.close(merchant, out_trade_no) == (204, None)
        with pytest.raises(AssertionError, match="ORDER_CLOSED"):
            sandbox.pay(pay_url)
        assert merchant.query(out_trade_no)[1]["trade_state"] == "CLOSED"

    def test_late_money(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        self.close(merchant, out_trade_no)
        assert sandbox.pay(pay_url, late=True)["trade_state"] == "SUCCESS"
        assert [p["late"] for p in sandbox.books(merchant.mch_id)["payments"] if p["out_trade_no"] == out_trade_no] == [1]

    def test_a_paid_order_cannot_be_closed(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url)
        status, answer = self.close(merchant, out_trade_no)
        assert (status, answer["code"]) == (400, "ORDERPAID")

    def test_an_unknown_order(self, merchant: Merchant, sandbox: Sandbox) -> None:
        assert self.close(merchant, "nothing-here")[1]["code"] == "ORDER_NOT_EXIST"

    async def test_an_order_closes_itself_when_its_time_comes(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        out_trade_no, pay_url = merchant.create(sink.url, seconds=0.6)
        (notice,) = await sink.wait(1)
        assert notice.event_type == "TRANSACTION.CLOSED"
        assert merchant.query(out_trade_no)[1]["trade_state"] == "CLOSED"
        with pytest.raises(AssertionError, match="ORDER_CLOSED"):
            sandbox.pay(pay_url)

    def test_pay_and_close_at_once_end_one_way(self, merchant: Merchant, sandbox: Sandbox) -> None:
        from concurrent.futures import ThreadPoolExecutor

        def either(i: int, pay_url: str, out_trade_no: str) -> int:
            if i % 2:
                return self.close(merchant, out_trade_no)[0]
            status, _, _ = sandbox.request(
                "POST", "/admin/pay/" + pay_url.rsplit("/", 1)[1], b"{}", {"Authorization": f"Bearer {sandbox.admin_token}"}
            )
            return status

        with ThreadPoolExecutor(2) as pool:
            for round_ in range(40):
                out_trade_no, pay_url = merchant.create()
                first = pool.submit(either, round_, pay_url, out_trade_no)
                second = pool.submit(either, round_ + 1, pay_url, out_trade_no)
                assert sorted((first.result(), second.result())) in ([200, 400], [204, 409])


class TestRefund:
    def refund(self, merchant: Merchant, out_trade_no: str, number: str, refund: int, **more: Any) -> tuple[int, Any]:
        amount = {"refund": refund, "total": 9900, "currency": "CNY"}
        return merchant.call("POST", REFUNDS, {"out_trade_no": out_trade_no, "out_refund_no": number, "amount": amount} | more)

    def settled(self, merchant: Merchant, number: str) -> dict[str, Any]:
        for _ in range(100):
            _, answer = merchant.call("GET", f"{REFUNDS}/{number}")
            if answer["status"] != "PROCESSING":
                return answer  # type: ignore[no-any-return]
            time.sleep(0.02)
        raise AssertionError("the refund was not settled")

    def test_in_parts_up_to_the_payment(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url)
        assert self.refund(merchant, out_trade_no, out_trade_no + "-1", 4000)[1]["status"] == "PROCESSING"
        assert self.refund(merchant, out_trade_no, out_trade_no + "-2", 5900)[0] == 200
        status, answer = self.refund(merchant, out_trade_no, out_trade_no + "-3", 1)
        assert (status, answer["code"]) == (403, "NOT_ENOUGH")
        assert self.settled(merchant, out_trade_no + "-1")["status"] == "SUCCESS"
        self.settled(merchant, out_trade_no + "-2")
        assert merchant.query(out_trade_no)[1]["trade_state"] == "REFUND"
        books = sandbox.books(merchant.mch_id)
        refunds = {r["refund_id"] for r in books["refunds"] if r["out_trade_no"] == out_trade_no}
        assert sum(j["amount"] for j in books["journal"] if j["reference"] in refunds) == -9900

    def test_the_same_again_is_the_same_refund(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url)
        ids = {self.refund(merchant, out_trade_no, out_trade_no, 9900)[1]["refund_id"] for _ in range(3)}
        assert len(ids) == 1
        status, answer = self.refund(merchant, out_trade_no, out_trade_no, 100)
        assert (status, answer["code"]) == (400, "INVALID_REQUEST")

    def test_what_was_not_paid(self, merchant: Merchant, other_merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        assert self.refund(merchant, out_trade_no, "x1", 1)[1]["code"] == "TRADE_STATE_ERROR"
        transaction_id = sandbox.pay(pay_url)["transaction_id"]
        assert self.refund(other_merchant, out_trade_no, "x1", 1)[0] == 404
        ask = {"transaction_id": transaction_id, "out_refund_no": "x1", "amount": {"refund": 1, "total": 9900, "currency": "CNY"}}
        assert other_merchant.call("POST", REFUNDS, ask)[0] == 404
        assert merchant.call("POST", REFUNDS, ask | {"out_refund_no": out_trade_no})[0] == 200
        assert merchant.call("GET", f"{REFUNDS}/nothing")[1]["code"] == "RESOURCE_NOT_EXISTS"

    def test_a_bank_that_refuses(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url)
        sandbox.faults(refund_abnormal=1, out_trade_no=out_trade_no)
        self.refund(merchant, out_trade_no, out_trade_no, 9900)
        assert self.settled(merchant, out_trade_no)["status"] == "ABNORMAL"
        sandbox.clear_faults()
        assert self.refund(merchant, out_trade_no, out_trade_no + "-again", 9900)[0] == 200


class TestBill:
    def test_a_day(self, sandbox: Sandbox) -> None:
        merchant = sandbox.register("billed")
        numbers = [merchant.create() for _ in range(3)]
        for _, pay_url in numbers[:2]:
            sandbox.pay(pay_url)
        TestRefund().refund(merchant, numbers[0][0], "back", 900)
        TestRefund().settled(merchant, "back")
        target = f"/v3/bill?date={datetime.now(UTC).date()}"
        status, headers, body = sandbox.request("GET", target, headers={"Authorization": merchant.authorization("GET", target, b"")})
        lines = [json.loads(line) for line in body.splitlines()]
        assert (status, [line["kind"] for line in lines]) == (200, ["payment", "payment", "refund", "total"])
        assert lines[-1]["net"] == {"CNY": 2 * 9900 - 900}
        assert signed_by_provider(sandbox, {name.lower(): value for name, value in headers}, body)

    def test_a_day_without_anything_and_no_day(self, merchant: Merchant, sandbox: Sandbox) -> None:
        assert merchant.call("GET", "/v3/bill?date=2020-02-02")[1]["payments"] == 0
        assert merchant.call("GET", "/v3/bill?date=2020-02-31")[0] == 400


class TestPayPage:
    def page(self, sandbox: Sandbox, method: str, pay_url: str, language: str = "") -> tuple[int, dict[str, str], str]:
        headers = {"Accept-Language": language} if language else {}
        status, answered, body = sandbox.request(method, pay_url.removeprefix(sandbox.url), headers=headers)
        return status, dict(answered), body.decode()

    def test_a_payer_without_scripts(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create(description="<b>卡</b> & Co", return_url="http://shop.test/orders/1?a=1&b=2")
        status, headers, page = self.page(sandbox, "GET", pay_url)
        assert (status, headers["content-language"]) == (200, "zh-CN")
        assert all(words in page for words in ("¥99.00", "&lt;b&gt;卡&lt;/b&gt; &amp; Co", out_trade_no, "确认支付", 'name="viewport"'))
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "<script" not in page
        assert " style=" not in page
        status, headers, _ = self.page(sandbox, "POST", pay_url)
        assert (status, headers["location"]) == (303, pay_url.removeprefix(sandbox.url))
        _, _, page = self.page(sandbox, "GET", pay_url)
        assert "支付成功" in page
        assert 'href="http://shop.test/orders/1?a=1&amp;b=2"' in page
        assert "<form" not in page
        assert merchant.query(out_trade_no)[1]["trade_state"] == "SUCCESS"

    @pytest.mark.parametrize(
        ("language", "words"), [("en-GB,en;q=0.9", "Pay ¥99.00"), ("zh-TW,zh;q=0.9", "确认支付"), ("fr,en;q=0.5", "Pay ¥"), ("fr", "确认")]
    )
    def test_language(self, merchant: Merchant, sandbox: Sandbox, language: str, words: str) -> None:
        assert words in self.page(sandbox, "GET", merchant.create()[1], language)[2]

    def test_language_is_kept_when_chosen(self, merchant: Merchant, sandbox: Sandbox) -> None:
        pay_url = merchant.create()[1] + "?lang=en"
        assert self.page(sandbox, "POST", pay_url)[1]["location"].endswith("?lang=en")
        assert "Paid" in self.page(sandbox, "GET", pay_url)[2]

    def test_a_closed_order_shows_no_button_and_takes_nothing(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        TestCloseAndExpire().close(merchant, out_trade_no)
        assert self.page(sandbox, "POST", pay_url)[0] == 303
        page = self.page(sandbox, "GET", pay_url)[2]
        assert "订单已关闭" in page
        assert "<form" not in page
        assert merchant.query(out_trade_no)[1]["trade_state"] == "CLOSED"

    def test_an_unknown_page_and_the_style(self, sandbox: Sandbox) -> None:
        assert self.page(sandbox, "GET", sandbox.url + "/pay/sp0")[0] == 404
        assert self.page(sandbox, "GET", sandbox.url + "/pay.css")[1]["content-type"].startswith("text/css")


class TestWebhooks:
    async def test_a_notice_is_signed_and_sealed(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        out_trade_no, pay_url = merchant.create(sink.url, attach="mine")
        paid = sandbox.pay(pay_url)
        (notice,) = await sink.quiet()
        assert signed_by_provider(sandbox, text(notice), notice.body)
        envelope = json.loads(notice.body)
        assert (envelope["event_type"], envelope["resource_type"]) == ("TRANSACTION.SUCCESS", "encrypt-resource")
        assert set(envelope["resource"]) == {"original_type", "algorithm", "ciphertext", "associated_data", "nonce"}
        assert merchant.open(notice.body) == paid
        assert (paid["out_trade_no"], paid["attach"]) == (out_trade_no, "mine")

    async def test_sent_again_until_200_or_204(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        answers = iter([None, 500, 302, 201, 404, 200])
        sink.answer = lambda notice: next(answers)
        sandbox.pay(merchant.create(sink.url)[1])
        received = await sink.wait(6, 30)
        assert len({notice.event_id for notice in received}) == 1
        assert len({notice.body for notice in received}) == 6
        assert all(signed_by_provider(sandbox, text(notice), notice.body) for notice in received)
        waits = [b.at - a.at for a, b in pairwise(received)]
        for wait_s, planned_s in zip(waits, (0.15, 0.15, 0.3, 1.8, 6.0), strict=True):
            assert planned_s - 0.02 <= wait_s <= planned_s + 1.0
        assert len(await sink.quiet(0.3)) == 6

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
        TestRefund().refund(merchant, out_trade_no, out_trade_no, 900, notify_url=sink.url + "?refund")
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
        assert signed_by_provider(sandbox, text(notice), notice.body)
        assert merchant.open(notice.body)["amount"]["payer_total"] == 9800
        assert merchant.query(out_trade_no)[1]["amount"]["payer_total"] == 9900

    async def test_signtest(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        sink.answer = lambda notice: 204 if signed_by_provider_quietly(sandbox, notice) else 401
        await self.paid(merchant, sandbox, sink, signtest=True)
        probe, true = await sink.wait(2)
        assert text(probe)["sandbox-signature"].startswith("SANDBOX/SIGNTEST/")
        assert signed_by_provider(sandbox, text(true), true.body)
        counts = sandbox.admin("GET", "faults")["counts"]
        assert (counts["forged_sent"], counts["forged_accepted"]) == (1, 0)

    async def test_forged_and_accepted_is_counted(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        """The switchboard tells on a merchant who believes everything."""
        await self.paid(merchant, sandbox, sink, forged="wrong_key")
        forged, true = await sink.wait(2)
        assert not signed_by_provider(sandbox, text(forged), forged.body)
        assert signed_by_provider(sandbox, text(true), true.body)
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


def signed_by_provider_quietly(sandbox: Sandbox, notice: Received) -> bool:
    try:
        return signed_by_provider(sandbox, text(notice), notice.body)
    except ValueError:
        return False


class TestProcess:
    def test_killed_in_the_middle_it_goes_on_with_the_same_books_and_keys(self, tmp_path: Path) -> None:
        first = Sandbox(tmp_path)
        merchant = first.register()
        out_trade_no, pay_url = merchant.create()
        paid = first.pay(pay_url)
        first.process.kill()
        first.process.wait(10)
        second = Sandbox(tmp_path)
        try:
            assert (second.provider_serial, second.admin_token) == (first.provider_serial, first.admin_token)
            merchant.sandbox = second
            assert merchant.query(out_trade_no)[1]["transaction_id"] == paid["transaction_id"]
        finally:
            first.process.stdout.close()  # type: ignore[union-attr]
            assert second.stop() == 0

    async def test_killed_before_the_webhook_it_sends_it_afterwards(self, tmp_path: Path, sink: Sink) -> None:
        first = Sandbox(tmp_path)
        merchant = first.register()
        first.faults(delay_ms=60_000)
        first.pay(merchant.create(sink.url)[1])
        first.process.kill()
        first.process.wait(10)
        second = Sandbox(tmp_path)
        try:
            (notice,) = await sink.wait(1)
            assert notice.event_type == "TRANSACTION.SUCCESS"
        finally:
            first.process.stdout.close()  # type: ignore[union-attr]
            assert second.stop() == 0

    @pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
    def test_it_dies_with_its_parent(self, tmp_path: Path) -> None:
        script = (
            "import subprocess, sys, time\n"
            f"p = subprocess.Popen([sys.executable, '-m', 'loadtests.counterparts.sandbox', '--folder', {str(tmp_path)!r}, '--print-json'],"
            " stdout=subprocess.PIPE)\n"
            "print(p.pid, p.stdout.readline()[:1], flush=True)\n"
            "time.sleep(60)\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert parent.stdout
        pid = int(parent.stdout.readline().split()[0])
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        parent.stdout.close()
        ended_by = time.monotonic() + 10
        while alive(pid) and time.monotonic() < ended_by:
            time.sleep(0.02)
        assert not alive(pid)

    def test_it_imports_nothing_of_ours(self) -> None:
        ours = ("tenants", "checkout_core", "api", "workers", "tessera")
        script = f"import sys, loadtests.counterparts.sandbox.__main__\nprint([m for m in sys.modules if m.split('.')[0] in {ours!r}])"
        assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
