"""The sandbox provider by its wire format alone: docs/sandbox-provider.md, read by somebody who has not seen its code."""

import json
import sqlite3
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.provider import CREATE, REFUNDS, Merchant, Sandbox, Sink


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
            assert sandbox.vouches_for(headers, body)


class TestAdmin:
    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "books"), ("POST", "merchants"), ("GET", "faults"), ("POST", "faults"), ("POST", "pay/x")]
    )
    def test_needs_the_token(self, sandbox: Sandbox, method: str, path: str) -> None:
        for token in ("", "Bearer x", "Bearer ", sandbox.admin_token, f"bearer {sandbox.admin_token}"):
            assert sandbox.request(method, f"/admin/{path}", headers={"Authorization": token})[0] == 401

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
    def test_a_closed_order_takes_no_money(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        assert merchant.close(out_trade_no) == (204, None)
        assert merchant.close(out_trade_no) == (204, None)
        with pytest.raises(AssertionError, match="ORDER_CLOSED"):
            sandbox.pay(pay_url)
        assert merchant.query(out_trade_no)[1]["trade_state"] == "CLOSED"

    def test_late_money(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        merchant.close(out_trade_no)
        assert sandbox.pay(pay_url, late=True)["trade_state"] == "SUCCESS"
        assert [p["late"] for p in sandbox.books(merchant.mch_id)["payments"] if p["out_trade_no"] == out_trade_no] == [1]

    def test_a_paid_order_cannot_be_closed(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url)
        status, answer = merchant.close(out_trade_no)
        assert (status, answer["code"]) == (400, "ORDERPAID")

    def test_an_unknown_order(self, merchant: Merchant, sandbox: Sandbox) -> None:
        assert merchant.close("nothing-here")[1]["code"] == "ORDER_NOT_EXIST"

    async def test_an_order_closes_itself_when_its_time_comes(self, merchant: Merchant, sandbox: Sandbox, sink: Sink) -> None:
        out_trade_no, pay_url = merchant.create(sink.url, seconds=1.5)
        (notice,) = await sink.wait(1)
        assert notice.event_type == "TRANSACTION.CLOSED"
        assert merchant.query(out_trade_no)[1]["trade_state"] == "CLOSED"
        with pytest.raises(AssertionError, match="ORDER_CLOSED"):
            sandbox.pay(pay_url)

    def test_pay_and_close_at_once_end_one_way(self, merchant: Merchant, sandbox: Sandbox) -> None:
        def either(i: int, pay_url: str, out_trade_no: str) -> int:
            if i % 2:
                return merchant.close(out_trade_no)[0]
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
    def test_in_parts_up_to_the_payment(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url)
        assert merchant.refund(out_trade_no, out_trade_no + "-1", 4000)[1]["status"] == "PROCESSING"
        assert merchant.refund(out_trade_no, out_trade_no + "-2", 5900)[0] == 200
        status, answer = merchant.refund(out_trade_no, out_trade_no + "-3", 1)
        assert (status, answer["code"]) == (403, "NOT_ENOUGH")
        assert merchant.settled(out_trade_no + "-1")["status"] == "SUCCESS"
        merchant.settled(out_trade_no + "-2")
        assert merchant.query(out_trade_no)[1]["trade_state"] == "REFUND"
        books = sandbox.books(merchant.mch_id)
        refunds = {r["refund_id"] for r in books["refunds"] if r["out_trade_no"] == out_trade_no}
        assert sum(j["amount"] for j in books["journal"] if j["reference"] in refunds) == -9900

    def test_the_same_again_is_the_same_refund(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url)
        ids = {merchant.refund(out_trade_no, out_trade_no, 9900)[1]["refund_id"] for _ in range(3)}
        assert len(ids) == 1
        status, answer = merchant.refund(out_trade_no, out_trade_no, 100)
        assert (status, answer["code"]) == (400, "INVALID_REQUEST")

    def test_what_was_not_paid(self, merchant: Merchant, other_merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        assert merchant.refund(out_trade_no, "x1", 1)[1]["code"] == "TRADE_STATE_ERROR"
        transaction_id = sandbox.pay(pay_url)["transaction_id"]
        assert other_merchant.refund(out_trade_no, "x1", 1)[0] == 404
        ask = {"transaction_id": transaction_id, "out_refund_no": "x1", "amount": {"refund": 1, "total": 9900, "currency": "CNY"}}
        assert other_merchant.call("POST", REFUNDS, ask)[0] == 404
        assert merchant.call("POST", REFUNDS, ask | {"out_refund_no": out_trade_no})[0] == 200
        assert merchant.call("GET", f"{REFUNDS}/nothing")[1]["code"] == "RESOURCE_NOT_EXISTS"

    def test_a_bank_that_refuses(self, merchant: Merchant, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url)
        sandbox.faults(refund_abnormal=1, out_trade_no=out_trade_no)
        merchant.refund(out_trade_no, out_trade_no, 9900)
        assert merchant.settled(out_trade_no)["status"] == "ABNORMAL"
        sandbox.clear_faults()
        assert merchant.refund(out_trade_no, out_trade_no + "-again", 9900)[0] == 200


class TestBill:
    def test_a_day(self, sandbox: Sandbox) -> None:
        merchant = sandbox.register("billed")
        numbers = [merchant.create() for _ in range(3)]
        for _, pay_url in numbers[:2]:
            sandbox.pay(pay_url)
        merchant.refund(numbers[0][0], "back", 900)
        merchant.settled("back")
        target = f"/v3/bill?date={datetime.now(UTC).date()}"
        status, headers, body = sandbox.request("GET", target, headers={"Authorization": merchant.authorization("GET", target, b"")})
        lines = [json.loads(line) for line in body.splitlines()]
        assert (status, [line["kind"] for line in lines]) == (200, ["payment", "payment", "refund", "total"])
        assert lines[-1]["net"] == {"CNY": 2 * 9900 - 900}
        assert sandbox.vouches_for(headers, body)

    def test_a_day_without_anything_and_no_day(self, merchant: Merchant, sandbox: Sandbox) -> None:
        assert merchant.call("GET", "/v3/bill?date=2020-02-02")[1]["payments"] == 0
        assert merchant.call("GET", "/v3/bill?date=2020-02-31")[0] == 400
