"""Bookings, from the nights to the check-out, through the API."""

import asyncio
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tenants.types.booking import Config, nights
from tests.shop import Store
from tests.tenants.types.picked import buy, codes, entitled, make, moved, night, picks, room

DESK = "/v1/types/booking"
SHANGHAI = ZoneInfo("Asia/Shanghai")


async def stay(store: Store, nights: int = 2, rooms: int = 1, begins: int = 3, **config: object) -> tuple[str, dict[str, str], str, str]:
    """A SKU, somebody who has so many rooms for so many nights, his order and its code."""
    sku = await room(store, **config)
    await make(store, sku, rooms, span={"first": night(begins), "last": night(begins + nights - 1)})
    who, order = await buy(store, sku, nights * rooms)
    shown = await codes(store, who, order)
    assert len({each["code"] for each in shown}) == 1
    return sku, who, order, shown[0]["code"]


async def come(store: Store, code: str) -> Any:
    return await store.ask("POST", f"{DESK}/check_in", store.merchant, {"code": code})


class TestSku:
    @pytest.mark.parametrize(
        ("config", "says"),
        [({"check_in": "25:00"}, "check_in"), ({"free_until_days": 1, "until_days": 2}, "until_days"), ({"then_percent": 101}, "percent")],
    )
    async def test_a_config_that_is_not_its(self, client: httpx.AsyncClient, acme: Store, config: dict[str, object], says: str) -> None:
        body = {"product_id": await acme.product(), "name": "x", "price_minor": 1, "type": "booking", "config": config}
        answer = await client.post("/v1/skus", headers=acme.merchant, json=body)
        assert answer.status_code in (400, 422)
        assert says in answer.json()["detail"]

    async def test_it_asks_for_the_guest_unless_told_otherwise(self, acme: Store) -> None:
        sku = await acme.sku(type="booking", config={})
        await make(acme, sku, span={"first": night(1), "last": night(1)})
        who = await acme.guest()
        order = await acme.order(who, await acme.sale(1, sku_id=sku))
        [form] = (await acme.ask("GET", f"/v1/orders/{order}/inputs", who))["forms"]
        assert [field["name"] for field in form["fields"]] == ["guest"]


