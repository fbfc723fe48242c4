"""Wishes to be told of a sale: asked on its page, confirmed in the mailbox, told once, ended at any time."""

import asyncio
import datetime as dt
import re
from uuid import UUID

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants import reminders, sales
from tenants.db import tenant_tx
from tests.api.test_order_acts import letters
from tests.api.test_storefront import buy, fields
from tests.shop import Store

SOON = dt.timedelta(minutes=5)


def at(delta: dt.timedelta) -> str:
    return (dt.datetime.now(dt.UTC) + delta).isoformat()


async def wish(client: httpx.AsyncClient, store: Store, sale: str, mail: str) -> httpx.Response:
    page = await client.get(f"/sales/{sale}", headers=store.at)
    return await client.post(f"/sales/{sale}/reminders", data={"csrf": fields(page)["csrf"], "mail": mail}, headers=store.at)


async def link(process: Process, store: Store, mail: str) -> str:
    """The token of the question that went there."""
    [letter] = [each for each in await letters(store) if each.recipient == mail and each.template == "reminder_confirm"]
    token = re.search(r"/reminders\?token=([0-9a-f]{64})$", letter.values["link"])
    assert token is not None
    return token[1]


async def answer(client: httpx.AsyncClient, store: Store, token: str, act: str = "confirm") -> httpx.Response:
    page = await client.get("/orders", headers=store.at)
    return await client.post("/reminders", data={"csrf": fields(page)["csrf"], "token": token, "act": act}, headers=store.at)


async def waiting(client: httpx.AsyncClient, process: Process, store: Store, sale: str, mail: str) -> None:
    assert (await wish(client, store, sale, mail)).status_code == 200
    assert (await answer(client, store, await link(process, store, mail))).status_code == 200


async def look(process: Process, store: Store, sale: str, lead_s: float = 600.0) -> int:
    sale_id = decode("sal", sale)
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        await tx.conn.execute("UPDATE reminder_round SET next_try_at = now() WHERE tenant_id = $1 AND id = $2", store.tenant_id, sale_id)
    return await reminders.look(process.app_pool, store.tenant_id, sale_id, lead_s=lead_s)


async def told(process: Process, store: Store, template: str) -> list[str]:
    return sorted(each.recipient for each in await letters(store) if each.template == template)


