"""The Lua scripts and their readable twin, given the same steps, answer the same and leave the same behind.

A comparison that cannot fail proves nothing: each safety is taken out of the Lua in turn, and must be missed.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from checkout_core import admission
from checkout_core.admission import Count, Gatekeeper, Return
from checkout_core.intents import Intent, SaleKey
from checkout_core.partitions import Partitions
from checkout_core.scripts import Script
from tessera.embedded import Servers
from tests.checkout_core import twin
from tests.checkout_core.gate import Gate, named, wish

EXAMPLES = 250
FAR_MS = 3_600_000

orders = st.integers(0, 3)
shoppers = st.sampled_from(["x", "y", "z"])
few = st.integers(0, 3)
epochs = st.integers(1, 3)
returns = st.lists(st.tuples(st.sampled_from(["x", "y", ""]), few, few), min_size=1, max_size=3)
windows = st.sampled_from([(None, None), (None, None), (-FAR_MS, FAR_MS), (FAR_MS, None), (None, -FAR_MS)])
counts = st.builds(
    lambda epoch, state, avail, limit, given, window: (Count(epoch, state, avail, limit, given), window),
    epochs,
    st.sampled_from(["open", "open", "open", "paused", "ended"]),
    st.integers(0, 9),
    few,
    st.integers(0, 1),
    windows,
)
admit = st.tuples(
    st.just("admit"), st.lists(st.tuples(orders, shoppers, st.integers(1, 3)), min_size=1, max_size=6), st.sampled_from([1, 2, 99])
)
step = st.one_of(
    admit,
    admit,
    st.tuples(st.just("ack"), st.lists(st.integers(0, 30), min_size=1, max_size=4)),
    st.tuples(st.just("give_back"), epochs, few, returns),
    st.tuples(st.just("load"), counts, st.dictionaries(shoppers, st.integers(1, 3))),
    st.tuples(st.just("drop"), epochs),
    st.tuples(st.just("restart")),
    st.tuples(st.just("flush")),
)
opened = st.builds(lambda avail, limit: (Count(1, "open", avail, limit), (None, None)), st.integers(0, 9), few)
opening = st.tuples(st.just("load"), opened, st.just({}))
stories = st.builds(lambda first, second, rest: [first, second, *rest], opening, admit, st.lists(step, max_size=12))


class Stage:
    """One sale twice: in Redis, and as plain values."""

    def __init__(self, partitions: Partitions) -> None:
        self.gate = Gate(Gatekeeper(partitions), partitions)
        self.partitions = partitions
        self.values = twin.Stored()
        self.intents: list[Intent] = []

    async def play(self, story: list[tuple[Any, ...]]) -> None:
        for name, *args in story:
            told, expected = await getattr(self, name)(*args)
            assert told == expected, name
            assert await self.gate.stored() == self.values, name

    @property
    def sale(self) -> SaleKey:
        return self.gate.sale

    @property
    def ident(self) -> str:
        return self.gate.link.ident

    async def admit(self, wishes: list[tuple[int, str, int]], backlog_max: int) -> tuple[Any, Any]:
        intents = [wish(f"order {order}", shopper, quantity) for order, shopper, quantity in wishes]
        self.intents += intents
        now_ms = await self.gate.now_ms()
        told = await Gatekeeper(self.partitions, backlog_max=backlog_max).admit(self.sale, intents)
        return told, twin.admit(self.values, self.ident, now_ms, backlog_max, intents)

    async def ack(self, which: list[int]) -> tuple[Any, Any]:
        decided = [(i.order_id, i.intent_id) for i in (self.intents[n % len(self.intents)] for n in which if self.intents)]
        if not decided:
            return None, None
        return await self.gate.keeper.ack(self.sale, decided), twin.ack(self.values, decided)

    async def give_back(self, epoch: int, after: int, rows: list[tuple[str, int, int]]) -> tuple[Any, Any]:
        made = [Return(after + n, named(name) if name else None, units, slots) for n, (name, units, slots) in enumerate(rows, 1)]
        return await self.gate.keeper.give_back(self.sale, epoch, made), twin.give_back(self.values, self.ident, epoch, made)

    async def load(self, counted: tuple[Count, tuple[int | None, int | None]], held: dict[str, int]) -> tuple[Any, Any]:
        now_ms = await self.gate.now_ms()
        starts_ms, ends_ms = (None if at is None else now_ms + at for at in counted[1])
        count = counted[0]._replace(starts_ms=starts_ms, ends_ms=ends_ms)
        pairs = [(named(shopper), units) for shopper, units in held.items()]
        return await self.gate.keeper.load(self.sale, count, pairs), twin.load(self.values, self.ident, count, pairs)

    async def drop(self, epoch: int) -> tuple[Any, Any]:
        return await self.gate.keeper.drop(self.sale, epoch), twin.drop(self.values, epoch)

    async def restart(self) -> tuple[Any, Any]:
        """With its data, which then is another server's."""
        if self.values.ident is not None:
            await self.gate.link.call("HSET", self.gate.keys.sale, "ident", "another server's")
            self.values = replace(self.values, ident="another server's")
        return None, None

    async def flush(self) -> tuple[Any, Any]:
        await self.gate.link.call("DEL", *self.gate.keys[1:])
        self.values = twin.Stored()
        return None, None


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Hypothesis calls plain functions; they run their steps on a loop of their own."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def check_same(valkey: Servers, loop: asyncio.AbstractEventLoop, **limits: Any) -> None:
    """Raises `AssertionError` at the first story in which Lua and twin differ."""
    partitions = loop.run_until_complete(open_partitions(valkey))

    @settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, **limits)
    @given(stories)
    def same(story: list[tuple[Any, ...]]) -> None:
        loop.run_until_complete(Stage(partitions).play(story))

    try:
        same()
    finally:
        loop.run_until_complete(partitions.__aexit__())


