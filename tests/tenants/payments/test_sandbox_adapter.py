"""The adapter against the real provider, against servers that misbehave, and against notices that must not be believed."""

import asyncio
import contextlib
import json
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from loadtests.counterparts.sandbox.forgery import VARIANTS
from tenants.payments import outbound, sandbox_wire
from tenants.payments.adapters import adapter
from tenants.payments.breaker import FAILURES_MAX, PROBE_S, REST_MAX_S, REST_S, Breaker
from tenants.payments.provider import (
    BadCredentials,
    BillLine,
    ForgedNotice,
    PaymentAttempt,
    ProviderRefund,
    ProviderRefused,
    ProviderUnavailable,
)
from tenants.payments.sandbox import SandboxCredentials, SandboxProvider
from tests.provider import Merchant, Received, Sandbox, Sink

Headers = list[tuple[bytes, bytes]]


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with outbound.open_client() as client:
        yield client


def account(merchant: Merchant, client: httpx.AsyncClient, url: str = "", **more: Any) -> SandboxProvider:
    credentials = msgspec.convert(merchant.credentials, SandboxCredentials)
    return SandboxProvider(credentials, url or merchant.sandbox.url, client, **more)


@pytest.fixture
def provider(merchant: Merchant, client: httpx.AsyncClient) -> SandboxProvider:
    return account(merchant, client)


def attempt(notify_url: str = "http://127.0.0.1:9/", **changes: Any) -> PaymentAttempt:
    fields: dict[str, Any] = {
        "out_trade_no": "att_" + uuid4().hex,
        "description": "Steam 充值卡 100",
        "amount_minor": 9900,
        "currency": "CNY",
        "expires_at": datetime.now(UTC) + timedelta(minutes=10),
        "notify_url": notify_url,
    }
    return PaymentAttempt(**(fields | changes))


