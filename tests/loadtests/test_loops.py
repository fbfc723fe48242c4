"""Both loops send each request once, tell its answer or its failure, and measure what people felt."""

import asyncio
import contextlib
import time

import pytest

from loadtests.loader import __main__ as loader
from loadtests.loader.http import Target, request
from loadtests.loader.loops import closed_loop, open_loop
from loadtests.loader.report import Tally, spread
from tests.loadtests.conftest import Opened


class TestLoops:
    async def test_closed_keeps_every_connection_busy_and_sends_each_once(self, opened: Opened) -> None:
        shop, target = await opened(delay_s=0.02)
        tally = Tally()
        requests = [loader.Raw(request(target, "GET", "/none"))] * 100
        began = time.perf_counter()
        await closed_loop(target, requests, lambda _, a, s, at: tally.add(a, s, at, a.code), connections=10)
        assert (shop.requests, shop.connections, tally.answers) == (100, 10, 100)
        assert 0.2 <= time.perf_counter() - began < 1.5
        assert spread(tally.of("not_found"))["p50"] >= 20

    async def test_who_greets_first_measures_open_connections_only(self, opened: Opened) -> None:
        shop, target = await opened()
        tally, ready = Tally(), []
        requests = [loader.Raw(request(target, "GET", "/none"))] * 20
        hello = request(target, "GET", "/hello")
        await closed_loop(
            target, requests, lambda _, a, s, at: tally.add(a, s, at, a.code), connections=8, greeting=hello,
            when_ready=lambda: ready.append((shop.requests, shop.connections)),
        )  # fmt: skip
        assert ready == [(8, 8)], "all had greeted, once, and nobody had begun"
        assert (tally.answers, shop.requests, shop.connections) == (20, 28, 8)

    async def test_closed_ends_in_time(self, opened: Opened) -> None:
        _, target = await opened(delay_s=0.01)
        tally = Tally()
        endless = iter(lambda: loader.Raw(request(target, "GET", "/none")), None)
        await closed_loop(target, endless, lambda _, a, s, at: tally.add(a, s, at, a.code), connections=4, seconds=0.2)
        assert 0.15 < tally.seconds < 1.0

    async def test_closed_tells_failures_and_goes_on(self, opened: Opened) -> None:
        shop, target = await opened(lose={3, 6}, delay_s=0.01)
        told: list[tuple[bytes, int, str]] = []
        requests = [loader.Raw(request(target, "GET", f"/{number}")) for number in range(20)]
        await closed_loop(target, requests, lambda each, a, s, at: told.append((each.raw, a.status, a.failure)), connections=2)
        assert sorted(raw for raw, _, _ in told) == sorted(each.raw for each in requests), "each is told of once"
        assert sorted({(status, failure) for _, status, failure in told}) == [(0, "closed"), (404, "")]
        assert (shop.requests, shop.connections) == (20, 4)

    async def test_closed_gives_up_an_answer_that_does_not_come(self, opened: Opened) -> None:
        shop, target = await opened()
        shop.open.clear()
        tally = Tally()
        requests = [loader.Raw(request(target, "GET", "/none"))] * 3
        await closed_loop(target, requests, lambda _, a, s, at: tally.add(a, s, at, a.failure), connections=3, timeout_s=0.2)
        assert tally.failures == {"timeout": 3}
        assert 0.2 <= min(tally.of("timeout")) <= max(tally.of("timeout")) < 0.6
        nobody, refused = target._replace(port=1), Tally()
        await closed_loop(nobody, requests, lambda _, a, s, at: refused.add(a, s, at, a.failure), connections=2)
        assert refused.failures == {"refused": 3}

    async def test_closed_raises_what_its_listener_raises(self, opened: Opened) -> None:
        _, target = await opened()

        def tell(*_: object) -> None:
            raise ZeroDivisionError

        requests = [loader.Raw(request(target, "GET", "/none"))] * 3
        with pytest.raises(ZeroDivisionError):
            await closed_loop(target, requests, tell, connections=2)
        with pytest.raises(ZeroDivisionError):
            await open_loop(target, requests, tell, rate=100, connections=2)

    async def test_a_head_known_by_its_bytes_never_hides_another_answer(self) -> None:
        """Answers with one head and with others take turns, and arrive whole or in two pieces cut anywhere."""
        texts = ["sold_out", "too_late", "limit"]
        wire = [b"HTTP/1.1 409 Conflict\r\ncontent-length: %d\r\n\r\n%b" % (len(t) + 11, b'{"code":"%b"}' % t.encode()) for t in texts]

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            number = 0
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while path := (await reader.readuntil(b"\r\n\r\n")).split()[1]:
                    number += 1
                    answer = wire[int(path[1:])]
                    cut = number % len(answer)
                    writer.write(answer[:cut])
                    if number % 3:
                        await asyncio.sleep(0.0005)
                    writer.write(answer[cut:])
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        target = Target("127.0.0.1", server.sockets[0].getsockname()[1], "h")
        told: list[tuple[bytes, str]] = []
        requests = [loader.Raw(request(target, "GET", f"/{number * number // 3 % 3}")) for number in range(600)]
        async with server:
            await closed_loop(target, requests, lambda each, a, s, at: told.append((each.raw.split()[1], a.code)), connections=3)
        assert len(told) == 600
        assert set(told) == {(b"/0", "sold_out"), (b"/1", "too_late"), (b"/2", "limit")}

    async def test_open_shows_a_stall_to_everybody_who_arrived_in_it(self, opened: Opened) -> None:
        """200 arrivals a second, one connection, a stall of 0.4 s: some 80 arrivals wait, and say so; a closed loop would count one."""
        shop, target = await opened()
        tally, requests = Tally(), [loader.Raw(request(target, "GET", "/none"))] * 200

        async def stall() -> None:
            await asyncio.sleep(0.3)
            shop.open.clear()
            await asyncio.sleep(0.4)
            shop.open.set()

        stalled = asyncio.create_task(stall())
        late_s = await open_loop(target, requests, lambda _, a, s, at: tally.add(a, s, at, a.code), rate=200, connections=1)
        await stalled
        waited = [each for each in tally.of("not_found") if each > 0.1]
        assert tally.answers == 200
        assert 50 <= len(waited) <= 90, f"{len(waited)} waited"
        assert spread(tally.of("not_found"))["max"] >= 390
        assert late_s < 0.1

        shop.open.set()
        closed, stalled = Tally(), asyncio.create_task(stall())
        await closed_loop(
            target, iter(lambda: requests[0], None), lambda _, a, s, at: closed.add(a, s, at, a.code), connections=1, seconds=0.9
        )
        await stalled
        assert len([each for each in closed.of("not_found") if each > 0.1]) == 1

    async def test_open_tells_of_what_it_never_sent(self, opened: Opened) -> None:
        shop, target = await opened()
        shop.open.clear()
        tally = Tally()
        requests = [loader.Raw(request(target, "GET", "/none"))] * 20
        await open_loop(target, requests, lambda _, a, s, at: tally.add(a, s, at, a.failure), rate=200, connections=2, timeout_s=0.3)
        assert tally.failures["unsent"] >= 14
        assert tally.failures.total() == 20
        assert min(tally.of("unsent")) >= 0.2
