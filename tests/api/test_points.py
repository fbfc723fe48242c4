"""Points over HTTP: the program, an account as the store's people see it, and as its shopper does."""

import asyncio
import datetime as dt
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest

from checkout_core.ids import encode
from tenants.db import tenant_tx
from tenants.points import program as programs
from tenants.points.program import Rules
from tenants.privacy import erase, requests, shopper_export
from tests.shop import Store
from tests.tenants.points.member import PROGRAM, Member, program, rows, work

ANY = {"If-Match": "*"}
MINE = "/v1/points"


class TestProgram:
    async def test_anonymous_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get(PROGRAM)).status_code == 401
        assert (await client.get(PROGRAM, headers=await acme.guest())).status_code == 401
        refused = await client.put(PROGRAM, json={}, headers=ANY | await acme.key_with("points:read"))
        assert (refused.status_code, refused.json()["permission"]) == (403, "points:write")

    async def test_is_each_stores_own(self, acme: Store, globex: Store) -> None:
        await program(acme, sign_in_points=7)
        assert (await acme.ask("GET", PROGRAM, acme.merchant))["sign_in_points"] == 7
        theirs = await globex.ask("GET", PROGRAM, globex.merchant)
        assert (theirs["sign_in_points"], theirs["enabled"]) == (0, False)

    async def test_nobody_overwrites_what_he_has_not_read(self, client: httpx.AsyncClient, acme: Store) -> None:
        tag = (await client.get(PROGRAM, headers=acme.merchant)).headers["etag"]
        assert (await client.put(PROGRAM, json={"enabled": True}, headers=acme.merchant)).status_code == 428
        first = await client.put(PROGRAM, json={"enabled": True}, headers=acme.merchant | {"If-Match": tag})
        assert (first.status_code, first.json()["enabled"]) == (200, True)
        assert (await client.put(PROGRAM, json={}, headers=acme.merchant | {"If-Match": tag})).status_code == 412
        again = {"If-Match": first.headers["etag"]}
        assert (await client.put(PROGRAM, json={}, headers=acme.merchant | again)).json()["enabled"] is False

    async def test_a_level_keeps_its_id(self, acme: Store) -> None:
        made = (await program(acme, {"name": "Silver", "growth": 5}))["levels"]
        kept = (await program(acme, {**made[0], "name": "Platinum"}, {"name": "Gold", "growth": 9}))["levels"]
        assert [each["name"] for each in kept] == ["Platinum", "Gold"]
        assert kept[0]["id"] == made[0]["id"] != kept[1]["id"]
        assert "points.program_changed" in await acme.audited()

    @pytest.mark.parametrize("wrong", [{"earn_minor": 0}, {"expiry": "soon"}, {"period_days": 0}, {"x": 1}, {"levels": [{"name": "x"}]}])
    async def test_bad_payload(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, object]) -> None:
        assert (await client.put(PROGRAM, json=wrong, headers=acme.merchant | ANY)).status_code == 400


