"""Whoever races keeps the contract: the peers, and the shop with one part replaced."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from redis import Redis

from checkout_core import tokens
from checkout_core.admission import Count, Gatekeeper
from checkout_core.config import Settings
from checkout_core.ids import decode, encode, new_id
from checkout_core.intents import SaleKey
from checkout_core.partitions import Partitions
from loadtests.peers import contract, go_redigo, one_at_a_time, postgres_only, stock
from tenants.invariants.look import Options
from tenants.invariants.run import check
from tessera.processes import answers, free_port
from tests.shop import Store

LITESTAR = "loadtests.peers.litestar_redis"
COMPOSED = "loadtests.bench.composed"
STARTS_IN_S = 20.0
PEERS_DATABASE = 7


@pytest.fixture
def peers_url(settings: Settings) -> str:
    """A database of Redis where no worker looks."""
    return settings.redis_url.replace("db=0", f"db={PEERS_DATABASE}")


@pytest.fixture
def environ(settings: Settings, peers_url: str) -> dict[str, str]:
    return {
        **os.environ, "TESSERA_SECRET": settings.secret.hex(), "TESSERA_ENV": "test", "DATABASE_URL": settings.database_url,
        "REDIS_URL": peers_url, "ARQ_REDIS_URL": settings.arq_redis_url,
    }  # fmt: skip


@contextmanager
def running(command: list[str], port: int, environ: dict[str, str]) -> Iterator[None]:
    """A process that answers on `port`, for as long as the block lasts."""
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + STARTS_IN_S
    try:
        while not answers(port, "/readyz"):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=STARTS_IN_S)


def module(name: str, port: int, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments, "--port", str(port)]


def shopper_of(settings: Settings, store: Store) -> Callable[[], str]:
    return lambda: tokens.issue(store.process.keys.shoppers, store.tenant_id)[0]


class TestOfOneScript:
    """Racers whose sales are in Redis only."""

    @pytest.mark.parametrize("settings_of", [(), ("--plain",)], ids=["best", "plain"])
    async def test_litestar(self, settings: Settings, environ: dict[str, str], acme: Store, settings_of: tuple[str, ...]) -> None:
        port = free_port()
        with running(module(LITESTAR, port, *settings_of), port, environ), Redis.from_url(environ["REDIS_URL"]) as redis:
            assert contract.faults(port, acme.slug, shopper_of(settings, acme), seller(redis)) == []

    async def test_go(self, settings: Settings, environ: dict[str, str], acme: Store, tmp_path: Path) -> None:
        try:
            program = go_redigo.build(tmp_path)
        except go_redigo.NoGo as missing:
            pytest.skip(str(missing))
        port = free_port()
        own = environ | go_redigo.environ_of(settings.secret, environ["REDIS_URL"], cores=1)
        with running(go_redigo.command(program, port), port, own), Redis.from_url(environ["REDIS_URL"]) as redis:
            assert contract.faults(port, acme.slug, shopper_of(settings, acme), seller(redis)) == []

    def test_one_at_a_time(self, peers_url: str) -> None:
        """Both who drive it: ours, and redis-benchmark where it is."""
        for own in (True, False):
            report = one_at_a_time.run(peers_url, 2_000, own=own)
            assert report["per_s"] > 0
            assert report["count"] - 5 <= report["reserved"] <= report["count"]


def seller(redis: Redis) -> Callable[[int, int], str]:
    def open_sale(units: int, limit: int) -> str:
        sale_id = new_id()
        stock.open_sale(redis, sale_id, units, limit)
        return encode("sal", sale_id)

    return open_sale


async def violations(settings: Settings) -> dict[str, int]:
    """What the checker finds wrong with units, slots and amounts, in all stores together."""
    report = await check(settings, Options())
    return {verdict.name: verdict.violations for verdict in report.verdicts if verdict.name in ("I2", "I8", "I13")}


class TestComposed:
    """The shop with one part replaced."""

    async def test_answered_after_redis(self, settings: Settings, environ: dict[str, str], peers_url: str, acme: Store) -> None:
        # Opened beforehand, for the contract is asked from outside of any loop.
        sales = []
        async with Partitions(peers_url) as partitions:
            for units, limit in ((3, 2), (2, 1)):
                sale_id = new_id()
                await Gatekeeper(partitions).load(SaleKey(acme.tenant_id, sale_id), Count(1, "open", units, limit), [])
                sales.append(encode("sal", sale_id))
        port = free_port()
        with running(module(COMPOSED, port, "acked"), port, environ):
            assert contract.faults(port, acme.slug, shopper_of(settings, acme), lambda *_: sales.pop(0)) == []

    async def test_postgres_alone(self, settings: Settings, environ: dict[str, str], acme: Store) -> None:
        """And what it leaves in the shop's tables is what the checker would have; other tests of this database may have left worse."""
        before = await violations(settings)
        opened = [await acme.sale(units=units, limit_per_shopper=limit) for units, limit in ((3, 2), (2, 1))]
        sales = list(opened)
        port = free_port()
        with running(module(COMPOSED, port, "postgres", "--pool", "4"), port, environ):
            assert contract.faults(port, acme.slug, shopper_of(settings, acme), lambda *_: sales.pop(0)) == []
        admin = await asyncpg.connect(settings.database_url)
        for sale in opened:
            await postgres_only.settle(admin, SaleKey(acme.tenant_id, decode("sal", sale)))
        committed = await admin.fetch("SELECT committed FROM sale WHERE tenant_id = $1 ORDER BY allotted", acme.tenant_id)
        await admin.close()
        assert [row[0] for row in committed] == [1, 3]
        assert await violations(settings) == before

    @pytest.mark.parametrize(("kind", "status"), [("constant", 201), ("refused", 409), ("decided", 201)])
    async def test_constant_replies(self, settings: Settings, environ: dict[str, str], acme: Store, kind: str, status: int) -> None:
        """They reserve nothing, but know who asks and what."""
        port = free_port()
        sale = encode("sal", new_id())
        with running(module(COMPOSED, port, kind), port, environ):
            till = contract.Till(port, acme.slug)
            token = shopper_of(settings, acme)()
            assert [till.press(token, sale, key).status for key in "ab"] == [status, status]
            assert contract.strangers(till, token, sale) == []
            till.close()


class TestContract:
    """The judge itself sees somebody who answers faster by doing nothing."""

    async def test_sees_a_constant_reply(self, settings: Settings, environ: dict[str, str], acme: Store) -> None:
        port = free_port()
        with running(module(LITESTAR, port, "--constant"), port, environ):
            wrong = contract.faults(port, acme.slug, shopper_of(settings, acme), lambda *_: encode("sal", new_id()))
        assert any("one unit too many" in each for each in wrong)
        assert any("limit" in each for each in wrong)