class TestAsk:
    async def test_nothing_is_told_to_an_address_that_nobody_confirmed(
        self, client: httpx.AsyncClient, process: Process, acme: Store
    ) -> None:
        sale = await acme.sale(3, starts_at=at(SOON))
        await wish(client, acme, sale, "ann@example.org")
        assert await look(process, acme, sale) == 0
        assert await told(process, acme, "sale_start") == []

    async def test_the_answer_does_not_tell_who_waits_already(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        sale = await acme.sale(3, starts_at=at(SOON))
        first = await wish(client, acme, sale, "ann@example.org")
        await answer(client, acme, await link(process, acme, "ann@example.org"))
        again = await wish(client, acme, sale, "Ann@example.org")
        assert first.status_code == again.status_code == 200
        hide = re.compile(r'data-now="\d+"')
        assert hide.sub("", first.text) == hide.sub("", again.text)
        assert len(await told(process, acme, "reminder_confirm")) == 1

    async def test_a_sale_that_is_on_has_nothing_to_wait_for(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(3)
        assert (await wish(client, acme, sale, "ann@example.org")).status_code == 303
        count = await acme.ask("GET", f"/v1/sales/{sale}/reminders", acme.merchant)
        assert count == {"start": 0, "back": 0, "unconfirmed": 0, "sent": 0}

    async def test_no_mail_address(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await wish(client, acme, await acme.sale(3, starts_at=at(SOON)), "ann")).status_code == 400


class TestLink:
    async def test_looking_changes_nothing(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        sale = await acme.sale(3, starts_at=at(SOON))
        await wish(client, acme, sale, "ann@example.org")
        token = await link(process, acme, "ann@example.org")
        assert (await client.get(f"/reminders?token={token}", headers=acme.at)).status_code == 200
        assert (await acme.ask("GET", f"/v1/sales/{sale}/reminders", acme.merchant))["unconfirmed"] == 1

    async def test_a_forged_one_and_another_stores(self, client: httpx.AsyncClient, process: Process, acme: Store, globex: Store) -> None:
        await wish(client, acme, await acme.sale(3, starts_at=at(SOON)), "ann@example.org")
        token = await link(process, acme, "ann@example.org")
        forged = token[:-1] + ("0" if token[-1] != "0" else "1")
        for store, each in ((acme, forged), (acme, UUID(int=0).hex * 2), (globex, token)):
            assert (await client.get(f"/reminders?token={each}", headers=store.at)).status_code == 404
            assert (await answer(client, store, each, "stop")).status_code == 404
        assert (await client.get(f"/reminders?token={token}", headers=acme.at)).status_code == 200

    async def test_ended_it_is_never_told(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        sale = await acme.sale(3, starts_at=at(SOON))
        await waiting(client, process, acme, sale, "ann@example.org")
        await answer(client, acme, await link(process, acme, "ann@example.org"), "stop")
        assert await look(process, acme, sale) == 0


class TestStart:
    async def test_told_once_however_many_look(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        sale = await acme.sale(3, starts_at=at(SOON))
        people = [f"p{n}@example.org" for n in range(3)]
        for each in people:
            await waiting(client, process, acme, sale, each)
        counts = await asyncio.gather(*(look(process, acme, sale) for _ in range(5)))
        assert sum(counts) == 3
        assert await told(process, acme, "sale_start") == people
        count = await acme.ask("GET", f"/v1/sales/{sale}/reminders", acme.merchant)
        assert (count["start"], count["sent"]) == (0, 3)

    async def test_without_the_wish_going_with_its_mail_it_is_told_again(
        self, client: httpx.AsyncClient, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The twin: what is asserted above can fail."""
        sale = await acme.sale(3, starts_at=at(SOON))
        await waiting(client, process, acme, sale, "ann@example.org")
        source = reminders._tell.__code__
        kept = tuple(
            each.replace("DELETE FROM sale_reminder WHERE", "UPDATE sale_reminder SET kind = kind WHERE") if isinstance(each, str) else each
            for each in source.co_consts
        )
        monkeypatch.setattr(reminders._tell, "__code__", source.replace(co_consts=kept))
        assert [await look(process, acme, sale) for _ in range(2)] == [1, 1]

    async def test_not_before_it_is_time(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        sale = await acme.sale(3, starts_at=at(dt.timedelta(hours=2)))
        await waiting(client, process, acme, sale, "ann@example.org")
        assert await look(process, acme, sale) == 0
        assert await look(process, acme, sale, lead_s=3 * 3600.0) == 1

    async def test_withdrawn_it_is_not_told(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        sale = await acme.sale(3, starts_at=at(SOON))
        await waiting(client, process, acme, sale, "ann@example.org")
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            await sales.end(tx, decode("sal", sale), actor="test")
        assert await look(process, acme, sale) == 0
        assert (await acme.ask("GET", f"/v1/sales/{sale}/reminders", acme.merchant))["start"] == 0

    async def test_moved_it_is_told_of_the_new_time(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        sale = await acme.sale(3, starts_at=at(SOON))
        await waiting(client, process, acme, sale, "ann@example.org")
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            sql = "UPDATE sale SET starts_at = now() + interval '1 day' WHERE tenant_id = $1 AND id = $2"
            await tx.conn.execute(sql, acme.tenant_id, decode("sal", sale))
        assert await look(process, acme, sale) == 0
        assert (await acme.ask("GET", f"/v1/sales/{sale}/reminders", acme.merchant))["start"] == 1


class TestBack:
    async def test_as_many_are_told_as_may_find_something(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        sale = await acme.sale(1)
        place = (await buy(client, acme, sale)).headers["location"]
        cookies = dict(client.cookies)
        client.cookies.clear()
        people = [f"p{n}@example.org" for n in range(3)]
        for each in people:
            await waiting(client, process, acme, sale, each)
        assert await look(process, acme, sale) == 0
        client.cookies.update(cookies)
        form = fields(await client.get(place, headers=acme.at))
        await client.post(f"{place}/cancel", data={"csrf": form["csrf"]}, headers=acme.at)
        assert await look(process, acme, sale) == reminders.PER_UNIT
        assert await told(process, acme, "sale_back") == people[: reminders.PER_UNIT]


class TestErase:
    async def test_a_shoppers_wishes_go_with_him(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        """Those he left while he was known, and those with an address of his orders."""
        from tenants.privacy.registry import GONE, SEARCHED

        assert "sale_reminder" in GONE
        assert "sale_reminder" in SEARCHED