class TestNights:
    @pytest.mark.parametrize(
        "given",
        [
            {"picks": [{"pick": "24.12.2026"}]},
            {"picks": [{"pick": "20261224"}]},  # a date to Python, and another name for the same night
            {"picks": [{"pick": night(-2)}]},
            {"picks": [{"pick": "9999-12-31"}]},
            {"picks": [{"pick": night(1), "starts_at": "2026-12-24T00:00:00Z"}]},
            {"span": {"first": night(5), "last": night(4)}},
            {"span": {"first": night(1), "last": night(1500)}},
            {"picks": [{"pick": night(1)}], "span": {"first": night(1), "last": night(2)}},
        ],
    )
    async def test_what_is_none_is_named_and_nothing_made(self, client: httpx.AsyncClient, acme: Store, given: dict[str, object]) -> None:
        sku = await room(acme)
        answer = await client.post(f"/v1/skus/{sku}/units", headers=acme.merchant, json={"quantity": 1, **given})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_pick")
        assert await picks(acme, sku) == {}

    async def test_a_span_with_dearer_weekends(self, acme: Store) -> None:
        sku = await room(acme)
        span = {"first": night(1), "last": night(7)}
        await make(acme, sku, 3, span=span)
        await make(acme, sku, 2, span=span | {"weekdays": [6, 7], "surcharge_minor": 5000})
        shown = (await acme.ask("GET", f"/v1/skus/{sku}/picks", acme.merchant))["picks"]
        assert [each["pick"] for each in shown] == nights.between(night(1), night(7))
        for each in shown:
            weekend = dt.date.fromisoformat(each["pick"]).isoweekday() > 5
            assert (each["available"], each["surcharge_minor"]) == ((5, 5000) if weekend else (3, 0))

    async def test_more_than_can_be_made_at_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"quantity": 100_000, "span": {"first": night(1), "last": night(2)}}
        answer = await client.post(f"/v1/skus/{await room(acme)}/units", headers=acme.merchant, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "too_many_units")

    async def test_of_a_stay_with_what_is_free(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await room(acme)
        await make(acme, sku, 2, picks=[{"pick": night(1)}, {"pick": night(2), "surcharge_minor": 700}])
        wish = {"sku_id": sku, "check_in": night(1), "check_out": night(3)}
        assert (await client.post(f"{DESK}/nights", headers=acme.at, json=wish)).status_code == 404  # it is in no sale
        await acme.sale(4, sku_id=sku)
        answer = await client.post(f"{DESK}/nights", headers=acme.at, json=wish)
        assert "type-acts" in answer.headers["RateLimit-Policy"]
        shown = answer.json()
        assert shown == {
            "nights": [
                {"pick": night(1), "surcharge_minor": 0, "available": 2},
                {"pick": night(2), "surcharge_minor": 700, "available": 2},
            ],
            "rooms": 2,
        }
        longer = await acme.ask("POST", f"{DESK}/nights", acme.at, wish | {"check_out": night(4)})
        assert (len(longer["nights"]), longer["rooms"]) == (3, 0)
        backwards = await client.post(f"{DESK}/nights", headers=acme.at, json=wish | {"check_out": night(1)})
        assert (backwards.status_code, backwards.json()["code"]) == (422, "bad_pick")

    def test_a_day_that_is_an_hour_longer(self) -> None:
        """In Berlin clocks go back in the night of 25 October 2026."""
        berlin = ZoneInfo("Europe/Berlin")
        config = Config(free_until_days=1)
        last = dt.datetime(2026, 10, 24, 15, tzinfo=berlin)
        assert nights.percent(config, "2026-10-25", berlin, last) == 100
        assert nights.percent(config, "2026-10-25", berlin, last + dt.timedelta(seconds=1)) == 0


class TestDesk:
    async def test_anonymous_foreign_and_without_the_right(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        _, who, _, code = await stay(acme)
        reader = await acme.key_with("orders:read")
        for act in ("check_in", "check_out"):
            for other, status in (({}, 401), (who, 401), (globex.merchant, 404), (reader, 403)):
                assert (await client.post(f"{DESK}/{act}", json={"code": code}, headers=other)).status_code == status

    async def test_a_guest_comes_once_and_goes_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, _, order, code = await stay(acme, nights=3, rooms=2, begins=1)
        assert (await come(acme, code))["result"] == "too_early"
        await moved(acme, order, dt.timedelta(days=1, hours=16))
        early = await client.post(f"{DESK}/check_out", headers=acme.merchant, json={"code": code})
        assert (early.status_code, early.json()["code"]) == (409, "not_checked_in")
        results = await asyncio.gather(*(come(acme, code) for _ in range(4)))
        assert sorted(each["result"] for each in results) == ["already"] * 3 + ["checked_in"]
        assert {(each["check_in"], each["check_out"], each["rooms"]) for each in results} == {(night(1), night(4), 2)}
        assert [(await acme.ask("POST", f"{DESK}/check_out", acme.merchant, {"code": code}))["result"] for _ in range(2)] == [
            "checked_out", "already",
        ]  # fmt: skip
        assert [each for each in await acme.audited() if each.startswith("booking.")] == ["booking.checked_in", "booking.checked_out"]

    async def test_too_late(self, acme: Store) -> None:
        _, _, order, code = await stay(acme, nights=2, begins=1)
        await moved(acme, order, dt.timedelta(days=4))
        assert (await come(acme, code))["result"] == "too_late"

    async def test_each_night_is_the_guests_from_check_in_to_check_out(self, acme: Store) -> None:
        sku, _, order, _ = await stay(acme, nights=2, begins=1, check_in="14:00", check_out="11:30")
        begins = dt.datetime.combine(dt.date.fromisoformat(night(1)), dt.time(14), SHANGHAI)
        held = [(each.valid_from, each.valid_until) for each in await entitled(acme, order, sku)]
        length = dt.timedelta(hours=21, minutes=30)
        assert held == [(begins, begins + length), (begins + dt.timedelta(days=1), begins + dt.timedelta(days=1) + length)]

    async def test_the_guest_reads_from_when_till_when(self, acme: Store) -> None:
        _, who, order, _ = await stay(acme, nights=1, begins=1)
        [shown] = await codes(acme, who, order)
        assert shown["note"] == f"{night(1)} 15:00 – {night(2)} 12:00"


class TestRefund:
    @pytest.mark.parametrize(
        ("config", "part"),
        [
            ({"free_until_days": 2}, 100),
            ({"free_until_days": 5, "then_percent": 33, "until_days": 1}, 33),
            ({"free_until_days": 9, "then_percent": 50, "until_days": 4}, 0),
            ({"free_until_days": 3, "then_percent": 50, "until_days": 3}, None),
        ],
    )
    async def test_what_the_rule_gives_back(self, acme: Store, config: dict[str, object], part: int | None) -> None:
        _, who, order, _ = await stay(acme, nights=3, begins=3, **config)
        [line] = (await acme.ask("GET", f"/v1/orders/{order}/refundable", who))["lines"]
        if part is None:  # three days before is this very day: until the hour of check-in all, then nothing
            part = 100 if dt.datetime.now(SHANGHAI).time() <= dt.time(15) else 0
        assert (line["paid_minor"], line["refundable_minor"]) == (3 * 9900, 3 * 9900 * part // 100)

    async def test_nothing_once_the_guest_is_there(self, acme: Store) -> None:
        _, who, order, code = await stay(acme, begins=3, free_until_days=1)
        await moved(acme, order, dt.timedelta(days=3))
        await moved(acme, order, dt.timedelta(hours=15))
        assert (await come(acme, code))["result"] == "checked_in"
        [line] = (await acme.ask("GET", f"/v1/orders/{order}/refundable", who))["lines"]
        assert (line["paid_minor"], line["refundable_minor"]) == (2 * 9900, 0)

    async def test_the_nights_are_for_sale_again_as_new_units(self, acme: Store) -> None:
        sku, _, order, code = await stay(acme, nights=2, rooms=2)
        free = {night(3): 2, night(4): 2}
        assert await picks(acme, sku) == dict.fromkeys(free, 0)
        for _ in range(2):
            await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        assert await picks(acme, sku) == free
        stock = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]
        assert (stock["available"], stock["unallotted"], stock["sold"], stock["quarantined"]) == (4, 4, 0, 4)
        assert (await come(acme, code))["result"] == "revoked"
        assert (await acme.audited()).count("units.made") == 2

    async def test_a_night_that_has_passed_does_not_come_back(self, acme: Store) -> None:
        sku, _, order, _ = await stay(acme, nights=2, begins=0)
        async with acme.process.app_pool.acquire() as conn:
            await conn.execute(f"SELECT set_config('app.tenant_id', '{acme.tenant_id.hex}', false)")
            sql = "UPDATE pick SET offered_until = now() - interval '1 second' WHERE tenant_id = $1 AND pick = $2"
            await conn.execute(sql, acme.tenant_id, night(0))
            await conn.execute("SELECT set_config('app.tenant_id', '', false)")
        await acme.ask("POST", f"/v1/orders/{order}/refund", acme.merchant)
        assert await picks(acme, sku) == {night(0): 0, night(1): 1}
