"""How fast the sandbox provider takes payments, and what the adapter costs: `python -m tests.bench.sandbox_provider [orders]`.

The story: N orders are created (signed both ways), paid, announced by webhook to a sink that answers 204, and queried; each
phase by 32 connections that keep alive. The provider's CPU time is read from /proc, so it does not depend on what else runs;
the rate is what this machine gave at that moment, with the load generator on the same cores.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tenants.http import Client
from tenants.payments.sandbox import SandboxCredentials, SandboxProvider
from tests.provider import CREATE, Merchant, Sandbox, Sink

CONNECTIONS = 32
Exchange = Callable[[str, str, bytes, str], Coroutine[Any, Any, Any]]


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def phase(name: str, sandbox: Sandbox, work: Iterable[Any], one: Callable[[Exchange, Any], Coroutine[Any, Any, None]]) -> None:
    """Run `one` for each item over the connections; print the rate and the provider's CPU time per item."""
    items = list(work)
    queue = iter(items)

    async def connection() -> None:
        host, port = sandbox.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))

        async def exchange(method: str, target: str, body: bytes, authorization: str) -> Any:
            head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(answer.split(b"content-length: ")[1].split(b"\r\n")[0])
            value = json.loads(await reader.readexactly(length))
            assert answer.startswith(b"http/1.1 20"), value
            return value

        for item in queue:
            await one(exchange, item)
        writer.close()

    cpu, started = cpu_s(sandbox.process.pid), time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    seconds = time.perf_counter() - started
    spent = cpu_s(sandbox.process.pid) - cpu
    print(f"{name:<34} {len(items) / seconds:8.0f} /s   provider {spent / len(items) * 1e6:6.0f} µs CPU each")


async def provider_figures(orders: int) -> None:
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/notices"
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder))
        merchant = sandbox.register()
        admin = f"Bearer {sandbox.admin_token}"
        made: list[tuple[str, str]] = []

        async def create(exchange: Exchange, order: dict[str, Any]) -> None:
            body = json.dumps(order).encode()
            answer = await exchange("POST", CREATE, body, merchant.authorization("POST", CREATE, body))
            made.append((order["out_trade_no"], answer["prepay_id"]))

        async def pay(exchange: Exchange, order: tuple[str, str]) -> None:
            await exchange("POST", f"/admin/pay/{order[1]}", b"", admin)

        async def query(exchange: Exchange, order: tuple[str, str]) -> None:
            target = f"{CREATE}/out-trade-no/{order[0]}?mchid={merchant.mch_id}"
            assert (await exchange("GET", target, b"", merchant.authorization("GET", target, b"")))["trade_state"] == "SUCCESS"

        await phase("create", sandbox, [merchant.order(url) for _ in range(orders)], create)
        cpu, started = cpu_s(sandbox.process.pid), time.perf_counter()
        await phase("pay, webhooks beside", sandbox, made, pay)
        await sink.wait(orders, 120)
        seconds = time.perf_counter() - started
        spent = (cpu_s(sandbox.process.pid) - cpu) / orders * 1e6
        print(f"{'pay until the last webhook':<34} {orders / seconds:8.0f} /s   provider {spent:6.0f} µs CPU each")
        await phase("query", sandbox, made, query)
        announced, made = made, []
        sandbox.faults(drop=1)
        await phase("create", sandbox, [merchant.order(url) for _ in range(orders)], create)
        await phase("pay, no webhook", sandbox, made, pay)
        assert len(sandbox.books(merchant.mch_id)["payments"]) == len(announced) + len(made)
        memory = Path(f"/proc/{sandbox.process.pid}/status").read_text().split("VmHWM:")[1].split()[0]
        print(f"{'most memory':<34} {int(memory) / 1024:8.0f} MB for {2 * orders} orders")
        await adapter_figures(merchant, sink)
        sandbox.stop()
    server.close()


async def adapter_figures(merchant: Merchant, sink: Sink) -> None:
    async with Client() as client:
        credentials = msgspec.convert(merchant.credentials, SandboxCredentials)
        started = time.process_time()
        for _ in range(20):
            provider = SandboxProvider(credentials, merchant.sandbox.url, client)
        print(f"{'adapter: make an account':<34} {(time.process_time() - started) / 20 * 1e6:8.0f} µs CPU")
        notice, now, count = sink.received[-1], datetime.now(UTC), 2000
        started = time.process_time()
        for _ in range(count):
            provider.verify_notice(notice.headers, notice.body, now)
        print(f"{'adapter: verify a notice':<34} {(time.process_time() - started) / count * 1e6:8.0f} µs CPU")
        out_trade_no, _ = merchant.create()
        await provider.query(out_trade_no)
        started, count = time.process_time(), 300
        for _ in range(count):
            await provider.query(out_trade_no)
        print(f"{'adapter: query (sign, call, verify)':<34} {(time.process_time() - started) / count * 1e6:7.0f} µs CPU")


if __name__ == "__main__":
    asyncio.run(provider_figures(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