async def settled(provider: SandboxProvider, out_refund_no: str) -> ProviderRefund:
    async with asyncio.timeout(5):
        while (refund := await provider.query_refund(out_refund_no)).state == "processing":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return refund


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
        await provider.create(attempt(description="卡" * 500))

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
        asked = attempt(expires_at=datetime.now(UTC) + timedelta(seconds=0.5))
        await provider.create(asked)
        async with asyncio.timeout(5):
            while (await provider.query(asked.out_trade_no)).state == "open":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await provider.query(asked.out_trade_no)).state == "closed"

    async def test_another_merchants_payment_is_not_there(
        self, provider: SandboxProvider, other_merchant: Merchant, client: httpx.AsyncClient, sandbox: Sandbox
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
    async def test_a_day(self, client: httpx.AsyncClient, sandbox: Sandbox) -> None:
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


# What somebody may do to a true notice without the provider's key. Each takes the headers and the body and gives others.


def drop(name: bytes) -> Callable[[Headers, bytes], tuple[Headers, bytes]]:
    return lambda headers, body: ([h for h in headers if h[0] != name], body)


def put(name: bytes, value: bytes | Callable[[bytes], bytes]) -> Callable[[Headers, bytes], tuple[Headers, bytes]]:
    def change(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
        return [(n, (value(v) if callable(value) else value) if n == name else v) for n, v in headers], body

    return change


def add(name: bytes, value: bytes | None = None, *, first: bool = False) -> Callable[[Headers, bytes], tuple[Headers, bytes]]:
    def change(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
        more = [(name, dict(headers)[name] if value is None else value)]
        return (more + headers if first else headers + more), body

    return change


def edit(change: Callable[[dict[str, Any]], None]) -> Callable[[Headers, bytes], tuple[Headers, bytes]]:
    def apply(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
        value = json.loads(body)
        change(value)
        return headers, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    return apply


def resign(key_of: Callable[[], Any], digest: Any) -> Callable[[Headers, bytes], tuple[Headers, bytes]]:
    def change(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
        fields = dict(headers)
        message = fields[b"sandbox-timestamp"] + b"\n" + fields[b"sandbox-nonce"] + b"\n" + body + b"\n"
        signature = b64encode(key_of().sign(message, padding.PKCS1v15(), digest))
        return put(b"sandbox-signature", signature)(headers, body)

    return change


def flip(value: bytes) -> bytes:
    raw = bytearray(b64decode(value))
    raw[0] ^= 1
    return b64encode(raw)


TIMESTAMP, NONCE, SERIAL, SIGNATURE = b"sandbox-timestamp", b"sandbox-nonce", b"sandbox-serial", b"sandbox-signature"
SHIFTED = {"301 s old": 301, "301 s early": -301, "a day old": 86_400, "a day early": -86_400, "27 hours old": 97_200}
MUTATIONS: dict[str, Callable[[Headers, bytes], tuple[Headers, bytes]]] = {
    "no signature": drop(SIGNATURE),
    "no serial": drop(SERIAL),
    "no timestamp": drop(TIMESTAMP),
    "no nonce": drop(NONCE),
    "no headers": lambda headers, body: ([], body),
    "empty signature": put(SIGNATURE, b""),
    "zero signature": put(SIGNATURE, b64encode(bytes(256))),
    "one bit of the signature": put(SIGNATURE, flip),
    "short signature": put(SIGNATURE, lambda v: b64encode(b64decode(v)[:-1])),
    "signature with a space": put(SIGNATURE, lambda v: v[:9] + b" " + v[9:]),
    "signature in url-safe base64": put(SIGNATURE, lambda v: v.replace(b"=", b"") + b"_-"),
    "signature not ASCII": put(SIGNATURE, "签名".encode()),
    "SIGNTEST": put(SIGNATURE, b"SANDBOX/SIGNTEST/" + b64encode(bytes(239))),
    "a stranger's key": resign(lambda: rsa.generate_private_key(65537, 2048), hashes.SHA256()),
    "other body": edit(lambda v: v.update(id="EV-" + uuid4().hex)),
    "event changed": edit(lambda v: v.update(event_type="TRANSACTION.CLOSED")),
    "re-serialised with spaces": lambda headers, body: (headers, json.dumps(json.loads(body)).encode()),
    "re-serialised with sorted keys": lambda headers, body: (headers, json.dumps(json.loads(body), sort_keys=True).encode()),
    "newline after the body": lambda headers, body: (headers, body + b"\n"),
    "byte order mark": lambda headers, body: (headers, b"\xef\xbb\xbf" + body),
    "empty body": lambda headers, body: (headers, b""),
    "cut body": lambda headers, body: (headers, body[:-1]),
    "huge body": lambda headers, body: (headers, body + b" " * 70_000),
    "other ciphertext": edit(lambda v: v["resource"].update(ciphertext=b64encode(bytes(80)).decode())),
    "timestamp moved to now + 1": put(TIMESTAMP, lambda v: str(int(v) + 1).encode()),
    "timestamp with a sign": put(TIMESTAMP, lambda v: b"+" + v),
    "timestamp with a point": put(TIMESTAMP, lambda v: v + b".0"),
    "timestamp in milliseconds": put(TIMESTAMP, lambda v: v + b"000"),
    "timestamp in other digits": put(TIMESTAMP, "１７６３８２７２００".encode()),
    "timestamp not a number": put(TIMESTAMP, b"nan"),
    "other nonce": put(NONCE, b"0" * 32),
    "empty nonce": put(NONCE, b""),
    "newline in the nonce": put(NONCE, b"a\nb"),
    "unknown serial": put(SERIAL, b"A" * 40),
    "empty serial": put(SERIAL, b""),
    "serial in small letters": put(SERIAL, lambda v: v.lower() + b"x"),
    "signature twice": add(SIGNATURE),
    "signature twice, a false one first": add(SIGNATURE, b"AAAA", first=True),
    "serial twice": add(SERIAL),
    "nonce twice": add(NONCE),
    "timestamp twice": add(TIMESTAMP, str(int(time.time())).encode()),
    "timestamp twice, other capitals": add(b"Sandbox-Timestamp", str(int(time.time())).encode()),
    "algorithm none": add(b"sandbox-signature-type", b"none"),
    "algorithm HMAC": add(b"sandbox-signature-type", b"SANDBOX-HMAC-SHA256"),
    "algorithm twice": lambda h, b: (h + [(b"sandbox-signature-type", b"SANDBOX-RSA2048-SHA256")] * 2, b),
}


def provider_key(sandbox: Sandbox) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key((sandbox.folder / "provider-key.pem").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def provider_signed(sandbox: Sandbox, body: bytes) -> tuple[Headers, bytes]:
    timestamp, nonce = str(int(time.time())), uuid4().hex
    message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = b64encode(provider_key(sandbox).sign(message, padding.PKCS1v15(), hashes.SHA256()))
    serial = sandbox.provider_serial.encode()
    return [(TIMESTAMP, timestamp.encode()), (NONCE, nonce.encode()), (SERIAL, serial), (SIGNATURE, signature)], body


def envelope(merchant: Merchant, resource: dict[str, Any], kind: str = "transaction", key: str = "", **changes: Any) -> bytes:
    """A notice as the provider would write it, about `resource`."""
    api_v3_key = (key or merchant.credentials["api_v3_key"]).encode()
    sealed = AESGCM(api_v3_key).encrypt(b"0123456789ab", json.dumps(resource).encode(), kind.encode())
    value = {
        "id": "EV-" + uuid4().hex,
        "create_time": "2026-11-22T10:00:00Z",
        "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS",
        "summary": "",
        "resource": {
            "original_type": kind,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": b64encode(sealed).decode(),
            "associated_data": kind,
            "nonce": "0123456789ab",
        },
    }
    return json.dumps(value | changes).encode()


class TestForgedNotice:
    """0 accepted of all variants, and the true notice accepted after each."""

    @pytest_asyncio.fixture
    async def true(self, provider: SandboxProvider, sandbox: Sandbox, sink: Sink) -> Received:
        sandbox.pay((await provider.create(attempt(sink.url))).pay_url)
        (notice,) = await sink.wait(1)
        return notice

    async def test_changed_by_a_stranger(self, provider: SandboxProvider, true: Received, sandbox: Sandbox) -> None:
        assert len(MUTATIONS) >= 30
        for name, mutate in MUTATIONS.items():
            headers, body = mutate(true.headers, true.body)
            assert (headers, body) != (true.headers, true.body), name
            with pytest.raises(ForgedNotice):
                pytest.fail(f"accepted: {name}: {provider.verify_notice(headers, body, datetime.now(UTC))}")
            assert provider.verify_notice(true.headers, true.body, datetime.now(UTC)).kind == "payment.paid"

    async def test_the_table_can_fail(self, provider: SandboxProvider, true: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        """The negative control: without the signature check most of the table is believed."""
        monkeypatch.setattr(sandbox_wire, "check_signature", lambda *_: None)
        believed = 0
        for mutate in MUTATIONS.values():
            with contextlib.suppress(ForgedNotice):
                believed += bool(provider.verify_notice(*mutate(true.headers, true.body), datetime.now(UTC)))
        assert believed >= 30

    async def test_another_hash(self, provider: SandboxProvider, true: Received, sandbox: Sandbox) -> None:
        """Made with the provider's own key, by another algorithm."""
        for digest in (hashes.SHA1(), hashes.SHA512()):
            headers, body = resign(lambda: provider_key(sandbox), digest)(true.headers, true.body)
            with pytest.raises(ForgedNotice):
                provider.verify_notice(headers, body, datetime.now(UTC))

    @pytest.mark.parametrize("name", SHIFTED)
    async def test_at_another_time(self, provider: SandboxProvider, true: Received, name: str) -> None:
        stamped = datetime.fromtimestamp(int(dict(true.headers)[TIMESTAMP]), UTC)
        with pytest.raises(ForgedNotice, match="provider"):
            provider.verify_notice(true.headers, true.body, stamped + timedelta(seconds=SHIFTED[name]))
        for edge_s in (-300, 300):
            provider.verify_notice(true.headers, true.body, stamped + timedelta(seconds=edge_s))

    async def test_at_another_merchant(
        self, true: Received, other_merchant: Merchant, client: httpx.AsyncClient, provider: SandboxProvider
    ) -> None:
        with pytest.raises(ForgedNotice) as forged:
            account(other_merchant, client).verify_notice(true.headers, true.body, datetime.now(UTC))
        assert forged.value.reason == "the seal does not open"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"mchid": "1900000001"}, "merchant"),
            ({"trade_state": "CLOSED"}, "contradict"),
            ({"trade_state": "success"}, "malformed"),
            ({"transaction_id": None}, "transaction"),
            ({"success_time": None}, "transaction"),
            ({"success_time": "2026-11-22T10:00:00"}, "malformed"),
            ({"amount": {"total": 9900, "currency": "CNY"}}, "transaction"),
            ({"amount": {"total": 9900, "currency": "CNY", "payer_total": "9900", "payer_currency": "CNY"}}, "malformed"),
            ({"amount": {"total": 9900, "currency": "CNY", "payer_total": 9900.0, "payer_currency": "CNY"}}, "malformed"),
            ({"amount": {"total": 9900, "currency": "CNY", "payer_total": -9900, "payer_currency": "CNY"}}, "malformed"),
            ({"amount": {"total": 9900, "currency": "CNY", "payer_total": 0, "payer_currency": "CNY"}}, "malformed"),
            ({"amount": {"total": 9900, "currency": "CNY", "payer_total": 9900, "payer_currency": "cny"}}, "malformed"),
            ({"amount": None}, "malformed"),
            ({"out_trade_no": ""}, "malformed"),
        ],
    )
    async def test_truly_signed_nonsense(
        self, provider: SandboxProvider, merchant: Merchant, sandbox: Sandbox, true: Received, changes: dict[str, Any], reason: str
    ) -> None:
        resource = merchant.open(true.body) | changes
        with pytest.raises(ForgedNotice) as forged:
            provider.verify_notice(*provider_signed(sandbox, envelope(merchant, resource)), datetime.now(UTC))
        assert reason in forged.value.reason

    async def test_truly_signed_and_badly_sealed(
        self, provider: SandboxProvider, merchant: Merchant, sandbox: Sandbox, true: Received
    ) -> None:
        resource = merchant.open(true.body)
        good = json.loads(envelope(merchant, resource))
        bad: list[bytes] = [
            envelope(merchant, resource, key="0" * 32),
            envelope(merchant, resource, kind="refund"),
            b"[]",
            b"nonsense",
            b"\xff",
        ]
        spoiled: list[dict[str, str]] = [
            {"algorithm": "none"},
            {"algorithm": "AEAD_AES_128_GCM"},
            {"nonce": "short"},
            {"nonce": "0123456789ac"},
            {"associated_data": "refund"},
            {"original_type": "refund"},
            {"ciphertext": "!"},
            {"ciphertext": ""},
        ]
        bad += [json.dumps(good | {"resource": good["resource"] | change}).encode() for change in spoiled]
        bad.append(json.dumps({key: value for key, value in good.items() if key != "resource"}).encode())
        for body in bad:
            with pytest.raises(ForgedNotice):
                pytest.fail(f"accepted: {provider.verify_notice(*provider_signed(sandbox, body), datetime.now(UTC))}")
        headers, body = provider_signed(sandbox, json.dumps(good).encode())
        assert provider.verify_notice(headers, body, datetime.now(UTC)).kind == "payment.paid"

    async def test_the_providers_own_forgeries(self, provider: SandboxProvider, sandbox: Sandbox, sink: Sink) -> None:
        """Every variant the provider can make, sent by it for real, each before the true notice of its payment."""

        def answer(notice: Received) -> int:
            try:
                provider.verify_notice(notice.headers, notice.body, datetime.now(UTC))
            except ForgedNotice:
                return 401
            return 204

        sink.answer = answer
        for name in VARIANTS:
            asked = attempt(sink.url)
            created = await provider.create(asked)
            sandbox.faults(forged=name, out_trade_no=asked.out_trade_no)
            sandbox.pay(created.pay_url)
        await sink.wait(2 * len(VARIANTS))
        await sink.quiet(0.3)
        counts = (await sandbox.aadmin("GET", "faults"))["counts"]
        assert (counts["forged_sent"], counts["forged_accepted"], counts["sent"]) == (len(VARIANTS), 0, len(VARIANTS))
        assert [answer(notice) for notice in sink.received].count(204) == len(VARIANTS)


class Misbehaving:
    """A server in the provider's place that answers each request with the same bytes, or does not answer."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer, self.requests, self.url = answer, 0, ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()


def answered(status: str, body: bytes, headers: Headers | None = None, length: int | None = None) -> bytes:
    lines = [
        b"HTTP/1.1 " + status.encode(),
        b"Content-Length: " + str(len(body) if length is None else length).encode(),
        b"Connection: close",
    ]
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in headers or [])]) + b"\r\n\r\n" + body


class TestUnavailable:
    async def test_nobody_there(self, merchant: Merchant, client: httpx.AsyncClient) -> None:
        with pytest.raises(ProviderUnavailable) as error:
            await account(merchant, client, "http://127.0.0.1:1").query("att_x")
        assert not error.value.maybe_done

    async def test_too_slow_although_done(self, merchant: Merchant, client: httpx.AsyncClient, sandbox: Sandbox) -> None:
        asked = attempt()
        sandbox.faults(slow_ms=1500, out_trade_no=asked.out_trade_no)
        started = time.monotonic()
        with pytest.raises(ProviderUnavailable) as error:
            await account(merchant, client, total_s=0.3).create(asked)
        assert error.value.maybe_done
        assert time.monotonic() - started < 1
        sandbox.clear_faults()
        assert (await account(merchant, client).query(asked.out_trade_no)).state == "open"

    async def test_failing_although_done_is_healed_by_asking_again(self, provider: SandboxProvider, sandbox: Sandbox) -> None:
        sandbox.faults(http_5xx=0.5, seed=11)
        for _ in range(10):
            asked = attempt()
            async with asyncio.timeout(20):
                while True:
                    try:
                        await provider.create(asked)
                        break
                    except ProviderUnavailable as error:
                        await asyncio.sleep(0.01 if error.maybe_done else 0.5)
        sandbox.clear_faults()
        books = await asyncio.to_thread(sandbox.books, provider.mch_id)
        numbers = [order["out_trade_no"] for order in books["orders"]]
        assert len(numbers) == len(set(numbers))

    @pytest.mark.parametrize(
        "answer",
        [
            answered("200 OK", b'{"prepay_id":"sp1","pay_url":"http://x/"}'),
            answered("400 Bad Request", b'{"code":"ORDERPAID","message":""}'),
            answered("404 Not Found", b'{"code":"ORDER_NOT_EXIST","message":""}'),
            answered("302 Found", b"", [(b"Location", b"http://169.254.169.254/")]),
            answered("308 Permanent Redirect", b"", [(b"Location", b"/elsewhere")]),
            answered("500 Oops", b"{}"),
            answered("503 Busy", b"<html>"),
            answered("200 OK", b"x" * 70_000),
            answered("200 OK", b"x" * 10, length=1000),
            answered("200 OK", b"\x1f\x8b", [(b"Content-Encoding", b"gzip")]),
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"",
        ],
        ids=["unsigned yes", "unsigned no", "unsigned missing", "302", "308", "500", "503", "long", "cut", "gzip", "not http", "closed"],
    )
    async def test_answers_that_cannot_be_believed(self, merchant: Merchant, client: httpx.AsyncClient, answer: bytes) -> None:
        async with Misbehaving(answer) as server:
            provider = account(merchant, client, server.url)
            calls: list[Awaitable[Any]] = [provider.create(attempt()), provider.query("att_x"), provider.close("att_x")]
            for call in calls:
                with pytest.raises(ProviderUnavailable) as error:
                    await call
                assert error.value.maybe_done
            assert server.requests == 3

    async def test_true_answers_about_something_else(self, merchant: Merchant, client: httpx.AsyncClient, sandbox: Sandbox) -> None:
        out_trade_no, pay_url = merchant.create()
        sandbox.pay(pay_url)
        body = json.dumps(merchant.query(out_trade_no)[1]).encode()
        headers, _ = provider_signed(sandbox, body)
        async with Misbehaving(answered("200 OK", body, headers)) as server:
            provider = account(merchant, client, server.url)
            assert (await provider.query(out_trade_no)).state == "paid"
            with pytest.raises(ProviderUnavailable, match="does not answer") as error:
                await provider.query("att_another")
            assert "another payment" in error.value.reason

    @pytest.mark.parametrize("cut", ["total", "line", "last bytes"])
    async def test_a_bill_that_was_cut_off(self, client: httpx.AsyncClient, sandbox: Sandbox, cut: str) -> None:
        merchant = sandbox.register("cut")
        sandbox.pay(merchant.create()[1])
        day = datetime.now(UTC).date()
        target = f"/v3/bill?date={day}"
        _, _, body = sandbox.request("GET", target, headers={"Authorization": merchant.authorization("GET", target, b"")})
        first, last = body.splitlines()
        body = {"total": first, "line": last, "last bytes": body[:-5]}[cut]
        headers, _ = provider_signed(sandbox, body)
        async with Misbehaving(answered("200 OK", body, headers)) as server:
            lines: list[BillLine] = []
            with pytest.raises(ProviderUnavailable):
                lines.extend([line async for line in account(merchant, client, server.url).bill(day)])

    async def test_the_breaker_spares_a_provider_that_is_down(self, merchant: Merchant, client: httpx.AsyncClient) -> None:
        async with Misbehaving(answered("500 Oops", b"")) as server:
            provider = account(merchant, client, server.url)
            errors = []
            for _ in range(FAILURES_MAX + 20):
                with pytest.raises(ProviderUnavailable) as error:
                    await provider.query("att_x")
                errors.append(error.value.maybe_done)
            assert server.requests == FAILURES_MAX
            assert errors == [True] * FAILURES_MAX + [False] * 20
            assert error.value.retry_after_s


class TestBreaker:
    def test_story(self) -> None:
        now = 0.0
        breaker = Breaker(lambda: now)
        for _ in range(FAILURES_MAX):
            assert breaker.allow()
            breaker.failed()
        assert not breaker.allow()
        assert breaker.retry_after_s == REST_S
        now += REST_S
        assert [breaker.allow() for _ in range(3)] == [True, False, False]
        now += PROBE_S
        assert [breaker.allow() for _ in range(2)] == [True, False]  # the first probe never told how it ended
        breaker.failed()
        assert not breaker.allow()
        now += 2 * REST_S
        assert breaker.allow()
        breaker.succeeded()
        assert [breaker.allow() for _ in range(10)] == [True] * 10

    def test_the_rest_has_a_bound(self) -> None:
        breaker = Breaker(lambda: 0.0)
        for _ in range(50):
            breaker.failed()
        assert breaker.retry_after_s == REST_MAX_S


class TestCredentials:
    def test_from_what_registering_gave(self, merchant: Merchant, client: httpx.AsyncClient) -> None:
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
    def test_that_cannot_be(self, merchant: Merchant, client: httpx.AsyncClient, change: dict[str, Any]) -> None:
        with pytest.raises(BadCredentials):
            adapter("sandbox", json.dumps(merchant.credentials | change).encode(), "http://x", client)

    def test_weak_keys(self, merchant: Merchant, client: httpx.AsyncClient) -> None:
        weak = rsa.generate_private_key(65537, 1024)
        private = weak.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        public = weak.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        for change in ({"private_key_pem": private}, {"provider_public_key_pem": public}):
            with pytest.raises(BadCredentials, match="2048"):
                adapter("sandbox", json.dumps(merchant.credentials | change).encode(), "http://x", client)