async def open_partitions(valkey: Servers) -> Partitions:
    valkey.wait_ready("valkey")
    return await Partitions(valkey.redis_url).__aenter__()


def test_lua_and_twin_agree(valkey: Servers, loop: asyncio.AbstractEventLoop) -> None:
    check_same(valkey, loop, max_examples=EXAMPLES)


@pytest.mark.parametrize(
    ("script", "safety", "without"),
    [
        ("admit", "stored[1] ~= ident or", ""),
        ("admit", "state == 'paused'", "false"),
        ("admit", "now_ms < starts_ms", "false"),
        ("admit", "now_ms >= ends_ms", "false"),
        ("admit", "(again and pending[order]) or", ""),
        ("admit", "if pending then pending[order] = true end", ""),
        ("admit", "for at = 1, n, 2", "for at = 1, 0, 2"),
        ("admit", "string.sub(entry, 9, 16) == stamp_epoch", "false"),
        ("admit", "string.sub(entry, 9, 16) == stamp_epoch", "true"),
        ("admit", "holds + quantity > limit", "holds > limit"),
        ("admit", "again or", ""),
        ("admit", "left < quantity", "left < 1"),
        ("admit", "backlog >= backlog_max", "false"),
        ("admit", "backlog = left - quantity, backlog + 1", "backlog = left - quantity, backlog"),
        ("ack", "and string.sub(entries[i], 17, 32) == intents[i]", ""),
        ("give_back", "stored[1] ~= ident or", ""),
        ("give_back", "if stored_epoch ~= epoch", "if false"),
        ("give_back", "if given ~= from_seq", "if given > from_seq"),
        ("give_back", "if given ~= from_seq", "if given < from_seq"),
        ("load", "stored >= epoch", "stored > epoch"),
        ("load", "stored >= epoch", "false"),
        ("load", "redis.call('UNLINK', by)", ""),
        ("drop", "stored > epoch", "false"),
        ("drop", "redis.call('HLEN', KEYS[3]) > 0", "false"),
    ],
)
def test_a_safety_taken_out_is_missed(
    valkey: Servers, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch, script: str, safety: str, without: str
) -> None:
    whole: Script = getattr(admission, script.upper())
    text = whole.body.decode()
    assert text.count(safety) == 1
    monkeypatch.setattr(admission, script.upper(), Script.of(text.replace(safety, without).encode()))
    with pytest.raises(AssertionError):
        check_same(valkey, loop, max_examples=2000, phases=[Phase.generate], derandomize=True)
