"""A provider that is away, slow, wrong or lying: what the adapter says then, and whom the breaker spares."""

import asyncio
import json
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, Self

import pytest

from tenants.http import Client
from tenants.payments.breaker import FAILURES_MAX, PROBE_S, REST_MAX_S, REST_S, Breaker
from tenants.payments.provider import (
    BillLine,
    ProviderUnavailable,
)
from tenants.payments.sandbox import SandboxProvider
from tests.provider import Merchant, Sandbox
from tests.tenants.payments.accounts import Headers, account, attempt, provider_signed


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
    async def test_nobody_there(self, merchant: Merchant, client: Client) -> None:
        with pytest.raises(ProviderUnavailable) as error:
            await account(merchant, client, "http://127.0.0.1:1").query("att_x")
        assert not error.value.maybe_done

    async def test_too_slow_although_done(self, merchant: Merchant, client: Client, sandbox: Sandbox) -> None:
        asked = attempt()
        sandbox.faults(slow_ms=4000, out_trade_no=asked.out_trade_no)
        started = time.monotonic()
        with pytest.raises(ProviderUnavailable) as error:
            await account(merchant, client, total_s=0.3).create(asked)
        assert error.value.maybe_done
        assert time.monotonic() - started < 3
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
    async def test_answers_that_cannot_be_believed(self, merchant: Merchant, client: Client, answer: bytes) -> None:
        async with Misbehaving(answer) as server:
            provider = account(merchant, client, server.url)
            calls: list[Awaitable[Any]] = [provider.create(attempt()), provider.query("att_x"), provider.close("att_x")]
            for call in calls:
                with pytest.raises(ProviderUnavailable) as error:
                    await call
                assert error.value.maybe_done
            assert server.requests == 3

    async def test_true_answers_about_something_else(self, merchant: Merchant, client: Client, sandbox: Sandbox) -> None:
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

    @pytest.mark.parametrize("status", ["302 Found", "500 Oops"])
    async def test_a_signature_does_not_turn_a_failure_into_a_yes(
        self, merchant: Merchant, client: Client, sandbox: Sandbox, status: str
    ) -> None:
        async with Misbehaving(answered(status, b"", provider_signed(sandbox, b"")[0])) as server:
            with pytest.raises(ProviderUnavailable):
                await account(merchant, client, server.url).close("att_x")

    @pytest.mark.parametrize("cut", ["total", "line", "last bytes"])
    async def test_a_bill_that_was_cut_off(self, client: Client, sandbox: Sandbox, cut: str) -> None:
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

    async def test_the_breaker_spares_a_provider_that_is_down(self, merchant: Merchant, client: Client) -> None:
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
