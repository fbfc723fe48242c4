"""A guest's order by its number and what was left with it, and the numbers by mail: nobody else learns what there is."""

import hashlib
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from api import order_lookups
from api.order_lookups import Lookup, find_for_guest
from api.process import Process
from checkout_core.errors import AppError
from checkout_core.ids import decode, encode
from tenants import orders
from tenants.db import TenantTx, tenant_tx
from tenants.mails import Mail
from tenants.mails.render import render
from tenants.orders import Order, index, reminders
from tests.api.test_order_acts import letters
from tests.shop import Store

TRIES = 200  # of each kind
MISSING = encode("ord", UUID(int=0))


async def bought(store: Store, **more: str) -> str:
    """An order with what is left with it."""
    body = {"sale_id": await store.sale(), "quantity": 1, **more}
    made = await store.client.post("/v1/checkouts", json=body, headers=await store.guest() | {"Idempotency-Key": uuid4().hex})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def strict(process: Process) -> Process:
    """One whose limits are as they are."""
    return msgspec.structs.replace(process, settings=msgspec.structs.replace(process.settings, ip_limit_factor=1))


class TestLookUp:
    @pytest.fixture
    async def order(self, client: httpx.AsyncClient, acme: Store) -> str:
        body = {"sale_id": await acme.sale(), "quantity": 1, "contact": "Ann@Example.org", "lookup_password": "open sesame"}
        answer = await client.post("/v1/checkouts", json=body, headers=await acme.guest() | {"Idempotency-Key": uuid4().hex})
        return str(answer.json()["id"])

    async def test_with_the_password(self, client: httpx.AsyncClient, acme: Store, order: str) -> None:
        found = await client.post("/v1/order-lookups", json={"order_id": order, "lookup_password": "open sesame"}, headers=acme.at)
        assert found.status_code == 200
        token = {"Authorization": f"Bearer {found.json()['access_token']}", **acme.at}
        assert (await client.get(f"/v1/orders/{order}", headers=token)).status_code == 200

    @pytest.mark.parametrize("proof", [{"lookup_password": "wrong"}, {"contact": "ann@example.org"}])
    async def test_a_wrong_proof_answers_like_a_wrong_number(
        self, client: httpx.AsyncClient, acme: Store, order: str, proof: dict[str, str]
    ) -> None:
        """Where there is a password, the contact is no proof: it is easier to guess."""
        wrong = await client.post("/v1/order-lookups", json={"order_id": order} | proof, headers=acme.at)
        missing = await client.post("/v1/order-lookups", json={"order_id": "ord_" + "0" * 32} | proof, headers=acme.at)
        assert wrong.status_code == missing.status_code == 404
        assert wrong.json() == missing.json()

    async def test_at_another_store(self, client: httpx.AsyncClient, globex: Store, order: str) -> None:
        asked = {"order_id": order, "lookup_password": "open sesame"}
        assert (await client.post("/v1/order-lookups", json=asked, headers=globex.at)).status_code == 404

    async def test_a_contact_will_do_without_a_password(self, client: httpx.AsyncClient, acme: Store) -> None:
        body = {"sale_id": await acme.sale(), "quantity": 1, "contact": "Ann@Example.org"}
        made = await client.post("/v1/checkouts", json=body, headers=await acme.guest() | {"Idempotency-Key": "k"})
        asked = {"order_id": made.json()["id"], "contact": " ann@example.ORG "}
        assert (await client.post("/v1/order-lookups", json=asked, headers=acme.at)).status_code == 200

    async def test_an_order_without_any_proof_is_never_found(self, client: httpx.AsyncClient, acme: Store) -> None:
        order = await acme.order(await acme.guest(), await acme.sale())
        asked = {"order_id": order, "contact": "x"}
        assert (await client.post("/v1/order-lookups", json=asked, headers=acme.at)).status_code == 404

    async def test_no_proof_at_all(self, client: httpx.AsyncClient, acme: Store, order: str) -> None:
        assert (await client.post("/v1/order-lookups", json={"order_id": order}, headers=acme.at)).status_code == 400


