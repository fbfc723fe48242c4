"""The shopper's centre: what the token of this browser proves, and the page of an order, line by line."""

import httpx
import pytest

from api.process import Process
from api.storefront import grants
from checkout_core.ids import decode
from tests.api.test_storefront import buy, fields
from tests.security.world import bearer
from tests.shop import Store
from tests.tenants.points.member import Member, program, work
from tests.tenants.privacy.people import buyer


class TestMe:
    async def test_a_stranger_sees_nothing(self, client: httpx.AsyncClient, acme: Store) -> None:
        await buy(client, acme, await acme.sale(3, name="Launch day"))
        assert "Launch day" in (await client.get("/me", headers=acme.at)).text
        client.cookies.clear()
        assert "Launch day" not in (await client.get("/me", headers=acme.at)).text

    async def test_at_another_store_he_is_nobody(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await buy(client, acme, await acme.sale(3, name="Launch day"))
        page = await client.get("/me", headers=globex.at)
        assert "Launch day" not in page.text
        assert "还没有购买记录" in page.text

    @pytest.mark.parametrize(("show", "seen"), [("all", True), ("open", True), ("ready", False), ("over", False), ("nonsense", True)])
    async def test_by_state(self, client: httpx.AsyncClient, acme: Store, show: str, seen: bool) -> None:
        await buy(client, acme, await acme.sale(3, name="Launch day"))
        assert ("Launch day" in (await client.get(f"/me?show={show}", headers=acme.at)).text) == seen

    async def test_signed_out_he_is_somebody_else(self, client: httpx.AsyncClient, acme: Store) -> None:
        """Neither the token nor the form's cookie leads back to what he was."""
        sale = await acme.sale(3, name="Launch day")
        place = (await buy(client, acme, sale)).headers["location"]
        page = await client.get("/me", headers=acme.at)
        await client.post("/me/sign-out", data={"csrf": fields(page)["csrf"]}, headers=acme.at)
        assert "Launch day" not in (await client.get("/me", headers=acme.at)).text
        await buy(client, acme, sale)
        assert (await client.get(place, headers=acme.at)).status_code == 404


class TestConsent:
    """What lets the codes appear by themselves."""

    async def test_is_for_this_order_and_this_purpose(self, process: Process, acme: Store) -> None:
        key, order_id = process.keys.lookups, decode("ord", "ord_" + "1" * 32)
        other = decode("ord", "ord_" + "2" * 32)
        consent = grants.make(key, acme.tenant_id, order_id, "reveal-consent", 60)
        assert grants.holds(key, acme.tenant_id, order_id, consent, "reveal-consent")
        assert not grants.holds(key, acme.tenant_id, other, consent, "reveal-consent")
        assert not grants.holds(key, acme.tenant_id, order_id, consent)  # it opens no order
        assert not grants.holds(key, acme.tenant_id, order_id, grants.make(key, acme.tenant_id, order_id), "reveal-consent")
        assert not grants.holds(
            key, acme.tenant_id, order_id, grants.make(key, acme.tenant_id, order_id, "reveal-consent", -1), "reveal-consent"
        )

    async def test_without_it_the_script_shows_nothing(self, client: httpx.AsyncClient, acme: Store) -> None:
        person = await buyer(acme)
        client.cookies.set("tessera_shopper", person.headers["Authorization"].removeprefix("Bearer "))
        place = grants.path(person.order_id)
        page = await client.get(place, headers=acme.at)
        assert "data-reveal" not in page.text
        form = {"csrf": fields(page)["csrf"]}
        assert (await client.post(f"{place}/codes", data=form | {"by_itself": "1"}, headers=acme.at)).status_code == 303
        looks = [each for each in (await acme.ask("GET", "/v1/audit", acme.merchant))["items"] if each["action"] == "codes.revealed"]
        assert looks == []


class TestPoints:
    async def test_where_the_store_has_none(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get("/me/points", headers=acme.at)).status_code == 404
        assert "/me/points" not in (await client.get("/me", headers=acme.at)).text

    async def test_a_stranger_sees_what_there_is_and_may_sign_in(self, client: httpx.AsyncClient, acme: Store) -> None:
        """With scripts off: a form, and once a day however often it is sent."""
        await program(acme, {"name": "Silver", "growth": 30}, sign_in_points=5)
        page = await client.get("/me/points", headers=acme.at)
        assert ("签到领 5 积分" in page.text, "再得 30 升为Silver" in page.text) == (True, True)
        for _ in range(2):
            done = await client.post("/me/points", data={"csrf": fields(page)["csrf"]}, headers=acme.at)
            assert done.status_code == 303
        page = await client.get("/me/points", headers=acme.at)
        assert ("今日已签到" in page.text, page.text.count("+5"), "签到领" in page.text) == (True, 1, False)
        assert "可用 5 积分" in (await client.get("/me", headers=acme.at)).text

    async def test_his_own_and_nobody_elses(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await program(acme)
        await program(globex)
        member = await Member.of(acme)
        await member.buy()
        await work(acme)
        assert "+10" not in (await client.get("/me/points", headers=acme.at)).text
        client.cookies.set("tessera_shopper", bearer(member.headers))
        page = await client.get("/me/points", headers=acme.at)
        assert ("+10" in page.text, member.orders["a"] in page.text) == (True, True)
        assert "+10" not in (await client.get("/me/points", headers=globex.at)).text

    async def test_the_statement_goes_on(self, client: httpx.AsyncClient, acme: Store) -> None:
        await program(acme)
        member = await Member.of(acme)
        await member.buy()
        for _ in range(25):
            await member.adjust(3)
        client.cookies.set("tessera_shopper", bearer(member.headers))
        first = await client.get("/me/points", headers=acme.at)
        assert (first.text.count("+3"), "/me/points?before=6" in first.text) == (20, True)
        rest = await client.get("/me/points?before=6", headers=acme.at)
        assert (rest.text.count("+3"), "before=" in rest.text) == (5, False)
        assert (await client.get("/me/points?before=x", headers=acme.at)).text.count("+3") == 20
