"""What those who look on cost a flash sale: `python -m tests.bench.viewers`. CPU time of all servers per reservation, with viewers and
without, in turns in one run; the answer is the ratio of the medians.

Reservations come in a steady stream (`--rate` a second for `--seconds`), each of another shopper. The viewers are as the page's script is:
each asks for the stock, waits as long as it is told, and asks again; the first time within five seconds. A sale with a waiting room
in which nobody waits is weighed beside them.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tessera.letterbox import sign_up
from tessera.shop import Shop

LINKS = 64
GOAL = 1.10
ASKS = 6400
_TICK = os.sysconf("SC_CLK_TCK")


def cpu_s(pids: dict[str, int]) -> dict[str, float]:
    """User and system time by kind of server, of each process and its children that live or have ended."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            continue
        words = text.rpartition(")")[2].split()
        parents[int(stat.parent.name)], spent[int(stat.parent.name)] = int(words[1]), sum(map(int, words[11:15])) / _TICK
    found = dict.fromkeys(pids, 0.0)
    for pid, seconds in spent.items():
        at = pid
        while at > 1:
            if kind := next((name for name, each in pids.items() if each == at), None):
                found[kind] += seconds
                break
            at = parents.get(at, 0)
    return found


class Link:
    """A kept-alive connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = asyncio.Lock()
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        async with self._lock:
            if self._pair is None:
                self._pair = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._pair
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            return int(head[9:12]), await reader.readexactly(length)


async def viewer(links: list[Link], request: bytes, asked: list[int]) -> None:
    await asyncio.sleep(5 * random.random())
    while True:
        status, body = await random.choice(links).ask(request)
        assert status == 200, body
        asked[0] += 1
        again_s = float(body.rpartition(b'"again_s":')[2].rstrip(b"}"))
        await asyncio.sleep(again_s * random.uniform(0.75, 1.25))


async def stream(links: list[Link], presses: list[bytes], rate: float) -> int:
    """Those who got something."""
    begun = time.monotonic()

    async def press(n: int, request: bytes) -> int:
        await asyncio.sleep(max(0.0, begun + n / rate - time.monotonic()))
        return (await links[n % len(links)].ask(request))[0]

    return sum(status in (201, 202) for status in await asyncio.gather(*(press(n, each) for n, each in enumerate(presses))))


class Bench:
    def __init__(self, shop: Shop, arguments: argparse.Namespace) -> None:
        self.shop, self.arguments = shop, arguments
        self.count = int(arguments.rate * arguments.seconds)
        pids = {name: pid for name, pid in shop.processes.pids.items() if pid}
        self.pids = pids | {name: pid for name, pid in shop.servers.pids.items() if pid}
        self.slug = "viewers"
        opened = sign_up(
            shop.api_url, shop.mail_url, store="Viewers", slug=self.slug, mail="v@example.com", password="correct horse battery"
        )
        self.api = httpx.Client(base_url=shop.api_url, headers={"authorization": f"Bearer {opened['api_key']}"}, timeout=60)

    def post(self, path: str, **request: Any) -> Any:
        answer = self.api.post(path, **request)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def guests(self) -> list[str]:
        with httpx.Client(base_url=self.shop.api_url, headers={"x-tessera-store": self.slug}) as anyone:
            return [str(anyone.post("/v1/shopper-tokens").raise_for_status().json()["token"]) for _ in range(self.count)]

    def sale(self, name: str, room: str) -> str:
        product = self.post("/v1/products", json={"name": name})
        sku = self.post("/v1/skus", json={"product_id": product["id"], "name": "x", "price_minor": 100, "currency": "CNY"})
        codes = "".join(f"{name}-{n:07}\n" for n in range(self.count)).encode()
        self.post(f"/v1/vault/imports?sku_id={sku['id']}", content=codes, headers={"content-type": "text/plain", "x-filename": "c.txt"})
        body = {
            "sku_id": sku["id"],
            "name": name,
            "units": "all",
            "limit_per_shopper": 1,
            "door": "gate",
            "hold_s": 3600,
            "waiting_room": room,
        }
        return str(self.post("/v1/sales", json=body)["id"])

    async def round(self, nth: int, viewers: int, room: str = "off") -> dict[str, Any]:
        guests = self.guests()  # who has five unpaid orders gets no other
        sale = self.sale(f"R{nth}", room)
        body = b'{"sale_id":"%b","quantity":1}' % sale.encode()
        head = b"Host: localhost\r\nX-Tessera-Store: %b\r\n" % self.slug.encode()
        presses = [
            b"POST /v1/checkouts HTTP/1.1\r\n%bAuthorization: Bearer %b\r\nIdempotency-Key: k%b-%d\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (head, token.encode(), sale[-8:].encode(), n, len(body), body)
            for n, token in enumerate(guests)
        ]  # fmt: skip
        look = b"GET /sales/%b/stock HTTP/1.1\r\n%b\r\n" % (sale.encode(), head)
        buyers, lookers = [Link(self.shop.port) for _ in range(LINKS)], [Link(self.shop.port) for _ in range(LINKS)]
        asked = [0]
        for _ in range(100):  # until its gate is loaded
            if (await buyers[0].ask(presses[0]))[0] == 201:
                break
            await asyncio.sleep(0.3)
        before = cpu_s(self.pids)
        tasks = [asyncio.create_task(viewer(lookers, look, asked)) for _ in range(viewers)]
        reserved = await stream(buyers, presses[1:], self.arguments.rate)
        after = cpu_s(self.pids)
        for task in tasks:
            task.cancel()
        failed = [each for each in await asyncio.gather(*tasks, return_exceptions=True) if not isinstance(each, asyncio.CancelledError)]
        assert not failed, failed[0]
        spent = {kind: round(1e6 * (after[kind] - before[kind]) / reserved, 1) for kind in after if after[kind] > before[kind]}
        return {"viewers": viewers, "room": room, "reserved": reserved, "asked": asked[0], "us": round(sum(spent.values()), 1)} | spent

    async def ask(self) -> float:
        """What one question costs by itself, in µs: beside presses it hides, since it lets their batches grow."""
        named = (self.sale("ask", "off").encode(), self.slug.encode())
        look = b"GET /sales/%b/stock HTTP/1.1\r\nHost: localhost\r\nX-Tessera-Store: %b\r\n\r\n" % named
        links = [Link(self.shop.port) for _ in range(LINKS)]
        before = cpu_s(self.pids)
        for _ in range(ASKS // LINKS):
            await asyncio.gather(*(link.ask(look) for link in links))
        after = cpu_s(self.pids)
        return 1e6 * sum(after[kind] - before[kind] for kind in after) / ASKS


async def run(shop: Shop, arguments: argparse.Namespace) -> float:
    bench = Bench(shop, arguments)
    found: dict[int, list[float]] = {0: [], arguments.viewers: []}
    await bench.round(0, 0)  # warms up
    rooms: list[float] = []
    for nth in range(arguments.rounds):
        for turn, viewers in enumerate((0, arguments.viewers) if nth % 2 else (arguments.viewers, 0)):
            told = await bench.round(3 * nth + 1 + turn, viewers)
            print(told, flush=True)
            found[viewers].append(told["us"])
        told = await bench.round(3 * nth + 3, 0, "line")
        print(told, flush=True)
        rooms.append(told["us"])
    without, with_them = (statistics.median(found[viewers]) for viewers in (0, arguments.viewers))
    print(
        f"{without:.0f} µs per reservation, {with_them:.0f} µs with {arguments.viewers} viewers: × {with_them / without:.3f} (goal {GOAL})"
    )
    print(f"{statistics.median(rooms):.0f} µs with a waiting room in which nobody waits: × {statistics.median(rooms) / without:.3f}")
    print(f"{await bench.ask():.0f} µs a question, by itself")
    return with_them / without


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--viewers", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    own = {"DATABASE_URL": "", "REDIS_URL": "", "ARQ_REDIS_URL": "", "TESSERA_ENV": "test", "TESSERA_IP_LIMIT_FACTOR": "100000"}
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        Path(folder).chmod(0o755)
        with Shop(Path(folder), fsync=True, environ=own) as shop:
            ratio = asyncio.run(run(shop, arguments))
    raise SystemExit(ratio > GOAL)


if __name__ == "__main__":
    main()