class TestNobodyLearnsAnything:
    """From a wrong number, another store's, or a wrong proof."""

    async def test_the_same_answer_byte_for_byte(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        own, foreign = [await bought(store, contact="ann@example.org") for store in (acme, globex)]
        with_password = await bought(acme, contact="ann@example.org", lookup_password="open sesame")
        without_any = await bought(acme)
        asked = [
            {"order_id": number} | proof
            for number in (MISSING, foreign, with_password, without_any, own, "ord_1", "x", own.upper())
            for proof in ({"contact": "bob@example.org"}, {"lookup_password": "bob"}, {"contact": "b", "lookup_password": "b"})
        ]
        answers = [await client.post("/v1/order-lookups", json=each, headers=acme.at) for each in asked]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        headers = [{name: value for name, value in answer.headers.items() if not name.startswith("ratelimit")} for answer in answers]
        assert [each for each in headers if each != headers[0]] == []

    async def test_the_same_statements(self, process: Process, acme: Store, globex: Store) -> None:
        own, foreign = [await bought(store, contact="ann@example.org") for store in (acme, globex)]
        asked: dict[str, list[str]] = {}
        async with process.app_pool.acquire() as conn:
            for number in (own, foreign, MISSING):
                queries = asked.setdefault(number, [])
                with conn.query_logger(lambda record, queries=queries: queries.append(record.query)):
                    async with tenant_tx(conn, acme.tenant_id) as tx:
                        with pytest.raises(AppError):
                            await orders.look_up(tx, decode("ord", number), contact="bob@example.org", lookup_hash=None)
                    await conn.fetchval("SELECT 1")
        assert asked[own] == asked[foreign] == asked[MISSING] != []

    async def test_the_same_time(self, process: Process, acme: Store, globex: Store) -> None:
        assert await self.told_apart(process, acme, globex) == []

    async def test_a_look_that_goes_on_for_an_order_that_is_there_shows(
        self, process: Process, acme: Store, globex: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A slow hash, computed only where there is an order to compare it with: the usual carelessness."""

        async def careless(tx: TenantTx, order_id: UUID, **proof: Any) -> Order:
            if await tx.conn.fetchval("SELECT 1 FROM orders WHERE tenant_id = $1 AND id = $2", tx.tenant_id, order_id):
                hashlib.pbkdf2_hmac("sha256", b"proof", b"salt", 5_000)
            return await orders.look_up(tx, order_id, **proof)

        monkeypatch.setattr(order_lookups, "orders", Careless(careless))
        assert await self.told_apart(process, acme, globex) == ["wrong proof"]

    async def told_apart(self, process: Process, acme: Store, globex: Store) -> list[str]:
        """The kinds that take another time than a missing number, by their medians, all asked in turns."""
        own, foreign = [await bought(store, contact="ann@example.org") for store in (acme, globex)]
        numbers = {"missing": MISSING, "foreign": foreign, "wrong proof": own}
        took: dict[str, list[float]] = {kind: [] for kind in numbers}
        for turn in range(TRIES + 20):
            for kind in sorted(numbers, key=lambda kind: hash((kind, turn))):
                asked = Lookup(order_id=numbers[kind], contact="bob@example.org")
                begun = time.perf_counter()
                with pytest.raises(AppError):
                    await find_for_guest(process, acme.tenant_id, asked)
                if turn >= 20:  # the first ones are planned
                    took[kind].append(time.perf_counter() - begun)
        return [kind for kind in numbers if abs(statistics.median(took[kind]) - statistics.median(took["missing"])) > noise(took)]


class Careless(msgspec.Struct, frozen=True):
    """`tenants.orders` with another look-up."""

    look_up: Callable[..., Awaitable[Order]]
    lookup_hash: Callable[..., bytes] = staticmethod(orders.lookup_hash)  # type: ignore[assignment]
    no_match: Callable[[], Exception] = staticmethod(orders.no_match)  # type: ignore[assignment]


def noise(took: dict[str, list[float]]) -> float:
    """So much two medians of the same differ by chance, but for one time in ten thousand: four standard errors of their difference, each
    1.2533 σ / √n, σ from the median deviation, which those few do not move that waited for something."""
    widest = 0.0
    for times in took.values():
        middle = statistics.median(times)
        widest = max(widest, 1.4826 * statistics.median([abs(each - middle) for each in times]))
    return float(4 * 1.2533 * widest * (2 / TRIES) ** 0.5)


class TestGuessing:
    async def test_ten_tries_a_number_whether_or_not_there_is_one(self, process: Process, acme: Store) -> None:
        """From wherever: an address has limits of its own. The owner is let in again a minute later."""
        strictly = strict(process)
        for number in (await bought(acme, contact="ann@example.org"), encode("ord", uuid4())):
            codes = []
            for _ in range(12):
                with pytest.raises(AppError) as caught:
                    await find_for_guest(strictly, acme.tenant_id, Lookup(order_id=number, contact="bob@example.org"))
                codes.append(caught.value.code)
            assert codes == ["not_found"] * 10 + ["rate_limited"] * 2
            assert caught.value.retry_after_s is not None
            assert 50 <= caught.value.retry_after_s <= 61

    async def test_the_right_proof_takes_its_try_back(self, process: Process, acme: Store) -> None:
        number = await bought(acme, contact="ann@example.org")
        for _ in range(15):
            found = await find_for_guest(strict(process), acme.tenant_id, Lookup(order_id=number, contact="ann@example.org"))
            assert encode("ord", found.id) == number

    async def test_tries_at_one_store_are_none_at_another(self, process: Process, acme: Store, globex: Store) -> None:
        number = await bought(acme, contact="ann@example.org")
        for _ in range(11):
            with pytest.raises(AppError):
                await find_for_guest(strict(process), globex.tenant_id, Lookup(order_id=number, contact="ann@example.org"))
        await find_for_guest(strict(process), acme.tenant_id, Lookup(order_id=number, contact="ann@example.org"))


class TestReminders:
    async def remind(self, store: Store, contact: str) -> httpx.Response:
        return await store.client.post("/v1/order-lookups/reminders", json={"contact": contact, "locale": "en"}, headers=store.at)

    async def worked_off(self, store: Store) -> list[Mail]:
        """What the worker does with the wishes, and all mails since."""
        pool = store.process.app_pool
        async with tenant_tx(pool, store.tenant_id) as tx:
            wishes = [row[0] for row in await tx.conn.fetch("SELECT id FROM order_reminder WHERE tenant_id = $1", tx.tenant_id)]
        for wish in wishes * 2:
            await reminders.answer(pool, store.tenant_id, wish)
        return await letters(store)

    async def test_the_same_answer_whether_there_are_any(self, acme: Store, globex: Store) -> None:
        await bought(acme, contact="ann@example.org")
        answers = [await self.remind(acme, contact) for contact in ("ann@example.org", "nobody@example.org")]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(202, {"days": 90})] * 2
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            rows = await tx.conn.fetch("SELECT contact FROM order_reminder WHERE tenant_id = $1 ORDER BY contact", tx.tenant_id)
        assert [row[0] for row in rows] == ["ann@example.org", "nobody@example.org"], "both are noted, nobody has looked"

    async def test_a_mail_with_his_links_and_nobody_elses(self, acme: Store, globex: Store) -> None:
        """Indexed or not; whatever capitals he chose; to nobody who has none."""
        mine = [await bought(acme, contact="Ann@Example.org")]
        await index.work(acme.process.app_pool, acme.tenant_id)
        mine.append(await bought(acme, contact="ann@example.org"))
        others = [await bought(acme, contact="bob@example.org"), await bought(globex, contact="ann@example.org")]
        for contact in ("ANN@example.org", "nobody@example.org"):
            await self.remind(acme, contact)
        [letter] = await self.worked_off(acme)
        assert (letter.recipient, letter.template, letter.locale) == ("ann@example.org", "order_numbers", "en")
        rendered = render(letter, sender="shop@example.org", base_url="https://platform.test")
        for kind in ("plain", "html"):
            part = rendered.get_body((kind,))
            assert part is not None
            text = part.get_content()
            assert [number for number in mine if f"http://{acme.host}/orders?order={number}" not in text] == []
            assert [number for number in others if number in text] == []
            assert "platform.test" not in text
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT count(*) FROM order_reminder WHERE tenant_id = $1", tx.tenant_id) == 0

    async def test_orders_of_long_ago_are_not_named(self, acme: Store) -> None:
        await bought(acme, contact="ann@example.org")
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await tx.conn.execute("UPDATE orders SET created_at = now() - interval '91 days' WHERE tenant_id = $1", tx.tenant_id)
        await self.remind(acme, "ann@example.org")
        assert await self.worked_off(acme) == []

    async def test_asked_too_often_nothing_follows_and_nobody_is_told(
        self, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(acme.client._transport.app.state, "process", strict(process))  # type: ignore[attr-defined]
        answers = [await self.remind(acme, contact) for contact in ["ann@example.org"] * 5 + ["bob@example.org"]]
        assert {(answer.status_code, answer.content) for answer in answers} == {(202, b'{"days":90}')}
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT count(*) FROM order_reminder WHERE tenant_id = $1", tx.tenant_id) == 3 + 1

    @pytest.mark.parametrize("contact", ["x", "13800138000", "a@b.c\nBcc: x@example.org", None])
    async def test_what_is_no_address(self, client: httpx.AsyncClient, acme: Store, contact: str | None) -> None:
        assert (await client.post("/v1/order-lookups/reminders", json={"contact": contact}, headers=acme.at)).status_code == 400
