"""The sandbox provider as a process for tests, a merchant at it, and a sink that stands where our webhook route would.

The helpers speak plain HTTP and know nothing of the adapter, so that the provider can be tested without it.
"""

import asyncio
import http.client
import json
import subprocess
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import pytest_asyncio
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CREATE = "/v3/pay/transactions"
REFUNDS = "/v3/refund/domestic/refunds"
TIME_SCALE = 0.01  # 15 s of the webhook schedule become 150 ms


class Sandbox:
    """A running provider. The methods block for a millisecond or two; `a…` ones run in a thread."""

    def __init__(self, folder: Path, *arguments: str, time_scale: float = TIME_SCALE) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "loadtests.counterparts.sandbox", "--folder", str(folder), "--print-json"]
        self.process = subprocess.Popen([*command, "--time-scale", str(time_scale), *arguments], stdout=subprocess.PIPE)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the sandbox provider did not start; its words are above"
        started = json.loads(line)
        self.url: str = started["url"]
        self.admin_token: str = started["admin_token"]
        self.provider_serial: str = started["provider_serial"]
        self.provider_public_key_pem: str = started["provider_public_key_pem"]

    def request(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """One plain HTTP exchange: status, headers, body."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            connection.request(method, target, body or None, headers or {})
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def admin(self, method: str, path: str, value: Any = None) -> Any:
        body = json.dumps(value).encode() if value is not None else b""
        status, _, answer = self.request(method, "/admin/" + path, body, {"Authorization": f"Bearer {self.admin_token}"})
        assert status < 300, (status, answer)
        return json.loads(answer)

    async def aadmin(self, method: str, path: str, value: Any = None) -> Any:
        return await asyncio.to_thread(self.admin, method, path, value)

    def register(self, name: str = "") -> "Merchant":
        return Merchant(self, self.admin("POST", "merchants", {"name": name}))

    def faults(self, **switches: Any) -> Any:
        return self.admin("POST", "faults", switches)

    def clear_faults(self) -> None:
        self.admin("DELETE", "faults")

    def pay(self, pay_url: str, **how: Any) -> Any:
        """Take the money of the order behind `pay_url`; `amount=` takes another amount, `late=True` also after closing."""
        return self.admin("POST", "pay/" + pay_url.rsplit("/", 1)[1], how)

    def vouches_for(self, headers: Iterable[tuple[str, str]], body: bytes) -> bool:
        """Whether the provider signed these bytes, just now."""
        fields = {name.lower(): value for name, value in headers}
        key = serialization.load_pem_public_key(self.provider_public_key_pem.encode())
        assert isinstance(key, rsa.RSAPublicKey)
        message = f"{fields['sandbox-timestamp']}\n{fields['sandbox-nonce']}\n".encode() + body + b"\n"
        try:
            key.verify(b64decode(fields["sandbox-signature"]), message, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return fields["sandbox-serial"] == self.provider_serial and abs(time.time() - int(fields["sandbox-timestamp"])) < 30

    def books(self, mch_id: str) -> dict[str, list[dict[str, Any]]]:
        books = self.admin("GET", f"books?mch_id={mch_id}")
        assert books["self_check"] == []
        return books["merchants"][mch_id]  # type: ignore[no-any-return]

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()
        return code


class Merchant:
    """A merchant as registered, who signs as docs/sandbox-provider.md says."""

    def __init__(self, sandbox: Sandbox, credentials: dict[str, str]) -> None:
        self.sandbox, self.credentials = sandbox, credentials
        self.mch_id = credentials["mch_id"]
        key = serialization.load_pem_private_key(credentials["private_key_pem"].encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self.key = key

    def authorization(self, method: str, target: str, body: bytes, **changes: str) -> str:
        fields = {"mchid": self.mch_id, "nonce_str": uuid4().hex, "timestamp": str(int(time.time()))} | changes
        message = f"{method}\n{target}\n{fields['timestamp']}\n{fields['nonce_str']}\n".encode() + body + b"\n"
        signature = self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        fields = fields | {"serial_no": self.credentials["serial_no"], "signature": b64encode(signature).decode()} | changes
        return "SANDBOX-RSA2048-SHA256 " + ",".join(f'{key}="{value}"' for key, value in fields.items())

    def call(self, method: str, target: str, value: Any = None, **changes: str) -> tuple[int, Any]:
        """One signed exchange: status and decoded body. `changes` replace fields of the Authorization header."""
        body = json.dumps(value).encode() if value is not None else b""
        headers = {"Authorization": self.authorization(method, target, body, **changes), "Content-Type": "application/json"}
        status, _, answer = self.sandbox.request(method, target, body, headers)
        return status, json.loads(answer) if answer else None

    def order(self, notify_url: str = "http://127.0.0.1:9/", seconds: float = 600, **changes: Any) -> dict[str, Any]:
        """The body of a create call."""
        expires = datetime.now(UTC) + timedelta(seconds=seconds)
        return {
            "mchid": self.mch_id,
            "out_trade_no": "t" + uuid4().hex,
            "description": "Steam 充值卡 100",
            "amount": {"total": 9900, "currency": "CNY"},
            "time_expire": expires.isoformat(),
            "notify_url": notify_url,
        } | changes

    def create(self, notify_url: str = "http://127.0.0.1:9/", **changes: Any) -> tuple[str, str]:
        """A new order at the provider: its out_trade_no and its pay_url."""
        order = self.order(notify_url, **changes)
        status, answer = self.call("POST", CREATE, order)
        assert status == 200, answer
        return order["out_trade_no"], answer["pay_url"]

    def query(self, out_trade_no: str) -> tuple[int, Any]:
        return self.call("GET", f"{CREATE}/out-trade-no/{out_trade_no}?mchid={self.mch_id}")

    def close(self, out_trade_no: str) -> tuple[int, Any]:
        return self.call("POST", f"{CREATE}/out-trade-no/{out_trade_no}/close", {"mchid": self.mch_id})

    def refund(self, out_trade_no: str, out_refund_no: str, refund: int, **more: Any) -> tuple[int, Any]:
        amount = {"refund": refund, "total": 9900, "currency": "CNY"}
        return self.call("POST", REFUNDS, {"out_trade_no": out_trade_no, "out_refund_no": out_refund_no, "amount": amount} | more)

    def settled(self, out_refund_no: str) -> dict[str, Any]:
        """The refund, once it is no longer PROCESSING."""
        for _ in range(200):
            _, answer = self.call("GET", f"{REFUNDS}/{out_refund_no}")
            if answer["status"] != "PROCESSING":
                return answer  # type: ignore[no-any-return]
            time.sleep(0.02)
        raise AssertionError("the refund was not settled")

    def open(self, body: bytes) -> dict[str, Any]:
        """The resource of a notice in the clear."""
        sealed = json.loads(body)["resource"]
        raw = AESGCM(self.credentials["api_v3_key"].encode())
        plain = raw.decrypt(sealed["nonce"].encode(), b64decode(sealed["ciphertext"]), sealed["associated_data"].encode())
        return json.loads(plain)  # type: ignore[no-any-return]


@dataclass
class Received:
    headers: list[tuple[bytes, bytes]]
    body: bytes
    at: float

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The headers as text."""
        return [(name.decode(), value.decode()) for name, value in self.headers]

    @property
    def event_id(self) -> str:
        return json.loads(self.body)["id"]  # type: ignore[no-any-return]

    @property
    def event_type(self) -> str:
        return json.loads(self.body)["event_type"]  # type: ignore[no-any-return]


@dataclass
class Sink:
    """A webhook route that keeps what it gets, bytes and headers as they came, and answers what `answer` says."""

    answer: Callable[[Received], int | None] = lambda notice: 204
    received: list[Received] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                pairs = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2]]
                headers = [(name.lower(), value) for name, value in pairs]
                body = await reader.readexactly(int(dict(headers)[b"content-length"]))
                notice = Received(headers, body, time.monotonic())
                self.received.append(notice)
                status = self.answer(notice)
                if status is None:
                    break
                writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n".encode())
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def wait(self, count: int, timeout_s: float = 10) -> list[Received]:
        """The first `count` notices, once they are there."""
        async with asyncio.timeout(timeout_s):
            while len(self.received) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return self.received

    async def quiet(self, seconds: float = 0.5) -> list[Received]:
        """Everything received, once nothing more came for `seconds`."""
        count = -1
        while count != len(self.received):
            count = len(self.received)
            await asyncio.sleep(seconds)
        return self.received


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    """One provider per test worker. Merchants keep the tests apart."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        sandbox = Sandbox(Path(folder))
        yield sandbox
        assert sandbox.stop() == 0


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Iterator[Sandbox]:
    """The provider, with all fault switches off before and after."""
    sandbox_process.clear_faults()
    yield sandbox_process
    sandbox_process.clear_faults()


@pytest.fixture(scope="session")
def merchant(sandbox_process: Sandbox) -> Merchant:
    return sandbox_process.register("first")


@pytest.fixture(scope="session")
def other_merchant(sandbox_process: Sandbox) -> Merchant:
    return sandbox_process.register("second")


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[Sink]:
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    sink.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/notices"
    yield sink
    server.close()
