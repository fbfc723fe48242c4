"""The loader measures truly: percentiles are elements, a stall is seen by all who waited, retries keep their key."""

import asyncio
import io
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loadtests.loader import __main__ as loader
from loadtests.loader import cpu
from loadtests.loader.history import History
from loadtests.loader.http import Answer, Connection, Pool, Target, request
from loadtests.loader.loops import closed_loop
from loadtests.loader.payers import Payers
from loadtests.loader.report import Tally, percentile, spread
from loadtests.loader.shoppers import Habits, Rush, Shopper, Won, insist, plan, read_shoppers
from tests.loadtests.conftest import Opened
from tests.loadtests.tiny_shop import TinyShop


def crowd(size: int) -> list[Shopper]:
    return [Shopper(f"shp_{number}", f"st_{number}") for number in range(size)]


async def rush_of(
    target: Target, shoppers: list[Shopper], habits: Habits, *, limit: int = 1, connections: int = 16, out: io.BytesIO | None = None
) -> Rush:
    rush = Rush("sal_1", History(out) if out else None, limit)
    await closed_loop(target, plan(target, "cards", "sal_1", shoppers, habits, random.Random(7)), rush.tell, connections=connections)
    return rush


class TestPercentiles:
    def test_they_are_elements_by_nearest_rank(self) -> None:
        hundred = [float(n) for n in range(1, 101)]
        assert [percentile(hundred, share) for share in (0.5, 0.9, 0.99, 0.999, 1.0)] == [50, 90, 99, 100, 100]
        assert percentile([3.0], 0.99) == 3.0

    def test_no_value_is_lost_among_many(self) -> None:
        """One slow answer in a thousand is the 99.9th's neighbour, and the maximum."""
        times = [0.001] * 999 + [2.0]
        assert spread(times) == {"p50": 1, "p90": 1, "p99": 1, "p999": 1, "max": 2000, "mean": 2.999}

    def test_nothing_measured_gives_nothing(self) -> None:
        assert spread([]) == {}
        assert Tally().as_json()["per_s"] == 0.0


class TestConnection:
    async def test_one_connection_is_kept_for_many_requests(self, opened: Opened) -> None:
        shop, target = await opened()
        connection = Connection(target, 5)
        answers = [await connection.ask(request(target, "GET", "/none")) for _ in range(20)]
        connection.close()
        assert {(each.status, each.code) for each in answers} == {(404, "not_found")}
        assert (shop.requests, shop.connections) == (20, 1)

    async def test_it_comes_back_after_the_server_closed(self, opened: Opened) -> None:
        shop, target = await opened(close_each=True)
        connection = Connection(target, 5)
        assert [(await connection.ask(request(target, "GET", "/none"))).status for _ in range(3)] == [404] * 3
        connection.close()
        assert shop.connections == 3

    async def test_failures_are_answers_too(self, opened: Opened) -> None:
        shop, target = await opened(lose={1})
        connection = Connection(target, 0.1)
        raw = request(target, "GET", "/none")
        assert await connection.ask(raw) == Answer(0, failure="closed")
        shop.open.clear()
        assert await connection.ask(raw) == Answer(0, failure="timeout")
        shop.open.set()
        assert (await connection.ask(raw)).status == 404
        connection.close()
        nobody = Connection(target._replace(port=1), 1)
        assert await nobody.ask(raw) == Answer(0, failure="refused")

    @pytest.mark.parametrize("path", ["/a b", "/a\r\nhost: evil", "/a\nb", ""])
    def test_a_request_that_would_break_the_framing_is_refused(self, path: str) -> None:
        with pytest.raises(ValueError, match="cannot be sent"):
            request(Target("127.0.0.1", 1, "h"), "GET", path)

    def test_a_header_cannot_smuggle_another(self) -> None:
        with pytest.raises(ValueError, match="cannot be sent"):
            request(Target("127.0.0.1", 1, "h"), "GET", "/", {"x": "1\r\ny: 2"})