class TestAccount:
    async def test_anonymous_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        member = await Member.of(acme)
        assert (await client.get(member.path)).status_code == 401
        other = await acme.key_with("orders:read")
        assert (await client.get(member.path, headers=other)).status_code == 403
        reader = await acme.key_with("points:read")
        refused = await client.post(f"{member.path}/entries", json={"amount": 1, "reason": "x"}, headers=reader)
        assert (refused.status_code, refused.json()["permission"]) == (403, "points:write")

    async def test_another_stores_shopper_is_not_there(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await program(acme)
        await program(globex)
        theirs = await Member.of(globex)
        await theirs.buy()
        await work(globex)
        for method, path in (("GET", theirs.path), ("GET", f"{theirs.path}/entries"), ("POST", f"{theirs.path}/entries")):
            body = {"amount": 5, "reason": "x"} if method == "POST" else None
            assert (await client.request(method, path, headers=acme.merchant, json=body)).status_code == 404
        assert (await theirs.account())["account"]["balance"] == 10

    async def test_given_and_taken_with_a_reason(self, acme: Store) -> None:
        await program(acme)
        member = await Member.of(acme)
        await member.buy()
        given = await member.adjust(5)
        assert (given.status_code, given.json()["reason"], given.json()["balance"]) == (201, "for patience", 5)
        short = await member.adjust(-6)
        assert (short.status_code, short.json()["code"], short.json()["available"]) == (409, "points_short", 5)
        assert (await member.adjust(0)).status_code == 422
        assert (await member.adjust(-5)).json()["balance"] == 0
        assert [each for each in await acme.audited() if each.startswith("points.adj")] == ["points.adjusted"] * 2

    async def test_the_same_key_gives_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        await program(acme)
        member = await Member.of(acme)
        await member.buy()
        headers = acme.merchant | {"Idempotency-Key": uuid4().hex}
        for _ in range(3):
            answer = await client.post(f"{member.path}/entries", headers=headers, json={"amount": 5, "reason": "x"})
            assert answer.status_code == 201
        assert (await member.account())["account"]["balance"] == 5

    async def test_where_there_are_no_points(self, acme: Store) -> None:
        member = await Member.of(acme)
        await member.buy()
        refused = await member.adjust(5)
        assert (refused.status_code, refused.json()["code"]) == (409, "points_off")

    async def test_the_statement_in_pages(self, acme: Store) -> None:
        await program(acme)
        member = await Member.of(acme)
        await member.buy()
        for n in range(1, 6):
            await member.adjust(n)
        seen, cursor = [], ""
        while cursor is not None:
            path = f"{member.path}/entries?limit=2" + (f"&cursor={cursor}" if cursor else "")
            page = await acme.ask("GET", path, acme.merchant)
            seen += [(each["number"], each["amount"], each["balance"]) for each in page["entries"]]
            cursor = page["next_cursor"]
        assert seen == [(5, 5, 15), (4, 4, 10), (3, 3, 6), (2, 2, 3), (1, 1, 1)]


class TestMine:
    async def test_anonymous_and_a_merchant(self, client: httpx.AsyncClient, acme: Store) -> None:
        for method, path in (("GET", MINE), ("GET", f"{MINE}/entries"), ("POST", f"{MINE}/sign-ins")):
            assert (await client.request(method, path, headers=acme.at)).status_code == 401
            assert (await client.request(method, path, headers=acme.merchant)).status_code == 401

    async def test_his_own_and_nobody_elses(self, acme: Store) -> None:
        await program(acme)
        ann, bob = await Member.of(acme), await Member.of(acme)
        await ann.buy()
        await work(acme)
        assert (await acme.ask("GET", MINE, ann.headers))["balance"] == 10
        entries = (await acme.ask("GET", f"{MINE}/entries", ann.headers))["entries"]
        assert [(each["kind"], each["order_id"]) for each in entries] == [("order", ann.orders["a"])]
        assert (await acme.ask("GET", MINE, bob.headers))["balance"] == 0
        assert (await acme.ask("GET", f"{MINE}/entries", bob.headers))["entries"] == []


class TestSignIn:
    async def test_once_a_day_however_often_he_asks(self, client: httpx.AsyncClient, acme: Store) -> None:
        await program(acme, sign_in_points=5)
        ann = await acme.guest()
        assert (await acme.ask("GET", MINE, ann))["sign_in_points"] == 5
        answers = await asyncio.gather(*(client.post(f"{MINE}/sign-ins", headers=ann) for _ in range(8)))
        assert [answer.status_code for answer in answers] == [200] * 8
        assert sorted(answer.json()["points"] for answer in answers) == [0] * 7 + [5]
        found = await acme.ask("GET", MINE, ann)
        assert (found["balance"], found["signed_in_today"], found["sign_in_points"]) == (5, True, 0)

    async def test_the_next_day_again(self, acme: Store) -> None:
        await program(acme, sign_in_points=5)
        member = await Member.of(acme)
        for _ in range(2):
            assert (await acme.ask("POST", f"{MINE}/sign-ins", member.headers))["points"] == 5
            await member.as_operator("UPDATE points_entry SET once = once || ' before' WHERE tenant_id = $1 AND shopper_id = $2")
        assert (await acme.ask("GET", MINE, member.headers))["balance"] == 10

    async def test_where_it_brings_nothing(self, client: httpx.AsyncClient, acme: Store) -> None:
        await program(acme)
        refused = await client.post(f"{MINE}/sign-ins", headers=await acme.guest())
        assert (refused.status_code, refused.json()["code"]) == (409, "no_sign_in_points")


SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("expiry", "count", "ready", "over"),
    [
        ("never", 1, "2026-01-31T00:00:00Z", None),
        ("days", 30, "2026-01-31T00:00:00Z", "2026-03-02T00:00:00Z"),
        ("month_end", 1, "2026-01-31T00:00:00Z", "2026-02-28T16:00:00Z"),
        ("month_end", 1, "2026-01-31T15:59:59Z", "2026-02-28T16:00:00Z"),
        ("month_end", 1, "2026-01-31T16:00:00Z", "2026-03-31T16:00:00Z"),
        ("month_end", 12, "2026-12-15T00:00:00Z", "2027-12-31T16:00:00Z"),
        ("month_end", 13, "2027-01-15T00:00:00Z", "2028-02-29T16:00:00Z"),
    ],
)
def test_when_they_are_over(expiry: str, count: int, ready: str, over: str | None) -> None:
    """A month ends with its last day where the store is."""
    found = programs.expires_at(Rules(expiry=expiry, expiry_count=count), dt.datetime.fromisoformat(ready), SHANGHAI)  # type: ignore[arg-type]
    assert found == (None if over is None else dt.datetime.fromisoformat(over))


class TestErasure:
    async def test_what_was_said_of_him_goes_and_the_figures_stay(self, acme: Store) -> None:
        await program(acme, {"name": "Silver", "growth": 1})
        member = await Member.of(acme)
        await member.buy()
        await work(acme)
        await member.adjust(5)
        pool, keyring = acme.process.app_pool, acme.process.keyring
        async with tenant_tx(pool, acme.tenant_id) as tx:
            found = await shopper_export._collect(tx, member.id)
            request = await erase.ask(tx, member.id, actor="test")
        assert [row["note"] for row in found["points"]] == [None, "for patience"]
        for _ in range(2):
            async with tenant_tx(pool, acme.tenant_id) as tx:
                request = await requests.get(tx, request.id)
            await erase.carry_out(pool, keyring, acme.tenant_id, request)
        sql = "SELECT amount, note FROM points_entry WHERE tenant_id = $1 AND shopper_id = $2 ORDER BY seq"
        assert [tuple(row) for row in await rows(acme, sql, member.id)] == [(10, None), (5, None)]
        refused = await member.adjust(5)
        assert (refused.status_code, refused.json()["code"]) == (409, "shopper_erased")
        assert encode("shp", member.id) in member.path
