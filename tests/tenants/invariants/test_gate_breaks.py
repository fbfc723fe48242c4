"""The gate in Redis, made to differ from the rows in each way the checker looks for (I6)."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from checkout_core import keys
from checkout_core.admission import Count, Gatekeeper, Return
from checkout_core.ids import new_id
from checkout_core.intents import Intent, Outcome
from checkout_core.partitions import Partitions
from tenants.db import create_pool, dsn_for
from tenants.orders import commit_batch
from tests.tenants.invariants.conftest import Bench, rows, violated


class AtTheGate:
    """What may go wrong with it, by the same scripts as in life or by hand."""

    def __init__(self, bench: Bench, gatekeeper: Gatekeeper, redis: Redis) -> None:
        self.bench = bench
        self.gatekeeper = gatekeeper
        self.redis = redis
        self.names = keys.of(bench.flash)

    async def counts_a_unit_too_many(self) -> None:
        await self.redis.hincrby(self.names.sale, "avail", 1)

    async def lost_a_unit(self) -> None:
        await self.redis.hincrby(self.names.sale, "avail", -1)

    async def admitted_somebody_nobody_decides(self) -> None:
        await self.gatekeeper.admit(self.bench.flash, [Intent(new_id(), new_id(), new_id(), 1, bytes(16), None)])

    async def admitted_more_than_is_left(self) -> None:
        await self.counts_a_unit_too_many()
        await self.admitted_somebody_nobody_decides()

    async def was_given_a_return_twice(self) -> None:
        given = await self.gatekeeper.give_back(self.bench.flash, 2, [Return(3, self.bench.store.ids["shopper_returned_2"], 1, 1)])
        assert given.given == 3

    async def was_given_a_return_that_has_no_row(self) -> None:
        await self.lost_a_unit()
        await self.was_given_a_return_twice()

    async def forgot_a_shopper(self) -> None:
        await self.redis.delete(self.names.by)

    async def remembers_a_shopper_who_holds_nothing(self) -> None:
        await self.redis.hset(self.names.by, self.bench.store.ids["shopper_cancelled"].bytes, 1)

    async def was_emptied(self) -> None:
        await self.redis.delete(*self.names[1:])

    async def was_loaded_on_another_server(self) -> None:
        await self.redis.hset(self.names.sale, "ident", "another:server")

    async def is_of_an_older_epoch(self) -> None:
        await self.bench.execute("UPDATE sale SET epoch = 3 WHERE id = {flash}")

    async def outlived_its_sale(self) -> None:
        over = self.bench.flash._replace(sale_id=self.bench.store.ids["over_flash"])
        await self.gatekeeper.load(over, Count(epoch=2, state="ended", avail=0, limit=0), [])


Go = Callable[[AtTheGate], Awaitable[None]]
# What goes wrong, whether it is wrong while the sale runs and shoppers press, and what the report names.
CASES: list[tuple[Go, bool, str]] = [
    (AtTheGate.counts_a_unit_too_many, True, "flash"),
    (AtTheGate.admitted_more_than_is_left, True, "flash"),
    (AtTheGate.lost_a_unit, False, "flash"),
    (AtTheGate.admitted_somebody_nobody_decides, False, "flash"),
    (AtTheGate.was_given_a_return_twice, True, "flash"),
    (AtTheGate.was_given_a_return_that_has_no_row, False, "flash"),
    (AtTheGate.forgot_a_shopper, False, "shopper_flashed"),
    (AtTheGate.remembers_a_shopper_who_holds_nothing, False, "shopper_cancelled"),
    (AtTheGate.was_emptied, False, "flash"),
    (AtTheGate.was_loaded_on_another_server, False, "flash"),
    (AtTheGate.is_of_an_older_epoch, False, "flash"),
    (AtTheGate.outlived_its_sale, False, "over_flash"),
]


@pytest.fixture
async def at_the_gate(bench: Bench) -> AsyncIterator[AtTheGate]:
    async with Partitions(bench.settings.redis_url) as partitions, Redis.from_url(bench.settings.redis_url) as redis:
        yield AtTheGate(bench, Gatekeeper(partitions), redis)


@pytest.mark.parametrize(("go", "also_in_motion", "names"), CASES, ids=[go.__name__ for go, *_ in CASES])
async def test_broken_and_seen(go: Go, also_in_motion: bool, names: str, bench: Bench, at_the_gate: AtTheGate) -> None:
    await go(at_the_gate)
    assert violated(await bench.check()) == ({"I6"} if also_in_motion else set())
    report = await bench.check(at_rest=True)
    assert violated(report) == {"I6"}
    assert report.exit_code == 1
    assert bench.store.ids[names].hex in rows(report, "I6")


async def test_keys_may_outlive_a_sale_by_a_minute(bench: Bench, at_the_gate: AtTheGate) -> None:
    await at_the_gate.outlived_its_sale()
    ended = """INSERT INTO audit (tenant_id, id, at, actor, action, subject)
               VALUES ($1, $2, now() - $4::float8 * interval '1 s', 'me', 'sale.ended', $3)"""
    for ago_s, found in ((50.0, set[str]()), (70.0, {"I6"})):
        await bench.conn.execute(ended, bench.flash.tenant_id, new_id(), f"sal_{bench.store.ids['over_flash'].hex}", ago_s)
        assert violated(await bench.check()) == found


async def test_a_winner_is_counted_once_on_his_way(bench: Bench, at_the_gate: AtTheGate) -> None:
    """First his unit is neither in the counter nor committed, but in the journal; then it is committed, and in the journal still."""
    sale = bench.flash
    intent = Intent(new_id(), new_id(), new_id(), 1, bytes(16), None)
    await at_the_gate.gatekeeper.admit(sale, [intent])
    assert violated(await bench.check()) == set()
    pool = await create_pool(dsn_for(bench.settings, "tessera_app"), size=1)
    async with pool:
        [decision] = await commit_batch(pool, sale, [intent._replace(epoch=2)])
    assert decision.outcome == Outcome.RESERVED
    assert violated(await bench.check()) == set()
    await at_the_gate.counts_a_unit_too_many()
    assert violated(await bench.check()) == {"I6"}