class TestShoppers:
    async def test_retries_find_their_order_and_the_limit_holds(self, opened: Opened) -> None:
        shop, target = await opened(units=30, limit=1)
        rush = await rush_of(target, crowd(100), Habits(repeat=0.5, twice=0.5))
        assert (rush.units, len(rush.won), rush.violations, shop.units) == (30, 30, [], 0)
        assert rush.tally.codes["sold_out"] > 0
        assert rush.tally.codes["limit"] > 0
        assert rush.tally.count("reserved") > 30, "nobody pressed twice with one key"
        reserve = rush.reserve()
        assert (reserve["orders"], reserve["units"]) == (30, 30)
        assert 0 < reserve["seconds"] <= rush.tally.seconds

    async def test_losers_insist_and_what_they_are_told_is_apart(self, opened: Opened) -> None:
        shop, target = await opened(units=30, limit=1)
        presses = plan(target, "cards", "sal_1", crowd(100), Habits(0, 0), random.Random(7))
        rush = Rush("sal_1", None, 1, 30)
        await closed_loop(target, insist(presses, rush.winners, 700), rush.tell, connections=16)
        assert (rush.units, shop.requests, rush.violations) == (30, 700, [])
        assert rush.tail is not None
        assert rush.tally.count("reserved") == 30
        assert rush.tally.answers + rush.tail.answers == 700
        assert rush.tail.codes["sold_out"] >= 650
        assert not rush.tail.count("reserved")
        assert len(shop.orders) == 700, "each press has a key of its own"
        assert rush.reserve()["orders"] == 30

    async def test_winners_who_got_no_answer_do_not_hide_that_all_is_gone(self, opened: Opened) -> None:
        _, target = await opened(units=10, lose={3})
        presses = plan(target, "cards", "sal_1", crowd(40), Habits(0, 0), random.Random(7))
        rush = Rush("sal_1", None, 1, 11)
        await closed_loop(target, insist(presses, rush.winners, 100), rush.tell, connections=4)
        assert len(rush.undecided) == 1
        assert rush.tail is not None
        assert rush.tail.codes["sold_out"] > 80

    async def test_the_history_is_what_each_client_was_told(self, opened: Opened) -> None:
        _, target = await opened(units=2)
        await rush_of(target, crowd(4), Habits(repeat=0, twice=0), connections=1, out=(out := io.BytesIO()))
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
        assert [(line["told"], line["shopper"]) for line in lines] == [
            ("reserved", "shp_0"), ("reserved", "shp_1"), ("sold_out", "shp_2"), ("sold_out", "shp_3")
        ]  # fmt: skip
        assert [line["order_id"] for line in lines] == ["ord_0001", "ord_0000", "ord_none", "ord_none"]
        assert all(line["latency_ms"] > 0 and line["sale_id"] == "sal_1" and line["quantity"] == 1 for line in lines)
        assert all(time.time() - 60 < line["at"] <= time.time() for line in lines)
        assert len({line["key"] for line in lines}) == 4

    async def test_who_got_no_answer_asks_again_with_the_same_key(self, opened: Opened) -> None:
        shop, target = await opened(units=10, lose={3, 4}, busy={7, 8})
        rush = await rush_of(target, crowd(10), Habits(repeat=0, twice=0))
        assert len(rush.undecided) == 4
        assert len(rush.won) == 6
        args = loader.arguments(["shop", "--store", "c", "--sale", "s", "--shoppers", "x", "--port", "1", "--closed", "1"])
        assert await loader.ask_again(args, target, rush) == 1
        assert (len(rush.won), rush.units, rush.undecided, rush.violations) == (10, 10, [], [])
        assert len(shop.orders) == 10

    async def test_a_shop_that_forgets_keys_is_caught(self, opened: Opened) -> None:
        _, target = await opened(units=100, forgets_keys=True)
        rush = await rush_of(target, crowd(20), Habits(repeat=1.0, twice=0))
        assert any("for one key" in each for each in rush.violations)
        assert any("the limit is 1" in each for each in rush.violations)

    def test_tokens_are_read_bare_or_with_an_id(self) -> None:
        named, bare = read_shoppers(['{"token": "st_1", "shopper_id": "shp_1"}', "", "st_2\n"])
        assert named == Shopper("shp_1", "st_1")
        assert (bare.token, len(bare.id)) == ("st_2", 16)

    def test_the_same_seed_presses_the_same(self) -> None:
        target = Target("127.0.0.1", 1, "h")
        one, two = (plan(target, "c", "s", crowd(50), Habits(0.3, 0.3, 0.3), random.Random(1)) for _ in range(2))
        assert one == two
        assert len({each.key for each in one}) < len(one)


