"""Merchants as the platform's staff see them: pages of ten thousand, one by itself, and slugs that nobody gets."""

import statistics
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from api.process import Process
from checkout_core.config import Settings
from checkout_core.ids import new_id
from tenants.platform import merchants
from tests.api.test_accounts import new_merchant, proof
from tests.mails import token
from tests.platform import signed_in
from tests.shop import Store

TENANTS = 10_000
PAGE_MS = 50


@pytest.fixture(scope="module")
async def many(settings: Settings, process: Process) -> AsyncIterator[str]:
    """What the slugs of 10,000 tenants begin with, each with a store and a qualification."""
    prefix = f"m{uuid4().hex[:6]}-"
    ids = sorted(new_id() for _ in range(TENANTS))
    slugs = [f"{prefix}{n:05}" for n in range(TENANTS)]
    admin = await asyncpg.connect(settings.database_url)  # past row-level security: these are not one tenant's
    await admin.execute("INSERT INTO tenant (id, slug) SELECT * FROM unnest($1::uuid[], $2::text[])", ids, slugs)
    await admin.execute(
        "INSERT INTO store (tenant_id, slug, name) SELECT id, slug, slug FROM unnest($1::uuid[], $2::text[]) x (id, slug)", ids, slugs
    )
    sql = """INSERT INTO qualification (tenant_id, id, kind, state, particulars, key_id, submitted_at)
             SELECT id, id, 'company', 'approved', '', 1, now() FROM unnest($1::uuid[]) AS id"""
    await admin.execute(sql, ids)
    yield prefix
    for table, column in (("qualification", "tenant_id"), ("store", "tenant_id"), ("tenant", "id")):
        await admin.execute(f"DELETE FROM {table} WHERE {column} = ANY($1)", ids)
    await admin.close()


async def turned(client: httpx.AsyncClient, headers: dict[str, str], query: str, pages: int) -> str:
    """The cursor behind so many pages."""
    cursor = ""
    for _ in range(pages):
        page = await client.get(f"/v1/platform/merchants?{query}{cursor and f'&cursor={cursor}'}", headers=headers)
        cursor = page.json()["next_cursor"]
    return cursor


