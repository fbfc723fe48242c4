"""A shop of a few lines for the loader's own tests: it can stall, lose answers, ask for patience, and break its word."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class TinyShop:
    units: int = 0
    limit: int = 1
    forgets_keys: bool = False  # a retry makes a new order
    same_code: bool = False  # every order shows one code
    lose: set[int] = field(default_factory=set)  # these requests, by number, get the connection cut instead of an answer
    busy: set[int] = field(default_factory=set)  # these get 503 and Retry-After
    close_each: bool = False
    delay_s: float = 0.0
    requests: int = 0
    connections: int = 0
    guests: int = 0
    orders: dict[tuple[str, str], tuple[int, dict[str, object]]] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    paid: set[str] = field(default_factory=set)
    port: int = 0

    def __post_init__(self) -> None:
        self.open = asyncio.Event()  # cleared, the shop stalls
        self.open.set()

    async def start(self) -> None:
        self._serving: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request, *lines = head.decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests += 1
                number = self.requests
                await self.open.wait()
                await asyncio.sleep(self.delay_s)
                if number in self.lose:
                    return
                method, path, _ = request.split()
                status, document = (503, {"code": "unavailable"}) if number in self.busy else self.answer(method, path, headers, body)
                text = json.dumps(document).encode()
                extra = "connection: close\r\n" * self.close_each + "retry-after: 1\r\n" * (status == 503)
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(text)}\r\n{extra}\r\n".encode() + text)
                if self.close_each:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._serving.discard(task)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, object]]:
        match method, path.split("/")[1:]:
            case "POST", ["v1", "shopper-tokens"]:
                self.guests += 1
                return 201, {"shopper_id": f"shp_{self.guests}", "token": f"st_{self.guests}"}
            case "POST", ["v1", "checkouts"]:
                return self.checkout(headers["authorization"], headers["idempotency-key"], json.loads(body)["quantity"])
            case "POST", ["v1", "orders", order, "payments"]:
                return 201, {"pay_url": f"http://127.0.0.1:{self.port}/pay/{order}"}
            case "POST", ["admin", "pay", order]:
                self.paid.add(order)
                return 200, {}
            case "GET", ["v1", "orders", order]:
                return 200, {"state": "delivered" if order in self.paid else "awaiting"}
            case "GET", ["v1", "orders", order, "codes"]:
                return 200, {"codes": [{"unit": 1, "code": "one" if self.same_code else order}]}
        return 404, {"code": "not_found"}

    def checkout(self, shopper: str, key: str, quantity: int) -> tuple[int, dict[str, object]]:
        if (shopper, key) in self.orders and not self.forgets_keys:
            return self.orders[shopper, key]
        answer: tuple[int, dict[str, object]]
        if not self.forgets_keys and self.taken[shopper] + quantity > self.limit:
            answer = 409, {"code": "limit", "order_id": "ord_none"}
        elif quantity > self.units:
            answer = 409, {"code": "sold_out", "order_id": "ord_none"}
        else:
            self.units -= quantity
            self.taken[shopper] += quantity
            answer = 201, {"id": f"ord_{self.units:04}", "state": "awaiting"}
        self.orders[shopper, key] = answer
        return answer