class TestPayers:
    async def settled(self, shop: TinyShop, target: Target) -> Payers:
        store, provider = Pool(target, 4, 5), Pool(target, 2, 5)
        payers = Payers(store, provider, "token", "cards", patience_s=5)
        await payers.settle([Won(f"ord_{n}", f"st_{n}", 1) for n in range(12)], at_once=4)
        store.close()
        provider.close()
        return payers

    async def test_they_pay_wait_and_see_their_codes(self, opened: Opened) -> None:
        payers = await self.settled(*await opened(busy={2}))
        report = payers.as_json()
        assert (report["paid"], report["orders"], report["codes"], report["duplicates"]) == (12, {"delivered": 12}, 12, 0)
        assert payers.violations == []
        assert sum(report["failures"].values()) == 1, "the one that was asked to come back later"

    async def test_a_code_seen_twice_is_caught(self, opened: Opened) -> None:
        payers = await self.settled(*await opened(same_code=True))
        assert (payers.as_json()["duplicates"], len(payers.violations)) == (11, 11)


class TestCpu:
    def test_it_counts_a_process_with_its_children_dead_and_alive(self) -> None:
        burn = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
        parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\nprint(flush=True)\nsys.stdin.read()"
        process = subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        with process:
            before = {"it": 0.0}
            process.stdout.readline()
            used = cpu.used(before, cpu.seconds_of({"it": [process.pid]}))
            process.stdin.close()
        assert 0.28 <= used["it"] < 1.0
        assert cpu.seconds_of({"me": [os.getpid()]})["me"] > 0
        with pytest.raises(ProcessLookupError):
            cpu.own(process.pid)


class TestCommand:
    async def run(self, *args: str, stdin: str = "", env: dict[str, str] | None = None) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "loadtests.loader", *args,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ | (env or {}),
        )  # fmt: skip
        out, err = await process.communicate(stdin.encode())
        return process.returncode or 0, out.decode(), err.decode()

    async def test_raw_from_standard_input(self, opened: Opened) -> None:
        shop, target = await opened()
        lines = json.dumps({"path": "/a"}) + "\n" + json.dumps({"method": "POST", "path": "/b", "body": {"x": 1}}) + "\n"
        command = ["raw", "--port", str(target.port), "--requests", "-", "--open", "100", "--count", "20", "--pid", f"self={os.getpid()}"]
        code, out, err = await self.run(*command, stdin=lines)
        assert (code, err) == (0, "")
        report = json.loads(out)
        assert (report["statuses"], report["codes"], report["loop"]) == ({"404": 20}, {"not_found": 20}, "open")
        assert set(report["cpu_s"]) == {"loader", "self"}
        assert shop.requests == 20

    async def test_arrive_writes_a_token_for_each(self, opened: Opened, tmp_path: Path) -> None:
        _, target = await opened()
        code, out, err = await self.run(
            "arrive", "--port", str(target.port), "--store", "cards", "--count", "30", "--out", str(tmp_path / "tokens"), "--closed", "4"
        )  # fmt: skip
        assert (code, err, json.loads(out)["shoppers"]) == (0, "", 30)
        shoppers = list(read_shoppers((tmp_path / "tokens").read_text().splitlines()))
        assert len({each.id for each in shoppers}) == 30
        assert (tmp_path / "tokens").stat().st_mode & 0o077 == 0

    async def test_shop_sells_out_and_pays(self, opened: Opened, tmp_path: Path) -> None:
        shop, target = await opened(units=10)
        (tmp_path / "tokens").write_text("".join(f"st_{n}\n" for n in range(40)))
        code, out, err = await self.run(
            "shop", "--port", str(target.port), "--store", "cards", "--sale", "sal_1", "--shoppers", str(tmp_path / "tokens"),
            "--closed", "8", "--limit", "1", "--history", str(tmp_path / "history"), "--report", str(tmp_path / "report"),
            "--pay-at", f"http://127.0.0.1:{target.port}",
        )  # fmt: skip
        assert (code, out, err) == (0, "", "")
        report = json.loads((tmp_path / "report").read_text())
        assert (report["units"], report["pay"]["paid"], report["pay"]["duplicates"], report["violations"]) == (10, 10, 0, [])
        told = [json.loads(line)["told"] for line in (tmp_path / "history").read_text().splitlines()]
        assert told.count("delivered") == 10
        assert len(told) == report["presses"] + 10
        assert len(shop.paid) == 10

    @pytest.mark.parametrize(
        "args", [["--target", "https://example.com", "--closed", "1"], ["--port", "1", "--closed", "1", "--pay-at", "http://10.0.0.1:80"]]
    )
    async def test_it_stays_on_this_machine_unless_told_otherwise(self, args: list[str], tmp_path: Path) -> None:
        (tmp_path / "tokens").write_text("st_1\n")
        code, _, err = await self.run("shop", "--store", "c", "--sale", "s", "--shoppers", str(tmp_path / "tokens"), *args)
        assert code == 2
        assert err.startswith("loader: ")
