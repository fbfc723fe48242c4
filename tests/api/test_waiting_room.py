"""The waiting room of a flash sale: one place a shopper, in the order of arrival, and nobody before who waits."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.process import Process
from api.waiting_rooms import Known, standing
from checkout_core import keys, room, scripts
from checkout_core.ids import new_id
from checkout_core.intents import SaleKey
from checkout_core.partitions import Partitions
from checkout_core.room import Place, Room, Status
from checkout_core.scripts import Script
from tenants.db import tenant_tx
from tests.api.test_flash import Flash, gatekeeper, open_flash  # noqa: F401  its fixtures
from tests.api.test_storefront import buy, fields
from tests.shop import Store


@pytest.fixture
async def line(acme: Store, open_flash: Any) -> AsyncIterator["Line"]:  # noqa: F811
    flash = await open_flash(1, waiting_room="line", limit_per_shopper=0)
    async with Partitions(acme.process.settings.redis_url) as partitions:
        yield Line(flash, partitions)


class Line:
    """The line of a sale that has nothing left, and what comes back to its gate."""

    def __init__(self, flash: Flash, partitions: Partitions) -> None:
        self.flash = flash
        self.partitions = partitions
        self.room = Room(partitions)

    async def call(self, *words: Any) -> Any:
        return await self.partitions.link(keys.room_of(self.flash.key).partition).call(*words)

    async def sold_out(self) -> None:
        assert await self.flash.code(await self.flash.store.guest()) == "reserved"

    async def comes_back(self, units: int = 1) -> None:
        await self.call("HINCRBY", keys.of(self.flash.key).sale, "avail", units)

    async def arrive(self, count: int) -> list[UUID]:
        people = [new_id() for _ in range(count)]
        for each in people:
            await self.wait(each)
        return people

    async def wait(self, who: UUID, *, join: bool = True) -> Place:
        return await self.room.wait(self.flash.key, who, join=join)

    async def behind(self) -> int:
        """The place of who comes now; he does not stay."""
        who = new_id()
        place = (await self.wait(who)).place
        await self.room.leave(self.flash.key, who)
        return place

    async def places(self, people: list[UUID]) -> list[int]:
        return [(await self.wait(each, join=False)).place for each in people]


async def who_jumps(line: Line) -> list[int]:
    """The places of five who arrived one after the other, after the last has asked for one again and again."""
    await line.sold_out()
    people = await line.arrive(5)
    for _ in range(5):
        await line.wait(people[-1])
    return await line.places(people)


class TestLine:
    async def test_places_are_in_the_order_of_arrival_whoever_asks_again(self, line: Line) -> None:
        assert await who_jumps(line) == [1, 2, 3, 4, 5]

    async def test_a_line_that_lets_jump_is_caught(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin: who asks again is put before the others."""
        body = scripts.read("wait")
        found = b"local rank = call('ZRANK', line, shopper)\n"
        again = b"if rank then call('ZADD', line, -call('HINCRBY', room, 'seq', 1), shopper) rank = call('ZRANK', line, shopper) end\n"
        jumping = body.replace(found, found + again)
        assert jumping != body
        monkeypatch.setattr(room, "WAIT", Script.of(jumping))
        assert await who_jumps(line) != [1, 2, 3, 4, 5]

    async def test_one_place_a_shopper(self, line: Line) -> None:
        await line.sold_out()
        me = new_id()
        places = await asyncio.gather(*(line.wait(me) for _ in range(20)))
        assert {(place.place, place.total) for place in places} == {(1, 1)}

    async def test_what_comes_back_is_the_firsts_turn_however_often_others_ask(self, line: Line) -> None:
        await line.sold_out()
        first, second, third = await line.arrive(3)
        await line.comes_back()
        assert (await line.wait(third)).status is Status.WAITING
        assert (await line.wait(first)).status is Status.TURN
        assert (await line.wait(second)).status is Status.WAITING  # there was one unit
        assert (await line.wait(first)).status is Status.TURN  # a reload keeps it

    async def test_who_does_not_come_back_loses_his_place_and_his_turn(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        await line.sold_out()
        monkeypatch.setattr(room, "AWAY_MS", 100)
        monkeypatch.setattr(room, "TURN_MS", 100)
        first, second = await line.arrive(2)
        await asyncio.sleep(0.12)
        assert (await line.wait(second)).place == 1  # both were away: who comes first is the first
        await line.comes_back()
        assert (await line.wait(second)).status is Status.TURN
        await asyncio.sleep(0.12)
        assert (await line.wait(first)).status is Status.TURN

    async def test_it_has_an_end(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        await line.sold_out()
        monkeypatch.setattr(room, "PLACES_MAX", 3)
        await line.arrive(3)
        assert (await line.wait(new_id())).status is Status.FULL

    async def test_before_the_start_it_is_drawn_and_who_comes_later_stands_behind(self, line: Line) -> None:
        sale = keys.of(line.flash.key).sale
        await line.call("HSET", sale, "starts_ms", int(time.time() * 1000) + 60_000, "avail", 0)
        early = await line.arrive(12)
        await line.call("HSET", sale, "starts_ms", int(time.time() * 1000) - 1)
        late = await line.arrive(3)
        assert sorted(await line.places(early)) == list(range(1, 13))
        assert await line.places(early) != list(range(1, 13))  # one in 479 million
        assert await line.places(late) == [13, 14, 15]

    async def test_another_stores_line_is_another(self, line: Line, globex: Store) -> None:
        await line.sold_out()
        await line.arrive(2)
        elsewhere = SaleKey(globex.tenant_id, line.flash.key.sale_id)
        assert (await line.room.wait(elsewhere, new_id(), join=True)).status is Status.CLOSED


class TestEnter:
    async def test_while_nobody_waits_everybody_passes(self, line: Line) -> None:
        assert await line.room.enter(line.flash.key, [new_id() for _ in range(3)]) == [True] * 3

    async def test_nobody_presses_past_those_who_wait(self, line: Line) -> None:
        """A unit came back; who presses through the API has no turn, who waits has."""
        await line.sold_out()
        await line.arrive(1)
        await line.comes_back()
        line.flash.store.process.doors.forget(line.flash.key)
        answer = await line.flash.press(await line.flash.store.guest())
        assert (answer.status_code, answer.json()["code"]) == (429, "waiting_room")
        assert int(answer.headers["retry-after"]) >= 1

    async def test_who_has_his_turn_passes_and_may_press_again(self, line: Line) -> None:
        await line.sold_out()
        first, second = await line.arrive(2)
        await line.comes_back()
        await line.wait(first)
        for _ in range(2):
            assert await line.room.enter(line.flash.key, [second, first]) == [False, True]

    async def test_a_sale_without_one_never_asks(self, open_flash: Any, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
        async def asked(*_: object) -> list[bool]:
            raise AssertionError("the room was asked")

        monkeypatch.setattr(Room, "enter", asked)
        assert await (await open_flash(1)).code(await process_guest(open_flash)) == "reserved"


async def process_guest(open_flash: Any) -> dict[str, str]:  # noqa: F811
    return dict(await (await open_flash(1)).store.guest())


class TestLeave:
    async def test_who_is_behind_moves_up(self, line: Line) -> None:
        await line.sold_out()
        first, second, third = await line.arrive(3)
        assert await line.room.leave(line.flash.key, second)
        assert not await line.room.leave(line.flash.key, second)
        assert await line.places([first, third]) == [1, 2]
        assert (await line.wait(second)).place == 3

    async def test_a_turn_that_is_given_up_is_the_nexts(self, line: Line) -> None:
        await line.sold_out()
        first, second = await line.arrive(2)
        await line.comes_back()
        assert (await line.wait(first)).status is Status.TURN
        assert await line.room.leave(line.flash.key, first)
        assert (await line.wait(second)).status is Status.TURN


class TestApi:
    def path(self, line: Line) -> str:
        return f"/v1/waiting-rooms/{line.flash.id}"

    async def test_without_a_token(self, client: httpx.AsyncClient, acme: Store, line: Line) -> None:
        for method in ("POST", "GET", "DELETE"):
            assert (await client.request(method, self.path(line), headers=acme.at)).status_code == 401
            assert (await client.request(method, self.path(line), headers=acme.merchant)).status_code == 401

    async def test_of_another_store(self, client: httpx.AsyncClient, globex: Store, line: Line) -> None:
        await line.sold_out()
        stranger = await globex.guest()
        for method in ("POST", "GET", "DELETE"):
            assert (await client.request(method, self.path(line), headers=stranger)).status_code == 404
        assert (await line.wait(new_id())).total == 1

    async def test_a_place_is_taken_kept_and_given_up(self, client: httpx.AsyncClient, acme: Store, line: Line) -> None:
        await line.sold_out()
        [stranger] = await line.arrive(1)
        me = await acme.guest()
        assert (await client.get(self.path(line), headers=me)).json()["status"] == "out"
        for _ in range(2):
            told = (await client.post(self.path(line), headers=me)).json()
            assert (told["status"], told["place"], told["total"], told["held"]) == ("later", 2, 2, 1)
        assert (await client.get(self.path(line), headers=me)).json() == told
        assert (await client.delete(self.path(line), headers=me)).status_code == 204
        assert (await client.delete(self.path(line), headers=me)).status_code == 204
        assert (await client.get(self.path(line), headers=me)).json()["status"] == "out"
        assert await line.places([stranger]) == [1]

    async def test_a_turn_leads_to_a_checkout(self, client: httpx.AsyncClient, acme: Store, line: Line) -> None:
        await line.sold_out()
        me = await acme.guest()
        await client.post(self.path(line), headers=me)
        await line.comes_back()
        told = (await client.get(self.path(line), headers=me)).json()
        assert (told["status"], told["left_s"] in (119, 120)) == ("turn", True)
        answer = await line.flash.press(me)
        assert answer.json().get("code") != "waiting_room", "it passes the line; the gate and the commit decide as ever"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ("starts_at = now() + interval '1 hour'", "not_started"),
            ("state = 'paused'", "paused"),
            ("ends_at = now() - interval '1 second', starts_at = now() - interval '1 hour'", "ended"),
        ],
    )
    async def test_where_nothing_is_to_wait_for(
        self, client: httpx.AsyncClient, acme: Store, line: Line, process: Process, changes: str, code: str
    ) -> None:
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            await tx.conn.execute(f"UPDATE sale SET {changes} WHERE tenant_id = $1 AND id = $2", *line.flash.key)
        answer = await client.post(self.path(line), headers=await acme.guest())
        assert (answer.status_code, answer.json()["code"]) == (409, code)

    async def test_a_sale_without_one(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, me = await acme.sale(1), await acme.guest()
        for method in ("POST", "GET", "DELETE"):
            assert (await client.request(method, f"/v1/waiting-rooms/{sale}", headers=me)).status_code == 404


class TestPage:
    async def test_names_the_sale_in_the_readers_language(self, client: httpx.AsyncClient, acme: Store, line: Line) -> None:
        await acme.ask("PUT", f"/v1/translations/{line.flash.id}/en", acme.merchant, {"name": "Singles' Day"})
        form = fields(await client.get(f"/sales/{line.flash.id}", headers=acme.at))
        await line.sold_out()
        await client.post(f"/sales/{line.flash.id}/buy", data=form | {"quantity": "1"}, headers=acme.at)
        for language, name in (("en", "Singles&#39; Day"), ("zh-CN", "Launch")):
            page = await client.get(f"/sales/{line.flash.id}/wait", headers=acme.at | {"Accept-Language": language})
            assert f'<p class="soft">{name}</p>' in page.text

    async def test_who_finds_nothing_left_gets_a_place_and_keeps_it(self, client: httpx.AsyncClient, acme: Store, line: Line) -> None:
        form = fields(await client.get(f"/sales/{line.flash.id}", headers=acme.at))
        await line.sold_out()
        answer = await client.post(f"/sales/{line.flash.id}/buy", data=form | {"quantity": "1"}, headers=acme.at)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sales/{line.flash.id}/wait")
        for _ in range(2):
            page = await client.get(f"/sales/{line.flash.id}/wait", headers=acme.at)
            assert "你已在排队" in page.text
            assert 'http-equiv="refresh"' in page.text
        told = (await client.get(f"/sales/{line.flash.id}/wait/state", headers=acme.at)).json()
        assert (told["status"], told["place"], told["held"]) == ("waiting", 1, 1)

    async def test_a_sale_without_one_refuses_as_ever(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(1)
        form = fields(await client.get(f"/sales/{sale}", headers=acme.at))
        await buy(client, acme, sale)
        client.cookies.delete("tessera_shopper")
        answer = await client.post(f"/sales/{sale}/buy", data=form | {"quantity": "1"}, headers=acme.at)
        assert answer.status_code in (303, 409)
        assert (await client.get(f"/sales/{sale}/wait", headers=acme.at)).status_code == 404

    async def test_who_gives_up_his_place_has_none(self, client: httpx.AsyncClient, acme: Store, line: Line) -> None:
        form = fields(await client.get(f"/sales/{line.flash.id}", headers=acme.at))
        await line.sold_out()
        await client.post(f"/sales/{line.flash.id}/buy", data=form | {"quantity": "1"}, headers=acme.at)
        page = await client.get(f"/sales/{line.flash.id}/wait", headers=acme.at)
        forged = await client.post(f"/sales/{line.flash.id}/wait/leave", data={"x": "y"}, headers=acme.at)
        assert (forged.status_code, await line.behind()) == (403, 2)
        for _ in range(2):
            left = await client.post(f"/sales/{line.flash.id}/wait/leave", data=fields(page), headers=acme.at)
            assert (left.status_code, left.headers["location"]) == (303, f"/sales/{line.flash.id}")
            assert await line.behind() == 1

    async def test_a_stranger_has_no_place(self, client: httpx.AsyncClient, acme: Store, line: Line) -> None:
        await line.sold_out()
        assert (await client.get(f"/sales/{line.flash.id}/wait", headers=acme.at)).headers["location"] == f"/sales/{line.flash.id}"

    async def test_only_before_a_gate(self, acme: Store) -> None:
        body = {"sku_id": await acme.sku(1), "name": "x", "units": 1, "limit_per_shopper": 0, "waiting_room": "line"}
        answer = await acme.client.post("/v1/sales", json=body, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (422, "no_gate")


NOW = dt.datetime.now(dt.UTC)


@pytest.mark.parametrize(
    ("place", "held", "free", "status", "estimate"),
    [
        ((Status.WAITING, 3, 9, 0, 0, 0), 5, 0, "waiting", None),
        ((Status.WAITING, 6, 9, 0, 2, 1), 5, 0, "later", None),  # two turns tell nothing
        ((Status.WAITING, 6, 9, 0, 10, -100_000), 9, 0, "waiting", 60),
        ((Status.WAITING, 1, 9, 0, 0, 0), 0, 0, "gone", None),
        ((Status.TURN, 0, 9, 5000, 0, 0), 0, 1, "turn", None),
        ((Status.FULL, 0, 9, 0, 0, 0), 1, 0, "full", None),
        ((Status.OUT, 0, 9, 0, 0, 0), 1, 0, "out", None),
    ],
)
def test_what_is_said_of_a_place(place: tuple[Any, ...], held: int, free: int, status: str, estimate: int | None) -> None:
    known = Known({"": "x"}, "line", "open", NOW, None, free, held, 900)
    *told_of, since_ms = place
    place = (*told_of, int(time.time() * 1000) + since_ms if since_ms < 0 else since_ms)  # below zero: so long ago
    told = standing(known, Place(*place), dt.datetime.now(dt.UTC), 4.0)
    assert told.status == status
    assert told.estimate_s is None if estimate is None else abs((told.estimate_s or 0) - estimate) <= 30
