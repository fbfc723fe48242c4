"""The shopper's centre: what the token of this browser proves, and the page of an order, line by line."""

import httpx
import pytest

from api.process import Process
from api.storefront import grants
from checkout_core.ids import decode
from tests.api.test_storefront import buy, fields
from tests.shop import Store
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
