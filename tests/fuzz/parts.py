"""What is compiled besides the reader and the desk: ids, MACs and tokens, who gets units, what was seen lately, batches."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

from checkout_core import tokens
from checkout_core.errors import NotFound, Unauthorized, Unavailable
from checkout_core.ids import encode
from checkout_core.intents import SaleKey
from tests.fuzz.mutate import SIZES, mutated
from tests.fuzz.presses import HOME, KEYS, SALES, TOKENS

NOW_S = 2_000_000_000.0

# Ids

ID_WORDS = [b"ord_", b"_", b"0" * 32, b"A", b"{", b"}", b"-", b"urn:uuid:", "٣".encode(), b"\0"]


def an_id(dice: Random) -> tuple[str, str, bytes, bytes, int]:
    """A prefix, what should be an id with it, the bytes of another, ten of chance, and the time in ns."""
    prefix = dice.choice(("sal", "sal", "ord", ""))
    text = mutated(dice, encode(prefix, dice.choice(SALES)).encode(), ID_WORDS).decode(dice.choice(("latin-1", "utf-8")), "replace")
    size = 16 if dice.random() < 0.7 else dice.choice(SIZES[:12])
    return prefix, text, dice.randbytes(size), dice.randbytes(10), dice.randrange(2**63)


def named(core: ModuleType) -> Callable[[tuple[str, str, bytes, bytes, int]], Any]:
    def read(value: tuple[str, str, bytes, bytes, int]) -> Any:
        prefix, text, raw, ten, now_ns = value
        clock, time.time_ns = time.time_ns, lambda: now_ns
        try:
            drawn = core.of_chance(ten)
        finally:
            time.time_ns = clock
        try:
            known = core.of_bytes(raw)
        except ValueError as error:
            known = str(error)
        try:
            return drawn, known, core.encode(prefix, core.decode(prefix, text))
        except NotFound as error:
            return drawn, known, error.detail

    return read


# Tokens and MACs


def a_token(dice: Random) -> bytes:
    return mutated(dice, dice.choice(TOKENS), [b"st_", b"=", b"==", b"-", b"_", b"+", b"/", b"A" * 72, b"\n", *TOKENS])


def verified(core: ModuleType) -> Callable[[bytes], Any]:
    mac = core.Mac(KEYS.shoppers, 18)

    def read(token: bytes) -> Any:
        try:
            return tokens.verify_under(mac, token, NOW_S)
        except Unauthorized as error:
            return error.detail

    return read


def a_message(dice: Random) -> tuple[bytes, int, list[bytes]]:
    """A key, the size of its MACs, and what they are of."""
    return dice.randbytes(dice.randint(1, 64)), dice.randint(1, 64), [mutated(dice, b"k-1", TOKENS) for _ in range(dice.randint(1, 4))]


def macs(core: ModuleType) -> Callable[[tuple[bytes, int, list[bytes]]], Any]:
    def read(value: tuple[bytes, int, list[bytes]]) -> Any:
        key, size, messages = value
        mac = core.Mac(key, size)
        each = [mac.of(message) for message in messages]
        return each, [core.mac(key, message, size) for message in messages] == each, core.mac128(key, *messages), core.derive(key, "orders")

    return read


# Who gets units

Batch = tuple[list[tuple[int, int]], list[tuple[int, int]], int, int]


def a_batch(dice: Random) -> Batch:
    """Wishes of (shopper, quantity), masks that shoppers hold, the limit, what is free."""
    limit = dice.choice((0, 1, 1, 2, 3, 8, 62, 63, 64, 65, 100, 1000))
    most = dice.choice((1, 2, 6, 100))
    wishes = [(dice.randrange(8), dice.randint(1, most)) for _ in range(dice.choice((0, 1, 2, 8, 64, 512)))]
    held = [(shopper, dice.getrandbits(limit)) for shopper in range(dice.randint(0, 8) if limit else 0)]
    return wishes, held, limit, dice.choice((0, 1, 2, 30, 500, 2**31, 2**62))


def decided(core: ModuleType) -> Callable[[Batch], Any]:
    def read(value: Batch) -> Any:
        wishes, held, limit, free = value
        taken = dict(held)
        return core.decide(list(wishes), taken, limit, free), taken

    return read


# What was seen lately


def a_memory(dice: Random) -> tuple[int, list[tuple[str, bytes]]]:
    """Its size, and what is done with it."""
    keys = [mutated(dice, b"k", TOKENS) for _ in range(6)]
    return dice.randint(1, 4), [(dice.choice(("get", "keep", "keep", "get", "get", "clear")), dice.choice(keys)) for _ in range(40)]


def remembered(core: ModuleType) -> Callable[[tuple[int, list[tuple[str, bytes]]]], Any]:
    def read(value: tuple[int, list[tuple[str, bytes]]]) -> Any:
        size, doings = value
        memory, found = core.Recent(size), []
        for n, (what, key) in enumerate(doings):
            if what == "get":
                found.append(memory.get(key))
            elif what == "keep":
                memory.keep(key, n)
            else:
                memory.clear()
        return found

    return read


# Batches

Rush = tuple[int, int, int, list[tuple[str, int, int]], list[tuple[str, int]]]


class Deaf(Exception): ...


def a_rush(dice: Random) -> Rush:
    """The largest batch, how many may wait, flights at once; what happens, and what becomes of each commit after so many turns of the loop.

    ("enter", sale, intent), ("gone", …) for one who gives up, ("deaf", …) for one who fails to be told, ("turns", how many, 0).
    """
    happens = [
        (dice.choice(("enter", "enter", "enter", "gone", "deaf")), dice.randrange(len(SALES)), n)
        if dice.random() < 0.8
        else ("turns", dice.randrange(4), 0)
        for n in range(dice.choice((1, 5, 40)))
    ]
    fates = [(dice.choice(("told", "told", "late", "spoilt", "unavailable")), dice.randrange(3)) for _ in range(5)]
    return dice.choice((1, 3, 512)), dice.choice((2, 5, 1000)), dice.randint(1, 2), happens, fates


def settled(core: ModuleType) -> Callable[[Rush], Any]:
    def read(rush: Rush) -> Any:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(_play(core, rush))

    return read


async def _play(core: ModuleType, rush: Rush) -> list[Any]:
    batch_max, waiting_max, flights, happens, fates = rush
    heard: list[Any] = []

    async def commit(sale: SaleKey, intents: Sequence[int]) -> list[Any]:
        fate, turns = fates[len(heard) % len(fates)]
        heard.append((SALES.index(sale.sale_id), list(intents), fate))
        for _ in range(turns):
            await asyncio.sleep(0)
        if fate == "unavailable":
            raise Unavailable("gone")
        if fate == "spoilt" and any(intent % 3 == 0 for intent in intents):
            raise ValueError(intents[0])
        return [_later(intent) if fate == "late" and intent % 2 else intent for intent in intents]

    def told(intent: int, what: str) -> Callable[[Any], None]:
        def settle(answer: Any) -> None:
            heard.append((intent, answer if isinstance(answer, int) else repr(answer)))
            if what == "deaf":
                raise Deaf

        return settle

    batcher = core.Batcher(commit, batch_max=batch_max, waiting_max=waiting_max, flights=flights)
    for what, where, intent in happens:
        if what == "turns":
            for _ in range(where):
                await asyncio.sleep(0)
        else:
            waiter = SimpleNamespace(gone=what == "gone", settle=told(intent, what))
            with suppress(Deaf):  # too many wait, and he is told so at once
                batcher.enter(SaleKey(HOME, SALES[where]), intent, waiter)
    await batcher.aclose()
    for _ in range(3):  # those who are told late
        await asyncio.sleep(0)
    return heard


def _later(answer: int) -> asyncio.Future[int]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[int] = loop.create_future()
    loop.call_soon(future.set_result, answer)
    return future
