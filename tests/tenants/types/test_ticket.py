"""Tickets, from the session to the door, through the API."""

import asyncio
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tenants import entitlements
from tenants.entitlements import Entitlement
from tenants.types import entry
from tenants.types.ticket import door
from tenants.types.ticket.door import TicketScan
from tests.paying import fulfil, pay
from tests.platform import signed_in
from tests.shop import Store
from tests.tenants.types.picked import HALL, NAME, NOW, buy, codes, make, moved, picks, session, ticket

DOOR = "/v1/types/ticket"


async def one(store: Store, **about: Any) -> tuple[dict[str, str], str, str]:
    """Somebody with a ticket; the order, and its entry code."""
    config = {key: about.pop(key) for key in ("opens_min", "closes_min", "refund_until_h", "fields") if key in about}
    sku = await ticket(store, **config)
    await make(store, sku, picks=[session(**about)])
    who, order = await buy(store, sku)
    [shown] = await codes(store, who, order)
    return who, order, shown["code"]


async def scan(store: Store, code: str, **more: object) -> Any:
    return await store.ask("POST", f"{DOOR}/check_in", store.merchant, {"code": code, **more})


class TestSku:
    @pytest.mark.parametrize(
        ("config", "says"),
        [
            ({"classes": []}, "classes"),
            ({"classes": [HALL["classes"][0]] * 2}, "same id"),  # type: ignore[index]
            ({"opens_min": -1}, "opens_min"),
            ({"fields": [NAME, NAME]}, "same name"),
        ],
    )
    async def test_a_config_that_is_not_its(self, client: httpx.AsyncClient, acme: Store, config: dict[str, object], says: str) -> None:
        body = {"product_id": await acme.product(), "name": "x", "price_minor": 1, "type": "ticket", "config": HALL | config}
        answer = await client.post("/v1/skus", headers=acme.merchant, json=body)
        assert answer.status_code in (400, 422)
        assert says in answer.json()["detail"]