async def pages(client: httpx.AsyncClient, headers: dict[str, str], query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await client.get(f"/v1/platform/merchants?{query}{cursor and f'&cursor={cursor}'}", headers=headers)
        assert page.status_code == 200, page.text
        found += page.json()["merchants"]
        cursor = page.json()["next_cursor"]
    return found


class TestList:
    async def test_anonymous_and_merchants(self, client: httpx.AsyncClient, acme: Store) -> None:
        for headers in ({}, acme.merchant):
            assert (await client.get("/v1/platform/merchants", headers=headers)).status_code == 401

    async def test_all_of_ten_thousand_once_newest_first(self, client: httpx.AsyncClient, process: Process, many: str) -> None:
        headers = await signed_in(process, "support")
        found = await pages(client, headers, "limit=100")
        slugs = [each["slug"] for each in found if each["slug"].startswith(many)]
        assert slugs == [f"{many}{n:05}" for n in reversed(range(TENANTS))]
        assert len(found) == len({each["id"] for each in found})
        one = next(each for each in found if each["slug"] == f"{many}00042")
        assert (one["name"], one["qualifications"]) == (f"{many}00042", [{"kind": "company", "state": "approved", "valid_until": None}])

    async def test_a_page_is_quick_wherever_it_lies(self, client: httpx.AsyncClient, process: Process, many: str) -> None:
        headers = await signed_in(process, "support")
        far = await turned(client, headers, "limit=100", 50)
        far_by_slug = await turned(client, headers, f"slug={many}&limit=100", 50)
        for query in ("limit=100", f"limit=100&cursor={far}", f"slug={many}&limit=100", f"slug={many}&limit=100&cursor={far_by_slug}",
                      "state=suspended", "mail=nobody@example.org"):  # fmt: skip
            took_ms = []
            for _ in range(7):
                begun = time.perf_counter()
                assert (await client.get(f"/v1/platform/merchants?{query}", headers=headers)).status_code == 200
                took_ms.append((time.perf_counter() - begun) * 1000)
            print(f"{query:60} {statistics.median(took_ms):5.1f} ms")
            assert statistics.median(took_ms) <= PAGE_MS, query

    async def test_a_page_is_one_statement(self, process: Process, many: str) -> None:
        asked: list[str] = []
        async with process.platform_pool.acquire() as conn:
            with conn.query_logger(lambda query: asked.append(query.query)):
                assert len(await merchants.newest(conn, limit=100)) == 100
                assert len(await merchants.by_slug(conn, many, limit=100)) == 100
        assert len(asked) == 2

    async def test_by_the_beginning_of_the_slug(self, client: httpx.AsyncClient, process: Process, many: str) -> None:
        headers = await signed_in(process, "reviewer")
        found = await pages(client, headers, f"slug={many}0012&limit=3")
        assert [each["slug"] for each in found] == [f"{many}{n:05}" for n in range(120, 130)]
        assert await pages(client, headers, f"slug={many}x") == []
        assert await pages(client, headers, "slug=%25") == []

    async def test_by_the_mail_of_one_of_its_people(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        headers = await signed_in(process, "support")
        assert [each["slug"] for each in await pages(client, headers, f"mail={acme.mail.upper()}")] == [acme.slug]

    @pytest.mark.parametrize(("query", "code"), [("slug=a&mail=b", "one_filter"), ("state=open", "bad_state")])
    async def test_bad_questions(self, client: httpx.AsyncClient, process: Process, query: str, code: str) -> None:
        response = await client.get(f"/v1/platform/merchants?{query}", headers=await signed_in(process))
        assert (response.status_code, response.json()["code"]) == (400, code)


class TestGet:
    async def test_one(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        headers = await signed_in(process, "support")
        found = await acme.ask("GET", f"/v1/platform/merchants/ten_{acme.tenant_id.hex}", headers)
        assert (found["slug"], found["hosts"], found["mails"], found["suspended_at"]) == (acme.slug, [acme.host], [acme.mail], None)

    async def test_none(self, client: httpx.AsyncClient, process: Process) -> None:
        headers = await signed_in(process)
        for method, act in (("GET", ""), ("POST", "/suspend"), ("POST", "/lift-suspension")):
            body = {"reason": "x"} if method == "POST" else None
            response = await client.request(method, f"/v1/platform/merchants/ten_{uuid4().hex}{act}", json=body, headers=headers)
            assert response.status_code == 404


class TestReservedSlugs:
    async def test_those_of_the_platform_are_there_from_the_start(self, client: httpx.AsyncClient, process: Process) -> None:
        response = await client.get("/v1/platform/reserved-slugs", headers=await signed_in(process, "support"))
        assert {"admin", "api", "www", "support"} <= {each["slug"] for each in response.json()["reserved_slugs"]}

    async def test_nobody_gets_one_until_it_is_free(self, client: httpx.AsyncClient, process: Process) -> None:
        admin, new = await signed_in(process), new_merchant()
        kept = {"slug": new["slug"], "reason": "A trademark."}
        assert (await client.post("/v1/platform/reserved-slugs", json=kept, headers=admin)).status_code == 201
        again = await client.post("/v1/platform/reserved-slugs", json=kept, headers=admin)
        assert (again.status_code, again.json()["code"]) == (409, "slug_reserved")
        refused = await client.post("/v1/merchants", json=new)
        assert (refused.status_code, refused.json()["code"]) == (409, "taken")
        assert (await client.delete(f"/v1/platform/reserved-slugs/{new['slug']}", headers=admin)).status_code == 204
        assert (await client.delete(f"/v1/platform/reserved-slugs/{new['slug']}", headers=admin)).status_code == 404
        assert (await client.post("/v1/merchants", json=new)).status_code == 202

    async def test_nor_by_a_mail_of_before(self, client: httpx.AsyncClient, process: Process) -> None:
        """Who asked for it in time has nothing reserved: it is looked at again when his mail comes back."""
        admin, new = await signed_in(process), new_merchant()
        assert (await client.post("/v1/merchants", json=new)).status_code == 202
        kept = {"slug": new["slug"], "reason": "A trademark."}
        assert (await client.post("/v1/platform/reserved-slugs", json=kept, headers=admin)).status_code == 201
        refused = await client.post("/v1/merchants/confirm", json=proof(await token(process, new["mail"])))
        assert (refused.status_code, refused.json()["code"]) == (409, "taken")

    async def test_one_that_is_a_merchants_stays_his(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        body = {"slug": acme.slug, "reason": "x"}
        response = await client.post("/v1/platform/reserved-slugs", json=body, headers=await signed_in(process))
        assert (response.status_code, response.json()["code"]) == (409, "slug_in_use")

    async def test_only_an_admin_changes_them(self, client: httpx.AsyncClient, process: Process) -> None:
        for role in ("reviewer", "support"):
            headers = await signed_in(process, role)
            body = {"slug": "some-slug", "reason": "x"}
            assert (await client.post("/v1/platform/reserved-slugs", json=body, headers=headers)).status_code == 403
            assert (await client.delete("/v1/platform/reserved-slugs/admin", headers=headers)).status_code == 403
