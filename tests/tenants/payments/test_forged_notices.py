"""Notices that must not be believed: changed by a stranger, by a thief of one secret, or by the provider itself on purpose."""

import contextlib
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from loadtests.counterparts.sandbox.forgery import VARIANTS
from tenants.http import Client
from tenants.payments import sandbox_wire
from tenants.payments.provider import (
    ForgedNotice,
)
from tenants.payments.sandbox import SandboxProvider
from tests.provider import Merchant, Received, Sandbox, Sink
from tests.tenants.payments.accounts import (
    NONCE,
    SERIAL,
    SIGNATURE,
    TIMESTAMP,
    Headers,
    account,
    attempt,
    envelope,
    provider_key,
    provider_signed,
)

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

    async def test_bytes_moved_from_the_body_into_the_nonce(self, provider: SandboxProvider, merchant: Merchant, sandbox: Sandbox) -> None:
        """The signed text is the same, the body is not: only the nonce's form tells."""
        signed, body = provider_signed(sandbox, b"first line\nsecond line")
        moved = [(name, value + b"\nfirst line" if name == NONCE else value) for name, value in signed]
        key, serial, now = provider_key(sandbox).public_key(), sandbox.provider_serial, datetime.now(UTC)
        sandbox_wire.check_signature(key, serial, signed, body, now)
        with pytest.raises(sandbox_wire.NotSigned, match="nonce"):
            sandbox_wire.check_signature(key, serial, moved, b"second line", now)

    @pytest.mark.parametrize("name", SHIFTED)
    async def test_at_another_time(self, provider: SandboxProvider, true: Received, name: str) -> None:
        stamped = datetime.fromtimestamp(int(dict(true.headers)[TIMESTAMP]), UTC)
        with pytest.raises(ForgedNotice, match="provider"):
            provider.verify_notice(true.headers, true.body, stamped + timedelta(seconds=SHIFTED[name]))
        for edge_s in (-300, 300):
            provider.verify_notice(true.headers, true.body, stamped + timedelta(seconds=edge_s))

    async def test_at_another_merchant(self, true: Received, other_merchant: Merchant, client: Client, provider: SandboxProvider) -> None:
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
        assert (counts["forged_sent"], counts["forged_accepted"]) == (len(VARIANTS), 0)
        assert [answer(notice) for notice in sink.received].count(204) == len(VARIANTS)
