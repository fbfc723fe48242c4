"""Accounts at the sandbox provider as the adapter sees them, and notices signed with the provider's own key."""

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenants.http import Client
from tenants.payments.provider import (
    PaymentAttempt,
    ProviderRefund,
)
from tenants.payments.sandbox import SandboxCredentials, SandboxProvider
from tests.provider import Merchant, Sandbox

Headers = list[tuple[bytes, bytes]]
TIMESTAMP, NONCE, SERIAL, SIGNATURE = b"sandbox-timestamp", b"sandbox-nonce", b"sandbox-serial", b"sandbox-signature"


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as client:
        yield client


def account(merchant: Merchant, client: Client, url: str = "", **more: Any) -> SandboxProvider:
    credentials = msgspec.convert(merchant.credentials, SandboxCredentials)
    return SandboxProvider(credentials, url or merchant.sandbox.url, client, **more)


@pytest.fixture
def provider(merchant: Merchant, client: Client) -> SandboxProvider:
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
