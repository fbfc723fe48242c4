"""The scripts of flash sales against a real Valkey: stories of steps and answers, one rule each."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from redis.crc import key_slot

from checkout_core import admission, journal, keys
from checkout_core.admission import BATCH_MAX, Dropped, Gatekeeper, View
from checkout_core.intents import SaleKey
from checkout_core.resp import Closed, NoScript, Refused
from tests.checkout_core.gate import Gate, named, wish


class TestAdmit:
    @pytest.mark.parametrize(
        ("steps", "answers"),
        [
            # stock
            (["a", "b", "c", "d"], ["ADMITTED+"] * 3 + ["SOLD_OUT"]),
            (["a x 2", "b y 2", "c z 1"], ["ADMITTED+", "SOLD_OUT", "ADMITTED+"]),
            # the shopper's limit: he is told of it first, and that he holds something
            (["a x", "b x", "c x", "d y"], ["ADMITTED+", "ADMITTED+", "LIMIT+", "ADMITTED+"]),
            (["a x 3"], ["LIMIT"]),
            (["a x 2", "b y 1", "c x 1", "d y 1"], ["ADMITTED+", "ADMITTED+", "LIMIT+", "SOLD_OUT+"]),
            # the same order again
            (["a x", "a x"], ["ADMITTED+", "REPLAY+"]),
            (["a x 2", "b y 1", "a x 2", "c z"], ["ADMITTED+", "ADMITTED+", "REPLAY+", "SOLD_OUT"]),
        ],
    )
    @pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one batch"])
    async def test_decides_in_order(self, gate: Gate, steps: list[str], answers: list[str], together: bool) -> None:
        """Three units, two for each shopper; a batch decides as its intents would one after another."""
        await gate.load(3, limit=2)
        told = await gate.buy(*steps) if together else " ".join([await gate.buy(step) for step in steps])
        assert told == " ".join(answers)

    async def test_without_a_limit_only_stock_counts(self, gate: Gate) -> None:
        await gate.load(5, limit=0)
        assert await gate.buy("a x 4", "b x 2", "c x") == "ADMITTED+ SOLD_OUT+ ADMITTED+"

    async def test_writes_counter_shopper_and_journal(self, gate: Gate) -> None:
        await gate.load(10, epoch=7, limit=5, held=[("x", 1)])
        await gate.buy("a x 2", "b y 3", "c x 1")
        stored = await gate.stored()
        assert (stored.avail, stored.by) == (4, {named("x"): 4, named("y"): 3})
        assert stored.journal == {w.order_id: w._replace(epoch=7) for w in gate.wishes.values()}

    async def test_tells_epoch_and_what_is_left(self, gate: Gate) -> None:
        await gate.load(10, epoch=7)
        told = await gate.keeper.admit(gate.sale, [wish("a", quantity=2)])
        assert (told.epoch, told.avail) == (7, 8)

    async def test_backlog_is_bounded_and_a_refusal_stays_a_refusal(self, gate: Gate) -> None:
        await gate.load(4, limit=1)
        gate.keeper = Gatekeeper(gate.partitions, backlog_max=2)
        assert await gate.buy("a x", "b", "c", "d x", "e e 9") == "ADMITTED+ ADMITTED+ BACKLOG LIMIT+ LIMIT"
        assert (await gate.stored()).avail == 2
        await gate.ack(gate.wishes["a"])
        assert await gate.buy("c", "f") == "ADMITTED+ BACKLOG"

    async def test_a_full_batch(self, gate: Gate) -> None:
        await gate.load(BATCH_MAX - 1)
        wishes = [wish(f"o{n}") for n in range(BATCH_MAX)]
        assert (await gate.press(*wishes)).split() == ["ADMITTED+"] * (BATCH_MAX - 1) + ["SOLD_OUT"]
        assert len((await gate.stored()).journal) == BATCH_MAX - 1
        assert await gate.ack(*wishes) == BATCH_MAX - 1

    @pytest.mark.parametrize("count", [0, BATCH_MAX + 1])
    async def test_more_or_nothing_is_refused(self, gate: Gate, count: int) -> None:
        await gate.load(1000)
        with pytest.raises(Refused, match="wrong number"):
            await gate.press(*(wish(f"o{n}") for n in range(count)))
        assert (await gate.stored()).avail == 1000

    async def test_state_of_the_sale_answers_for_all(self, gate: Gate) -> None:
        assert await gate.buy("a") == "CLOSED"
        for epoch, state in enumerate(("paused", "ended", "open"), 1):
            await gate.load(epoch=epoch, state=state)
            assert await gate.buy("a") == {"paused": "PAUSED", "ended": "ENDED", "open": "ADMITTED+"}[state]

    @pytest.mark.parametrize(
        ("starts_s", "ends_s", "answer"),
        [(60, None, "NOT_STARTED"), (None, -1, "ENDED"), (-60, -1, "ENDED"), (-1, 60, "ADMITTED+"), (None, None, "ADMITTED+")],
    )
    async def test_window_by_the_clock_of_redis(self, gate: Gate, starts_s: int | None, ends_s: int | None, answer: str) -> None:
        now_ms = await gate.now_ms()
        starts_ms, ends_ms = (None if s is None else now_ms + 1000 * s for s in (starts_s, ends_s))
        await gate.load(starts_ms=starts_ms, ends_ms=ends_ms)
        assert await gate.buy("a") == answer

    async def test_opens_by_itself(self, gate: Gate) -> None:
        starts_ms = await gate.now_ms() + 100
        await gate.load(starts_ms=starts_ms)
        assert await gate.buy("a") == "NOT_STARTED"
        async with asyncio.timeout(5):
            while (told := await gate.buy("a")) == "NOT_STARTED":  # noqa: ASYNC110 - it is Redis that is waited for
                await asyncio.sleep(0.02)
        assert told == "ADMITTED+"
        entry = await gate.keeper.undecided(gate.sale, named("a"))
        assert entry is not None
        assert starts_ms <= entry.admitted_ms <= await gate.now_ms()


class TestNoTrace:
    """All checks come before the first write: an error leaves everything as it was."""

    @pytest.mark.parametrize(
        "poison",
        [
            {"quantities": b"\0\0\0\0"},
            {"quantities": b"\x3b\x9a\xca\0"},
            {"packed": b""},
        ],
        ids=str,
    )
    async def test_one_poisoned_intent_among_good_ones(self, gate: Gate, poison: dict[str, bytes]) -> None:
        with pytest.raises(Refused, match="intent 2 is malformed"):
            await self._admit(gate, poison)

    @pytest.mark.parametrize(
        "poison",
        [{"orders": b"short"}, {"shoppers": b"x" * 17}, {"quantities": b"\0\0\1"}, {"quantities": b""}],
        ids=str,
    )
    async def test_columns_of_different_lengths(self, gate: Gate, poison: dict[str, bytes]) -> None:
        with pytest.raises(Refused, match="wrong number of arguments"):
            await self._admit(gate, poison)

    @staticmethod
    async def _admit(gate: Gate, poison: dict[str, bytes]) -> None:
        """Two intents, the second with a `poison`; nothing may have changed."""
        await gate.load(10)
        good = {"orders": uuid4().bytes, "shoppers": uuid4().bytes, "quantities": b"\0\0\0\1", "packed": journal.pack(wish("a"))}
        bad = good | poison
        columns = [good[name] + bad[name] for name in ("orders", "shoppers", "quantities")]
        args = [*columns, good["packed"], bad["packed"]]
        before = await gate.stored()
        try:
            await gate.link.call("EVAL", admission.ADMIT.body, 3, *gate.keys[1:], gate.link.ident, 100, *args)
        finally:
            assert await gate.stored() == before

    @pytest.mark.parametrize("noun", ["sale", "by", "journal"])
    async def test_a_key_of_another_type(self, gate: Gate, noun: str) -> None:
        await gate.load(10)
        await gate.buy("a")
        key = getattr(gate.keys, noun)
        await gate.link.call("DEL", key)
        await gate.link.call("SET", key, "not a hash")
        with pytest.raises(Refused, match="WRONGTYPE"):
            await gate.buy("b")
        await gate.link.call("DEL", key)
        left = await gate.stored()
        assert (left.avail, len(left.by), len(left.journal)) == (0 if noun == "sale" else 9, noun != "by", noun != "journal")

    async def test_a_full_memory(self, gate: Gate) -> None:
        await gate.load(10, held=[("x", 1)])
        before = await gate.stored()
        await gate.link.call("CONFIG", "SET", "maxmemory", "1")
        try:
            with pytest.raises(Closed, match="OOM"):
                await gate.buy("a")
            with pytest.raises(Closed, match="OOM"):
                await gate.load(20, epoch=2)
            with pytest.raises(Closed, match="OOM"):
                await gate.give(1, (1, "x", 1))
        finally:
            await gate.link.call("CONFIG", "SET", "maxmemory", "0")
        assert await gate.stored() == before

    async def test_a_counter_that_is_not_a_number_is_closed(self, gate: Gate) -> None:
        await gate.load(10)
        await gate.link.call("HSET", gate.keys.sale, "avail", "plenty")
        assert await gate.buy("a") == "CLOSED"


class TestAck:
    async def test_removes_what_is_decided(self, gate: Gate) -> None:
        await gate.load()
        await gate.buy("a", "b")
        assert await gate.ack(gate.wishes["a"]) == 1
        assert set((await gate.stored()).journal) == {named("b")}
        assert await gate.ack(gate.wishes["a"]) == 0

    async def test_nothing_is_decided(self, gate: Gate) -> None:
        """As when a whole batch came through the wrong door."""
        assert await gate.ack() == 0

    async def test_a_late_one_leaves_the_second_admission_alone(self, gate: Gate) -> None:
        """Redis forgot the first, the client asked again; whoever decided the first must not hide the second."""
        await gate.load()
        await gate.buy("a")
        first = gate.wishes["a"]
        await gate.ack(first)
        await gate.buy("a")
        assert await gate.ack(first) == 0
        assert (await gate.stored()).journal[named("a")].intent_id == gate.wishes["a"].intent_id

    async def test_an_order_whose_units_came_back_is_admitted_over_itself(self, gate: Gate) -> None:
        """Whoever decided it died before Redis forgot it: the commit answers from its row, as it would for any retry."""
        await gate.load(3, limit=1)
        await gate.buy("a x")
        assert await gate.buy("a x") == "REPLAY+"
        await gate.give(1, (1, "x", 1))
        assert await gate.buy("a x") == "ADMITTED+"
        stored = await gate.stored()
        assert stored.journal[named("a")].intent_id == gate.wishes["a"].intent_id
        assert stored.avail == 2

    async def test_a_decided_order_may_be_admitted_again(self, gate: Gate) -> None:
        """Redis forgets what is decided; the commit sees another intent id and gives back."""
        await gate.load(3, limit=2)
        await gate.buy("a x")
        await gate.ack(gate.wishes["a"])
        assert await gate.buy("a x", "b x") == "ADMITTED+ LIMIT+"


class TestGiveBack:
    async def test_once(self, gate: Gate) -> None:
        await gate.load(2, limit=2)
        await gate.buy("a x 2")
        assert [await gate.give(1, (1, "x", 1), (2, "", 3)) for _ in range(2)] == ["APPLIED given=2", "ALREADY given=2"]
        stored = await gate.stored()
        assert (stored.avail, stored.by) == (4, {named("x"): 1})

    async def test_who_holds_nothing_any_more_is_forgotten(self, gate: Gate) -> None:
        await gate.load(2, limit=1)
        await gate.buy("a x")
        await gate.give(1, (1, "x", 1))
        assert (await gate.stored()).by == {}
        assert await gate.buy("b x") == "ADMITTED+"

    async def test_in_order(self, gate: Gate) -> None:
        await gate.load(0)
        assert await gate.give(1, (2, "", 1)) == "OUT_OF_STEP given=0"
        assert await gate.give(1, (1, "", 1)) == "APPLIED given=1"
        assert await gate.give(1, (1, "", 1), (2, "", 1)) == "OUT_OF_STEP given=1"
        assert await gate.give(1, (2, "", 1)) == "APPLIED given=2"
        assert (await gate.stored()).avail == 2

    async def test_of_another_epoch_is_ignored(self, gate: Gate) -> None:
        await gate.load(0, epoch=3)
        assert [await gate.give(epoch, (1, "", 1)) for epoch in (2, 4)] == ["STALE given=0", "STALE given=0"]
        assert (await gate.stored()).avail == 0

    async def test_begins_after_what_the_count_contains(self, gate: Gate) -> None:
        await gate.load(5, given=4)
        assert await gate.give(1, (3, "", 1), (4, "", 1)) == "ALREADY given=4"
        assert await gate.give(1, (5, "", 1)) == "APPLIED given=5"
        assert (await gate.stored()).avail == 6

    async def test_to_a_sale_that_is_not_there(self, gate: Gate) -> None:
        assert await gate.give(1, (1, "", 1)) == "CLOSED given=0"

    async def test_a_paused_sale_takes_them_too(self, gate: Gate) -> None:
        await gate.load(0, state="paused")
        assert await gate.give(1, (1, "", 1)) == "APPLIED given=1"

    async def test_a_malformed_row_leaves_no_trace(self, gate: Gate) -> None:
        await gate.load(0, held=[("x", 1)])
        before = await gate.stored()
        for rows in ([(1, "x", 1), (3, "", 1)], [(1, "x", 1), (2, "", -1)]):
            with pytest.raises(Refused, match="row 2 is malformed"):
                await gate.give(1, *rows)
        assert await gate.stored() == before


class TestLoad:
    async def test_replaces_everything_but_the_journal(self, gate: Gate) -> None:
        await gate.load(3, epoch=1, held=[("x", 1), ("y", 1)])
        await gate.buy("a z")
        before = await gate.stored()
        assert await gate.load(9, epoch=2, limit=4, held=[("y", 2)], given=6, starts_ms=5, ends_ms=8, state="paused") == "LOADED"
        fresh = {"epoch": 2, "avail": 9, "limit": 4, "given": 6, "starts_ms": 5, "ends_ms": 8, "state": "paused", "by": {named("y"): 2}}
        assert await gate.stored() == replace(before, **fresh)

    @pytest.mark.parametrize("epoch", [4, 5])
    async def test_refuses_an_epoch_that_is_not_newer(self, gate: Gate, epoch: int) -> None:
        await gate.load(3, epoch=5)
        before = await gate.stored()
        assert await gate.load(9, epoch=epoch, held=[("x", 1)]) == "STALE"
        assert await gate.stored() == before

    async def test_an_entry_of_an_older_epoch_is_void(self, gate: Gate) -> None:
        """The order is admitted again, over it; a late clean-up of the old one changes nothing."""
        await gate.load(1, epoch=1)
        await gate.buy("a")
        old = gate.wishes["a"]
        await gate.load(1, epoch=2)
        assert await gate.buy("a") == "ADMITTED+"
        assert await gate.ack(old) == 0
        assert (await gate.stored()).journal[named("a")] == gate.wishes["a"]._replace(epoch=2)

    async def test_any_number_of_shoppers(self, gate: Gate) -> None:
        """More than `unpack` could carry at once."""
        held = [(f"s{n}", 1 + n % 2) for n in range(20_003)]
        assert await gate.load(5, limit=2, held=held) == "LOADED"
        assert (await gate.stored()).by == {named(shopper): units for shopper, units in held}
        assert await gate.buy("a s0", "b s1", "c s20001", "d s20002") == "ADMITTED+ LIMIT+ LIMIT+ ADMITTED+"

    @pytest.mark.parametrize(
        "wrong", [{"avail": -1}, {"avail": "1.5"}, {"epoch": -1}, {"limit": -1}, {"state": "half"}, {"starts_ms": "soon"}, {"given": -2}]
    )
    async def test_malformed_leaves_no_trace(self, gate: Gate, wrong: dict[str, int | str]) -> None:
        await gate.load(3, epoch=1)
        before = await gate.stored()
        with pytest.raises(Refused, match="malformed"):
            await gate.load(**{"epoch": 2, "held": [("x", 1)], **wrong})  # type: ignore[arg-type]
        with pytest.raises(Refused, match="a shopper is malformed"):
            await gate.load(epoch=2, held=[("x", 1), ("y", -1)])
        assert await gate.stored() == before


class TestDrop:
    async def test_forgets_a_sale_whose_intents_are_decided(self, gate: Gate) -> None:
        await gate.load(epoch=2, held=[("x", 1)])
        await gate.buy("a")
        assert await gate.keeper.drop(gate.sale, 2) is Dropped.BUSY
        await gate.ack(gate.wishes["a"])
        assert await gate.keeper.drop(gate.sale, 1) is Dropped.STALE
        assert (await gate.stored()).avail == 2
        assert await gate.keeper.drop(gate.sale, 2) is Dropped.DROPPED
        assert await gate.link.call("EXISTS", *gate.keys[1:]) == 0
        assert await gate.buy("b") == "CLOSED"


class TestLooking:
    async def test_view(self, gate: Gate) -> None:
        assert await gate.keeper.view(gate.sale) is None
        await gate.load(5, epoch=3, limit=2, given=4, state="open")
        await gate.buy("a", "b")
        assert await gate.keeper.view(gate.sale) == View(True, 3, "open", 3, 2, 4, 2)
        await gate.link.call("HSET", gate.keys.sale, "ident", "another server's")
        view = await gate.keeper.view(gate.sale)
        assert view is not None
        assert not view.is_ours

    async def test_undecided(self, gate: Gate) -> None:
        await gate.load(epoch=3)
        await gate.buy("a")
        entry = await gate.keeper.undecided(gate.sale, named("a"))
        assert entry is not None
        assert entry.intent == gate.wishes["a"]._replace(epoch=3)
        assert await gate.keeper.undecided(gate.sale, named("b")) is None

    async def test_older_than_sees_every_entry_by_its_age(self, gate: Gate) -> None:
        await gate.load(2000)
        early = [wish(f"early {n}") for n in range(500)] + [wish(f"early {n}") for n in range(500, 900)]
        await gate.press(*early[:500])
        await gate.press(*early[500:])
        await asyncio.sleep(0.3)
        await gate.press(*(wish(f"late {n}") for n in range(300)))
        found = [e for entries in [e async for e in gate.keeper.older_than(gate.sale, 300)] for e in entries]
        assert {e.intent_id for e in found} == {w.intent_id for w in early}

    async def test_what_this_version_cannot_read_can_still_be_removed(self, gate: Gate) -> None:
        await gate.load()
        await gate.buy("a")
        value = await gate.link.call("HGET", gate.keys.journal, named("a").bytes)
        await gate.link.call("HSET", gate.keys.journal, named("a").bytes, value[: journal.HEAD.size] + b"\xc1")
        (entries,) = [e async for e in gate.keeper.older_than(gate.sale, 0)]
        assert [(e.intent, e.epoch) for e in entries] == [(None, 1)]
        assert await gate.keeper.ack(gate.sale, [(entries[0].order_id, entries[0].intent_id)]) == 1


class TestKeys:
    async def test_all_keys_of_a_sale_share_its_slot(self, gate: Gate) -> None:
        assert {key_slot(key) for key in gate.keys[1:]} == {key_slot(keys.tag(gate.keys.partition).encode())}

    def test_sales_spread_over_all_partitions(self) -> None:
        tenant = uuid4()
        assert {keys.partition_of(SaleKey(tenant, uuid4())) for _ in range(2000)} == set(range(keys.PARTITIONS))

    def test_a_partition_is_for_ever(self) -> None:
        assert keys.of(SaleKey(UUID(int=1), UUID(int=2)))[:2] == (
            2,
            b"{p02}:sale:00000000000000000000000000000001:00000000000000000000000000000002",
        )


class TestScripts:
    async def test_a_forgotten_script_is_sent_again_whole(self, gate: Gate) -> None:
        await gate.load()
        await gate.link.call("SCRIPT", "FLUSH")
        with pytest.raises(NoScript):
            await gate.link.call("EVALSHA", admission.ADMIT.sha, 0)
        assert await asyncio.gather(gate.buy("a"), gate.buy("b")) == ["ADMITTED+", "ADMITTED+"]
        assert (await gate.stored()).avail == 1
        assert await gate.link.call("SCRIPT", "EXISTS", admission.ADMIT.sha) == [1]
