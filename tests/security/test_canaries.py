"""A word of B in every column of B's every table: A finds it in no answer, no error, no log, and nothing that Redis keeps for A."""

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import httpx
import pytest

from api import provide
from api.app import create_app
from api.process import Process, open_process
from checkout_core.admission import Gatekeeper
from checkout_core.config import Settings
from checkout_core.ids import decode
from checkout_core.partitions import Partitions
from tenants.db import tenant_tx
from tessera.embedded import Servers
from tests.security.api_rows import API
from tests.security.canaries import has_no_word, in_redis, plant
from tests.security.database import own_database
from tests.security.routes import queries, routes
from tests.security.world import Browser, World, bearer, session
from tests.shop import PLATFORM_HOST, Store, open_store
from workers import gatekeeping

WORD = ("b0word" + uuid4().hex)[:32]


class Town(NamedTuple):
    settings: Settings
    process: Process
    client: httpx.AsyncClient
    admin: asyncpg.Connection
    a: World
    b: World
    wordless: list[str]  # columns of B without the word


@pytest.fixture(scope="module")
async def town(servers: Servers) -> AsyncIterator[Town]:
    """A and B with everything in them, and then the word wherever B has something."""
    async with own_database(servers, "canaries") as settings:
        app = create_app(settings)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            open_process(settings) as process,
            httpx.AsyncClient(transport=transport, base_url=f"http://{PLATFORM_HOST}") as client,
        ):
            app.state.process = process
            a, b = [await (await World.of(await open_store(client, process))).with_qualification("submitted") for _ in "ab"]
            await flash(settings, a)
            await flash(settings, b)
            await session(b.store)
            admin = await asyncpg.connect(settings.database_url)
            wordless = await plant(admin, b.store.tenant_id, WORD)
            yield Town(settings, process, client, admin, a, b, wordless)
            await admin.close()


async def flash(settings: Settings, world: World) -> None:
    """A flash sale whose gate is loaded, and an order through it: Redis then has keys of the store."""
    sale = await world.store.sale(2, door="gate", name=world.canary)
    async with Partitions(settings.redis_url) as partitions:
        await gatekeeping.tend(world.store.process.app_pool, Gatekeeper(partitions), world.store.tenant_id, decode("sal", sale))
    await world.store.order(await world.store.guest(), sale)


async def test_every_column_holds_the_word_or_says_why_not(town: Town) -> None:
    assert [column for column in town.wordless if not has_no_word(column)] == []


async def test_a_column_that_nobody_fills_is_found(town: Town) -> None:
    """A new column that no word fits in is told by name."""
    attempt = town.admin.transaction()
    await attempt.start()
    try:
        await town.admin.execute("ALTER TABLE product ADD COLUMN shade text CHECK (shade IN ('light', 'dark'))")
        found = await plant(town.admin, town.b.store.tenant_id, WORD)
        assert [column for column in found if not has_no_word(column)] == ["product.shade"]
    finally:
        await attempt.rollback()
    await town.admin.execute("SET session_replication_role = DEFAULT")


async def everything(town: Town) -> list[tuple[str, httpx.Response]]:
    """All answers that A, her shopper, a visitor and B's shopper at A get: of every route, with her ids, with B's, with nobody's."""
    a, b, client = town.a, town.b, town.client
    here = a.store.at
    who: dict[str, dict[str, str]] = {
        "merchant": a.store.merchant,
        "shopper": a.owner,
        "visitor": here,
        "stranger": b.owner | here,
        "browser": Browser.of(town.process, here, session=await session(a.store), shopper=bearer(a.owner)).headers,
    }
    answers = []
    for route in routes():
        if route.method not in ("GET", "POST"):
            continue
        row = API.get(route.name)
        texts = [name for name, field in queries(route).items() if field.is_subclass_of(str) or field.has_inner_subclass_of(str)]
        for ids in (a.ids, b.ids, a.missing()):
            named = {"provider": "sandbox", "name": "style.css", "path": "orders", "unit_id": "1", "slug": a.store.slug, **ids}
            path = (route.path + (row.query if row else "")).format(**named)
            asked = [path]
            if route.method == "GET" and "?" not in path and ids is a.ids:
                # Whatever may be asked for by a word is asked for by the word, and by parts of it.
                asked += [f"{path}?{name}={value}" for name in texts for value in (WORD, WORD[:8], WORD[-6:])]
            for address in asked:
                for name, headers in who.items():
                    content: dict[str, Any] = {} if route.method == "GET" else row.content(ids) if row else {"data": {}}
                    extra = row.headers if row else {}
                    response = await client.request(
                        route.method, address, headers=headers | extra | {"Idempotency-Key": uuid4().hex}, **content
                    )
                    answers.append((f"{name}: {route.method} {address}", response))
    return answers


