"""Levels: what follows from what was bought when; and what comes with one."""

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

import pytest

from checkout_core.ids import encode
from tenants.points.levels import Standing, replay
from tests.shop import Store
from tests.tenants.points.member import PROGRAM, Member, program, rows, work
from tests.tenants.prices.shelf import group

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
THRESHOLDS = (100, 300, 1000)


def day(n: int) -> dt.datetime:
    return START + dt.timedelta(days=n)


class Case(NamedTuple):
    """`grown` by day; what it is on the day `now`. A period of 0 is for ever."""

    grown: Sequence[tuple[int, int]]
    now: int
    rank: int
    growth: int
    since: int | None = None
    until: int | None = None
    in_grace: bool = False
    period: int = 0
    grace: int = 0


CASES = [
    Case([], 5, 0, 0),
    Case([(0, 99)], 5, 0, 99),
    Case([(0, 100)], 5, 1, 100, 0),
    Case([(0, 60), (3, 40)], 2, 0, 60),
    Case([(0, 60), (3, 40)], 3, 1, 100, 3),
    Case([(0, 300)], 0, 2, 300, 0),
    Case([(0, 100), (4, 5000)], 9999, 3, 5100, 4),
    # A period of ten days: earned again within it, or down.
    Case([(0, 100)], 9, 1, 100, 0, 10, period=10),
    Case([(0, 100)], 10, 0, 0, period=10),
    Case([(0, 100), (5, 100)], 10, 1, 100, 0, 20, period=10),
    Case([(0, 100), (5, 100)], 20, 0, 0, period=10),
    Case([(0, 300), (5, 100)], 10, 1, 100, 10, 20, period=10),
    Case([(0, 300), (5, 100)], 20, 0, 0, period=10),
    Case([(0, 1000), (5, 300)], 25, 0, 0, period=10),
    Case([(0, 100), (8, 299)], 9, 2, 399, 8, 18, period=10),
    # With five days of grace.
    Case([(0, 100)], 10, 1, 0, 0, 15, True, period=10, grace=5),
    Case([(0, 100)], 15, 0, 0, period=10, grace=5),
    Case([(0, 100), (12, 100)], 12, 1, 100, 0, 22, False, period=10, grace=5),
    Case([(0, 100), (12, 60)], 12, 1, 60, 0, 15, True, period=10, grace=5),
    Case([(0, 300), (12, 100)], 15, 1, 100, 15, 25, period=10, grace=5),
    Case([(0, 100)], 5000, 0, 0, period=10, grace=5),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case(case: Case) -> None:
    period = dt.timedelta(days=case.period) if case.period else None
    found = replay([(day(at), growth) for at, growth in case.grown], THRESHOLDS, period, dt.timedelta(days=case.grace), day(case.now))
    since, until = (None if n is None else day(n) for n in (case.since, case.until))
    assert found == Standing(case.rank, case.growth, since, until, case.in_grace)


def silver(**about: object) -> dict[str, object]:
    return {"name": "Silver", "growth": 30, "earn_percent": 200, **about}


async def level(member: Member) -> str | None:
    found = (await member.account())["account"]["standing"]["level"]
    return found and str(found["name"])


async def groups_of(member: Member) -> list[str]:
    sql = "SELECT group_id FROM group_member WHERE tenant_id = $1 AND shopper_id = $2"
    return [encode("grp", row[0]) for row in await rows(member.store, sql, member.id)]


class TestWhatComesWithIt:
    async def test_the_rate_of_the_level_that_he_had_before(self, acme: Store) -> None:
        await program(acme, silver())
        member = await Member.of(acme)
        for name in "ab":
            await member.buy(name)
            await work(acme)
        assert await member.kinds() == [("order", 10), ("order", 20)]
        assert await level(member) == "Silver"

    async def test_a_refund_takes_the_level_and_exactly_what_was_earned_at_it(self, acme: Store) -> None:
        await program(acme, silver())
        member = await Member.of(acme)
        for name in "ab":
            await member.buy(name)
            await work(acme)
        for name in "ab":
            await member.refund(name)
        await work(acme)
        found = (await member.account())["account"]
        assert (found["balance"], found["owed"], found["standing"]["growth"], await level(member)) == (0, 0, 0, None)
        told = (await member.account())["levels"]
        assert [each["name"] for each in told] == [None, "Silver"]

    async def test_the_prices_of_its_group_for_as_long(self, acme: Store) -> None:
        gold, silvers = await group(acme, name="Gold"), await group(acme, name="Silver")
        await program(acme, silver(group_id=silvers), {"name": "Gold", "growth": 60, "group_id": gold})
        member = await Member.of(acme)
        seen = []
        for name in "ab":
            await member.buy(name)
            await work(acme)
            seen.append(await groups_of(member))
        await member.refund("a")
        await work(acme)
        seen.append(await groups_of(member))
        await member.refund("b", 1)
        await work(acme)
        seen.append(await groups_of(member))
        assert seen == [[silvers], [gold], [silvers], []]

    async def test_a_group_that_a_level_has_stays(self, acme: Store) -> None:
        silvers = await group(acme)
        await program(acme, silver(group_id=silvers))
        refused = await acme.client.delete(f"/v1/buyer-groups/{silvers}", headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (409, "buyer_group_in_use")
        await program(acme)
        assert (await acme.client.delete(f"/v1/buyer-groups/{silvers}", headers=acme.merchant)).status_code == 204

    async def test_other_thresholds_are_in_force_for_all(self, acme: Store) -> None:
        silvers = await group(acme)
        made = (await program(acme, silver()))["levels"]
        member = await Member.of(acme)
        await member.buy()
        await work(acme)
        await program(acme, {**made[0], "growth": 31, "group_id": silvers})
        await work(acme)
        assert (await level(member), await groups_of(member)) == (None, [])
        await program(acme, {**made[0], "growth": 29, "group_id": silvers})
        await work(acme)
        assert (await level(member), await groups_of(member)) == ("Silver", [silvers])

    async def test_what_is_missing_to_the_next(self, acme: Store) -> None:
        await program(acme, silver(), {"name": "Gold", "growth": 100})
        member = await Member.of(acme)
        await member.buy()
        await work(acme)
        found = (await member.account())["account"]["standing"]
        assert (found["level"]["name"], found["next"]["name"], found["growth"], found["missing"]) == ("Silver", "Gold", 30, 70)

    async def test_whatever_comes_first_the_level_is_the_same(self, acme: Store) -> None:
        await program(acme, silver(growth=60))
        first = await Member.of(acme)
        ends = set()
        for order in itertools.permutations("abc"):
            member = await Member.of(acme, first.sale)
            for name in "abc":
                await member.buy(name)
            for name in order[:1]:
                await member.refund(name)
            await work(acme)
            ends.add((await level(member), (await member.account())["account"]["standing"]["growth"]))
        assert ends == {("Silver", 60)}


class TestLadder:
    @pytest.mark.parametrize(
        "levels",
        [
            [silver(), {"name": "silver", "growth": 40}],
            [silver(), {"name": "Gold", "growth": 30}],
            [silver(), {"name": "Gold", "growth": 20}],
            [silver(id=f"lvl_{uuid4().hex}")],
        ],
        ids=["a name twice", "as much twice", "less than the one before", "an id of nobody's"],
    )
    async def test_that_cannot_be(self, acme: Store, levels: list[dict[str, object]]) -> None:
        headers = acme.merchant | {"If-Match": "*"}
        answer = await acme.client.put(PROGRAM, headers=headers, json={"levels": levels})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_levels")

    async def test_a_foreign_group_is_not_there(self, acme: Store, globex: Store) -> None:
        theirs = await group(globex)
        headers = acme.merchant | {"If-Match": "*"}
        answer = await acme.client.put(PROGRAM, headers=headers, json={"levels": [silver(group_id=theirs)]})
        assert answer.status_code == 404
