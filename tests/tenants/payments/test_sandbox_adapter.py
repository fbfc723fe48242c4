"""The adapter against the real provider: payments, refunds, bills, notices, credentials."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tenants.http import Client
from tenants.payments.adapters import adapter
from tenants.payments.provider import (
    BadCredentials,
    ProviderRefused,
)
from tenants.payments.sandbox import SandboxCredentials, SandboxProvider
from tests.provider import Merchant, Sandbox, Sink
from tests.tenants.payments.accounts import account, attempt, envelope, provider_signed, settled


class TestPayment:
    async def test_open_then_paid(self, provider: SandboxProvider, sandbox: Sandbox) -> None:
        asked = attempt(return_url="http://shop.test/")
        created = await provider.create(asked)
        assert created.pay_url == f"{sandbox.url}/pay/{created.provider_ref}"
        found = await provider.query(asked.out_trade_no)
        assert (found.state, found.amount_minor, found.txn_id, found.paid_at) == ("open", 0, None, None)
        paid = sandbox.pay(created.pay_url)
        found = await provider.query(asked.out_trade_no)
        assert (found.state, found.amount_minor, found.currency, found.mch_id) == ("paid", 9900, "CNY", provider.mch_id)
        assert found.txn_id == paid["transaction_id"]
        assert found.paid_at is not None
        assert abs((datetime.now(UTC) - found.paid_at).total_seconds()) < 30

    async def test_created_again_it_is_the_same(self, provider: SandboxProvider, sandbox: Sandbox) -> None:
        asked = attempt()
        assert len({(await provider.create(asked)).provider_ref for _ in range(3)}) == 1
        with pytest.raises(ProviderRefused) as refused:
            await provider.create(msgspec.structs.replace(asked, amount_minor=1))
        assert refused.value.provider_code == "OUT_TRADE_NO_USED"

    async def test_created_by_twenty_at_once_it_is_one(self, provider: SandboxProvider, sandbox: Sandbox) -> None:
        asked = attempt()
        created = await asyncio.gather(*(provider.create(asked) for _ in range(20)))
        assert len({c.provider_ref for c in created}) == 1

    @pytest.mark.parametrize("amount", [1, 9899, 9901])
    async def test_the_amount_is_what_was_taken(self, provider: SandboxProvider, sandbox: Sandbox, amount: int) -> None:
        asked = attempt()
        sandbox.pay((await provider.create(asked)).pay_url, amount=amount)
        assert (await provider.query(asked.out_trade_no)).amount_minor == amount

    async def test_a_long_name_is_cut(self, provider: SandboxProvider, sandbox: Sandbox) -> None:
        assert (await provider.create(attempt(description="卡" * 500))).pay_url

    async def test_close(self, provider: SandboxProvider, sandbox: Sandbox) -> None:
        asked = attempt()
        assert await provider.close(asked.out_trade_no) == "not_found"
        assert (await provider.query(asked.out_trade_no)).state == "not_found"
        created = await provider.create(asked)
        assert [await provider.close(asked.out_trade_no) for _ in range(2)] == ["closed", "closed"]
        assert (await provider.query(asked.out_trade_no)).state == "closed"
        sandbox.pay(created.pay_url, late=True)
        assert await provider.close(asked.out_trade_no) == "paid"
        assert (await provider.query(asked.out_trade_no)).state == "paid"

    async def test_it_expires_by_itself(self, provider: SandboxProvider, sandbox: Sandbox) -> None:
        asked = attempt(expires_at=datetime.now(UTC) + timedelta(seconds=1.5))
        await provider.create(asked)
        async with asyncio.timeout(5):
            while (await provider.query(asked.out_trade_no)).state == "open":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await provider.query(asked.out_trade_no)).state == "closed"

    async def test_another_merchants_payment_is_not_there(
        self, provider: SandboxProvider, other_merchant: Merchant, client: Client, sandbox: Sandbox
    ) -> None:
        asked = attempt()
        await provider.create(asked)
        assert (await account(other_merchant, client).query(asked.out_trade_no)).state == "not_found"

    @pytest.mark.parametrize("number", ["../../../admin/books", "a/b", "x?mchid=1", "ä#ö", "%2e%2e"])
    async def test_a_number_never_changes_the_path(self, provider: SandboxProvider, sandbox: Sandbox, number: str) -> None:
        """It is one segment of the path, or there is no such path; never another route."""
        told: list[str] = []
        try:
            told.append((await provider.query(number)).state)
        except ProviderRefused as refused:
            told.append(refused.provider_code)
        assert told[0] in ("not_found", "NOT_FOUND")


class TestRefund:
    async def test_in_parts(self, provider: SandboxProvider, sandbox: Sandbox) -> None:
        asked = attempt()
        sandbox.pay((await provider.create(asked)).pay_url)
        whole: dict[str, Any] = {"out_trade_no": asked.out_trade_no, "total_minor": 9900, "currency": "CNY", "reason": "测" * 100}
        number = "ref_" + uuid4().hex
        first = await provider.refund(out_refund_no=number, amount_minor=900, **whole)
        again = await provider.refund(out_refund_no=number, amount_minor=900, **whole)
        assert first.refund_id == again.refund_id
        with pytest.raises(ProviderRefused, match="refused") as refused:
            await provider.refund(out_refund_no=number + "2", amount_minor=9001, **whole)
        assert refused.value.provider_code == "NOT_ENOUGH"
        done = await settled(provider, number)
        assert (done.state, done.amount_minor, done.out_trade_no) == ("succeeded", 900, asked.out_trade_no)
        assert done.done_at is not None
        assert (await provider.query(asked.out_trade_no)).state == "paid"

    async def test_a_refused_one_and_an_unknown_one(self, provider: SandboxProvider, sandbox: Sandbox) -> None:
        assert (await provider.query_refund("ref_none")).state == "not_found"
        asked = attempt()
        sandbox.pay((await provider.create(asked)).pay_url)
        sandbox.faults(refund_abnormal=1, out_trade_no=asked.out_trade_no)
        number = "ref_" + uuid4().hex
        await provider.refund(
            out_trade_no=asked.out_trade_no, out_refund_no=number, amount_minor=1, total_minor=9900, currency="CNY", reason=""
        )
        assert (await settled(provider, number)).state == "failed"


class TestBill:
    async def test_a_day(self, client: Client, sandbox: Sandbox) -> None:
        provider = account(sandbox.register("billed"), client)
        paid = [attempt() for _ in range(3)]
        for asked in paid:
            sandbox.pay((await provider.create(asked)).pay_url)
        await provider.refund(
            out_trade_no=paid[0].out_trade_no, out_refund_no="ref_1", amount_minor=5, total_minor=9900, currency="CNY", reason="x"
        )
        await settled(provider, "ref_1")
        lines = [line async for line in provider.bill(datetime.now(UTC).date())]
        assert [(line.kind, line.out_trade_no, line.amount_minor) for line in lines] == [
            *(("payment", asked.out_trade_no, 9900) for asked in paid),
            ("refund", paid[0].out_trade_no, 5),
        ]
        assert lines[-1].out_refund_no == "ref_1"
        assert [line async for line in provider.bill(datetime(2020, 1, 1, tzinfo=UTC).date())] == []


class TestNotice:
    async def test_paid_closed_and_refunded(self, provider: SandboxProvider, sandbox: Sandbox, sink: Sink) -> None:
        asked = attempt(sink.url)
        created = await provider.create(asked)
        await provider.close(asked.out_trade_no)
        sandbox.pay(created.pay_url, late=True)
        await sink.wait(2)
        for number in ("ok", "bad"):
            sandbox.faults(refund_abnormal=float(number == "bad"), out_trade_no=asked.out_trade_no)
            await provider.refund(
                out_trade_no=asked.out_trade_no, out_refund_no=asked.out_trade_no[:40] + number, amount_minor=5, total_minor=9900,
                currency="CNY", reason="x",
            )  # fmt: skip
            await settled(provider, asked.out_trade_no[:40] + number)
        notices = [provider.verify_notice(n.headers, n.body, datetime.now(UTC)) for n in await sink.wait(4)]
        told = {notice.kind: notice for notice in notices}
        assert set(told) == {"payment.closed", "payment.paid", "refund.succeeded", "refund.failed"}
        assert {notice.out_trade_no for notice in notices} == {asked.out_trade_no}
        assert {notice.mch_id for notice in notices} == {provider.mch_id}
        assert len({notice.event_id for notice in notices}) == 4
        paid = await provider.query(asked.out_trade_no)
        assert (told["payment.paid"].txn_id, told["payment.paid"].amount_minor, told["payment.paid"].currency) == (paid.txn_id, 9900, "CNY")
        assert told["payment.paid"].occurred_at == paid.paid_at
        assert (told["refund.succeeded"].amount_minor, told["refund.succeeded"].out_refund_no) == (5, asked.out_trade_no[:40] + "ok")

    async def test_an_event_without_use_for_us(self, provider: SandboxProvider, merchant: Merchant, sandbox: Sandbox) -> None:
        headers, body = provider_signed(sandbox, envelope(merchant, {"mchid": merchant.mch_id}, event_type="COUPON.USED"))
        assert provider.verify_notice(headers, body, datetime.now(UTC)).kind == "other"


class TestCredentials:
    def test_from_what_registering_gave(self, merchant: Merchant, client: Client) -> None:
        credentials = json.dumps(merchant.credentials).encode()
        assert adapter("sandbox", credentials, "http://x", client).mch_id == merchant.mch_id
        with pytest.raises(BadCredentials, match="nowhere"):
            adapter("nowhere", credentials, "http://x", client)

    def test_secrets_are_not_printed(self, merchant: Merchant) -> None:
        printed = repr(msgspec.convert(merchant.credentials, SandboxCredentials))
        assert merchant.mch_id in printed
        assert "PRIVATE" not in printed
        assert merchant.credentials["api_v3_key"] not in printed

    @pytest.mark.parametrize(
        "change",
        [
            {"private_key_pem": "nonsense"},
            {"private_key_pem": None},
            {"provider_public_key_pem": ""},
            {"provider_public_key_pem": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
            {"api_v3_key": "short"},
            {"mch_id": '1",serial_no="x'},
            {"mch_id": "1\r\nX: y"},
            {"mch_id": ""},
            {"serial_no": "ä"},
            {"extra": 1},
        ],
    )
    def test_that_cannot_be(self, merchant: Merchant, client: Client, change: dict[str, Any]) -> None:
        with pytest.raises(BadCredentials):
            adapter("sandbox", json.dumps(merchant.credentials | change).encode(), "http://x", client)

    def test_a_key_whose_numbers_do_not_fit(self, merchant: Merchant, client: Client) -> None:
        """Found when the credentials come in; when they come out of our store the 45 ms are saved."""
        numbers = merchant.key.private_numbers()
        spoiled = rsa.RSAPrivateNumbers(
            numbers.p, numbers.q, numbers.d + 2, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers
        ).private_key(unsafe_skip_rsa_key_validation=True)
        pem = spoiled.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        credentials = json.dumps(merchant.credentials | {"private_key_pem": pem.decode()}).encode()
        adapter("sandbox", credentials, "http://x", client)
        with pytest.raises(BadCredentials):
            adapter("sandbox", credentials, "http://x", client, check_keys=True)

    def test_weak_keys(self, merchant: Merchant, client: Client) -> None:
        weak = rsa.generate_private_key(65537, 1024)
        private = weak.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        public = weak.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        for change in ({"private_key_pem": private}, {"provider_public_key_pem": public}):
            with pytest.raises(BadCredentials, match="2048"):
                adapter("sandbox", json.dumps(merchant.credentials | change).encode(), "http://x", client)