def said(response: httpx.Response) -> str:
    """All of an answer, without what it repeats of the address."""
    text = f"{response.status_code} {dict(response.headers)} {response.text}"
    query = response.request.url.query.decode()
    asked = query.partition("=")[2]
    return text.replace(asked, "…") if asked and asked in WORD else text


@pytest.mark.timeout(180)
async def test_no_answer_no_log_and_no_key_holds_it(
    town: Town, caplog: pytest.LogCaptureFixture, record_property: Callable[[str, object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = await everything(town)
    with monkeypatch.context() as broken:
        # What nobody expected is logged whole: so there is a log to look into.
        broken.setattr(provide, "tenant_tx", lambda pool, tenant_id: tenant_tx(pool, str(tenant_id)))
        for path in (f"/v1/orders/{town.b.ids['order_id']}/cancel", "/v1/api-keys"):
            await town.client.post(path, headers=town.a.store.merchant)
    statuses = {response.status_code for _, response in answers}
    assert {200, 201, 400, 401, 404, 409} <= statuses, statuses
    failed = {name.partition(": ")[2] for name, response in answers if response.status_code >= 500 and response.status_code != 503}
    # What B had sealed is a word now, which opens for nobody: a notice to B's own account is answered so.
    assert {name for name in failed if f"/{town.b.ids['account']}" not in name} == set()
    own = [name for name, response in answers if town.a.canary in response.text]
    assert len(own) > 20, "A sees her own"
    needles = (WORD, town.b.canary, town.b.store.slug, town.b.store.tenant_id.hex)
    assert [name for name, response in answers for needle in needles if needle in said(response)] == []
    records = [record for record in caplog.records if record.name != "httpx"]  # the client's own, who tells the addresses it asks
    assert records
    logged = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in records)
    assert [needle for needle in (WORD, town.b.canary) if needle in logged] == []
    keys = 0
    for url in {town.settings.redis_url, town.settings.arq_redis_url}:
        async for key, value in in_redis(url, town.a.store.tenant_id.hex):
            keys += 1
            assert [needle for needle in needles if needle in key + value] == [], key
    assert keys > 0, "the flash sale has some"
    record_property("isolation", f"{len(answers)} answers, {len(records)} log lines, {keys} keys of A: 0 words of B")


async def test_a_leak_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were transactions B's whoever asks, A would read the word: a search that cannot find proves nothing."""
    b = town.b.store.tenant_id
    monkeypatch.setattr(provide, "tenant_tx", lambda pool, _: tenant_tx(pool, b))
    response = await town.client.get("/v1/products", headers=town.a.store.merchant)
    assert WORD in said(response)


async def test_the_word_is_where_b_looks(town: Town) -> None:
    """B's own things show it in answers: it lies where answers are made from."""
    b: Store = town.b.store
    async with tenant_tx(town.process.app_pool, b.tenant_id) as tx:
        assert await tx.conn.fetchval("SELECT name FROM product LIMIT 1") == WORD
        assert await tx.conn.fetchval("SELECT contact FROM orders LIMIT 1") == WORD