class TestSeats:
    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ([session("gala")], "bad_pick"),
            ([session("gala.balcony")], "bad_pick"),  # no such class
            ([session("gala.box")], "bad_pick"),  # its seats are numbered
            ([session("gala.stalls.7")], "bad_pick"),  # and these are not
            ([{"pick": "gala.stalls"}], "bad_pick"),  # when?
            ([session(begins=4, ends=1)], "bad_pick"),
            ([session(begins=-4, ends=-1)], "bad_pick"),  # over
            ([session(), session()], "bad_pick"),
            ([session(), session("gala.box.1", begins=2)], "other_times"),
            ([], "picks_missing"),
        ],
    )
    async def test_what_is_none_is_named_and_nothing_made(
        self, client: httpx.AsyncClient, acme: Store, given: list[Any], code: str
    ) -> None:
        sku = await ticket(acme)
        answer = await client.post(f"/v1/skus/{sku}/units", headers=acme.merchant, json={"quantity": 1, "picks": given})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert await picks(acme, sku) == {}

    async def test_a_session_keeps_its_times(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await ticket(acme)
        await make(acme, sku, 5, picks=[session(label="Gala night", surcharge_minor=500)])
        await make(acme, sku, 2, picks=[{"pick": "gala.stalls"}])  # two more, at the same time
        await make(acme, sku, 1, picks=[{"pick": "gala.box.1"}, {"pick": "gala.box.2"}])
        assert await picks(acme, sku) == {"gala.stalls": 7, "gala.box.1": 1, "gala.box.2": 1}
        other = {"quantity": 1, "picks": [session("gala.box.3", begins=2)]}
        answer = await client.post(f"/v1/skus/{sku}/units", headers=acme.merchant, json=other)
        assert (answer.status_code, answer.json()["code"]) == (422, "other_times")
        shown = (await acme.ask("GET", f"/v1/skus/{sku}/picks", acme.merchant))["picks"]
        assert {each["pick"]: each["surcharge_minor"] for each in shown} == {"gala.stalls": 500, "gala.box.1": 0, "gala.box.2": 0}
        assert len({each["starts_at"] for each in shown}) == 1

    async def test_a_numbered_seat_is_there_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku, path = await ticket(acme), "/v1/skus/{}/units"
        seat = session("gala.box.7")
        answer = await client.post(path.format(sku), headers=acme.merchant, json={"quantity": 2, "picks": [seat]})
        assert (answer.status_code, answer.json()["code"]) == (409, "pick_taken")
        answers = await asyncio.gather(
            *(client.post(path.format(sku), headers=acme.merchant, json={"quantity": 1, "picks": [seat]}) for _ in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert await picks(acme, sku) == {"gala.box.7": 1}


class TestCheckIn:
    async def test_anonymous_foreign_and_without_the_right(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        _, _, code = await one(acme)
        assert (await client.post(f"{DOOR}/check_in", json={"code": code})).status_code == 401
        missing = await client.post(f"{DOOR}/check_in", json={"code": entry.new(1)}, headers=globex.merchant)
        foreign = await client.post(f"{DOOR}/check_in", json={"code": code}, headers=globex.merchant)
        assert (foreign.status_code, foreign.json()["detail"]) == (404, missing.json()["detail"])
        reader = await acme.key_with("orders:read")
        assert (await client.post(f"{DOOR}/check_in", json={"code": code}, headers=reader)).status_code == 403
        assert (await acme.ask("POST", f"{DOOR}/status", reader, {"code": code}))["result"] == "good"

    async def test_once(self, acme: Store) -> None:
        _, _, code = await one(acme)
        first = await scan(acme, code)
        again = await scan(acme, f" {code.lower().replace('-', ' ')} ")
        assert (first["result"], again["result"]) == ("admitted", "already")
        assert first["admitted_at"] == again["admitted_at"] is not None
        assert (await acme.audited()).count("ticket.checked_in") == 1

    async def test_by_two_at_once(self, acme: Store) -> None:
        _, _, code = await one(acme)
        results = [each["result"] for each in await asyncio.gather(*(scan(acme, code) for _ in range(6)))]
        assert sorted(results) == ["admitted"] + ["already"] * 5

    async def test_by_two_at_once_without_the_lock(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin: without the lock of the row both are let in."""
        _, _, code = await one(acme)
        of_unit, look, both = entitlements.of_unit, door._look, asyncio.Barrier(2)

        async def unlocked(tx: Any, unit: int, *, lock: bool = False) -> Entitlement:
            return await of_unit(tx, unit)

        async def looked(*asked: Any) -> TicketScan:
            seen = await look(*asked)
            await both.wait()  # neither has let anybody in when the other looks
            return seen

        monkeypatch.setattr(entitlements, "of_unit", unlocked)
        monkeypatch.setattr(door, "_look", looked)
        results = [each["result"] for each in await asyncio.gather(scan(acme, code), scan(acme, code))]
        assert results == ["admitted", "admitted"]

    @pytest.mark.parametrize("code", ["", "x", "0" * 27, "ZZZZZZZZZZZZZZ" * 3, "１２３４" * 9, "7-" + "A" * 26])
    async def test_what_is_no_code(self, client: httpx.AsyncClient, acme: Store, code: str) -> None:
        answer = await client.post(f"{DOOR}/check_in", json={"code": code}, headers=acme.merchant)
        assert answer.status_code == (404 if code else 400)

    async def test_a_right_seat_with_a_wrong_secret(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, _, code = await one(acme)
        wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
        assert (await client.post(f"{DOOR}/check_in", json={"code": wrong}, headers=acme.merchant)).status_code == 404
        assert (await scan(acme, code))["result"] == "admitted"

    async def test_at_another_sessions_door(self, acme: Store) -> None:
        _, _, code = await one(acme)
        assert (await scan(acme, code, session="matinee"))["result"] == "wrong_session"
        assert (await scan(acme, code, session="gala"))["result"] == "admitted"

    async def test_too_early_and_too_late(self, acme: Store) -> None:
        _, order, code = await one(acme, begins=5, ends=7, opens_min=60, closes_min=30)
        assert (await scan(acme, code))["result"] == "too_early"
        await moved(acme, order, dt.timedelta(hours=4, minutes=1))
        assert (await acme.ask("POST", f"{DOOR}/status", acme.merchant, {"code": code}))["result"] == "good"
        await moved(acme, order, dt.timedelta(hours=1, minutes=30))
        assert (await scan(acme, code))["result"] == "too_late"

    async def test_undone_with_a_reason_it_is_good_again(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, _, code = await one(acme)
        body = {"code": code, "reason": "Scanned the wrong telephone."}
        early = await client.post(f"{DOOR}/undo_check_in", headers=acme.merchant, json=body)
        assert (early.status_code, early.json()["code"]) == (409, "not_admitted")
        await scan(acme, code)
        assert (await acme.ask("POST", f"{DOOR}/undo_check_in", acme.merchant, body))["result"] == "good"
        assert (await scan(acme, code))["result"] == "admitted"
        assert (await acme.audited()).count("ticket.check_in_undone") == 1

    async def test_undone_by_two_at_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, _, code = await one(acme)
        await scan(acme, code)
        body = {"code": code, "reason": "Scanned the wrong telephone."}
        answers = await asyncio.gather(*(client.post(f"{DOOR}/undo_check_in", headers=acme.merchant, json=body) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]

    async def test_refunded_it_lets_nobody_in_and_the_seat_is_for_sale_again(self, acme: Store) -> None:
        sku = await ticket(acme)
        await make(acme, sku, picks=[session("gala.box.1")])
        who, order = await buy(acme, sku)
        [shown] = await codes(acme, who, order)
        assert await picks(acme, sku) == {"gala.box.1": 0}
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        assert (await scan(acme, shown["code"]))["result"] == "revoked"
        assert await picks(acme, sku) == {"gala.box.1": 1}
        stock = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]
        assert (stock["available"], stock["sold"], stock["quarantined"]) == (1, 0, 1)
        other, again = await buy(acme, sku)
        [new] = await codes(acme, other, again)
        assert new["code"] != shown["code"]
        assert (await scan(acme, new["code"]))["result"] == "admitted"


class TestSuspended:
    async def test_who_has_paid_is_let_in(self, acme: Store) -> None:
        _, _, code = await one(acme)
        path = f"/v1/platform/merchants/ten_{acme.tenant_id.hex}/suspend"
        await acme.ask("POST", path, await signed_in(acme.process), {"reason": "Codes that were used before."})
        assert (await scan(acme, code))["result"] == "admitted"


class TestShown:
    async def test_where_and_when(self, acme: Store) -> None:
        who, order, code = await one(acme, label="Gala night")
        [shown] = await codes(acme, who, order)
        assert shown["code"] == code
        label, venue, when = shown["note"].split(" · ")
        assert (label, venue) == ("Gala night", "Old Theatre")
        begins = (NOW + dt.timedelta(hours=1)).astimezone(ZoneInfo("Asia/Shanghai"))
        assert when == f"{begins:%Y-%m-%d %H:%M}"


class TestHolder:
    async def test_said_before_paying_told_at_the_door_and_passed_on(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await ticket(acme, fields=[NAME], opens_min=30)
        await make(acme, sku, picks=[session(begins=5, ends=8)])
        who, sale = await acme.guest(), await acme.sale(1, sku_id=sku)
        order = await acme.order(who, sale)
        await acme.ask("PUT", f"/v1/orders/{order}/inputs/{sale}", who, {"values": {"holder": "Ann"}})
        await pay(acme, order)
        await fulfil(acme, order)
        [shown] = await codes(acme, who, order)
        new = {"order_id": order, "sale_id": sale, "values": {"holder": "Bob"}}
        for other, status in (({}, 401), (await acme.guest(), 404), (acme.merchant, 401)):
            assert (await client.post(f"{DOOR}/transfer", headers=acme.at | other, json=new)).status_code == status
        wrong = await client.post(f"{DOOR}/transfer", headers=who, json=new | {"values": {}})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_input")
        await acme.ask("POST", f"{DOOR}/transfer", who, new)
        await moved(acme, order, dt.timedelta(hours=5))
        late = await client.post(f"{DOOR}/transfer", headers=who, json=new | {"values": {"holder": "Cid"}})
        assert (late.status_code, late.json()["code"]) == (409, "door_open")
        assert (await scan(acme, shown["code"]))["holder"] == {"holder": "Bob"}


class TestRefundable:
    async def asked(self, store: Store, who: dict[str, str], order: str) -> tuple[int, int]:
        [line] = (await store.ask("GET", f"/v1/orders/{order}/refundable", who))["lines"]
        return line["paid_minor"], line["refundable_minor"]

    async def test_until_hours_before(self, acme: Store) -> None:
        for hours, refundable in ((None, 0), (4, 9900), (6, 0)):
            who, order, _ = await one(acme, begins=5, ends=6, refund_until_h=hours)
            assert await self.asked(acme, who, order) == (9900, refundable)

    async def test_not_once_somebody_was_let_in(self, acme: Store) -> None:
        who, order, code = await one(acme, refund_until_h=0)
        assert await self.asked(acme, who, order) == (9900, 9900)
        await scan(acme, code)
        assert await self.asked(acme, who, order) == (9900, 0)

    async def test_foreign(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        _, order, _ = await one(acme)
        for other in (await acme.guest(), await globex.guest(), globex.merchant):
            assert (await client.get(f"/v1/orders/{order}/refundable", headers=other)).status_code == 404


class TestEntryCode:
    def test_is_of_a_unit_and_of_chance(self) -> None:
        for unit in (1, 31, 32, 12_345_678, (1 << 63) - 1):
            assert entry.unit_of(entry.new(unit)) == unit
        assert len({entry.new(7) for _ in range(1000)}) == 1000
        assert entry.SECRET_LENGTH * 5 >= 128

    def test_read_as_people_type(self) -> None:
        code = entry.new(32)
        assert entry.mark(code.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == entry.mark(code)
