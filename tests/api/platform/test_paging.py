"""The platform's lists turn pages as merchants' do: every row once, in order, and a cursor that is good at its own list only."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from api.paging import Page
from api.process import Process
from tenants.db import platform_tx
from tenants.platform import records, slugs
from tests.platform import signed_in
from tests.shop import Store


class List(NamedTuple):
    """`items` is the member that holds the rows, `key` what they are ordered by, `add` makes one more."""

    path: str
    items: str
    add: Callable[[Process], Awaitable[object]]
    key: str = "id"
    newest_first: bool = True


async def add_record(process: Process) -> None:
    async with platform_tx(process.platform_pool) as conn:
        await records.add(conn, "pst_1", "thing.done", "thing")


async def add_slug(process: Process) -> None:
    async with platform_tx(process.platform_pool) as conn:
        await slugs.reserve(conn, f"r{uuid4().hex[:12]}", reason="a test", actor="pst_1")


LISTS = [
    List("/v1/platform/records", "records", add_record),
    List("/v1/platform/staff", "staff", signed_in),
    List("/v1/platform/reserved-slugs", "reserved_slugs", add_slug, key="slug", newest_first=False),
]
every = pytest.mark.parametrize("what", LISTS, ids=lambda what: what.path)


async def page(client: httpx.AsyncClient, what: List, headers: dict[str, str], **query: Any) -> Any:
    response = await client.get(what.path, params=query, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


@every
class TestEveryList:
    async def test_page_by_page_in_order_and_nothing_twice(self, client: httpx.AsyncClient, process: Process, what: List) -> None:
        headers = await signed_in(process)
        for _ in range(5):
            await what.add(process)
        first = await page(client, what, headers, limit=2)
        seen = [each[what.key] for each in first[what.items]]
        assert len(seen) == 2
        cursor = first["next_cursor"]
        while cursor is not None:
            found = await page(client, what, headers, limit=100, cursor=cursor)
            seen += [each[what.key] for each in found[what.items]]
            cursor = found["next_cursor"]
        assert len(seen) >= 5
        assert seen == sorted(set(seen), reverse=what.newest_first)

    async def test_a_cursor_is_good_at_its_own_list_only(
        self, client: httpx.AsyncClient, process: Process, acme: Store, what: List
    ) -> None:
        headers = await signed_in(process)
        for _ in range(2):
            await what.add(process)
        cursor = (await page(client, what, headers, limit=1))["next_cursor"]
        elsewhere = next(each.path for each in LISTS if each != what)
        tries = [(headers, elsewhere, cursor), (acme.merchant, "/v1/audit", cursor), (headers, what.path, "x")]
        for who, path, tried in tries:
            response = await client.get(path, params={"cursor": tried}, headers=who)
            assert (response.status_code, response.json()["code"]) == (400, "bad_cursor"), path

    async def test_without_the_check_a_cursor_would_do_anywhere(
        self, client: httpx.AsyncClient, process: Process, what: List, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What holds the test above: were the key not bound to its list, this would be answered."""
        headers = await signed_in(process)
        await what.add(process)
        monkeypatch.setattr(Page, "_mac", lambda self, key: bytes(16))
        cursor = Page(b"", b"", 1, None).turn("a" if what.key == "slug" else uuid4())
        assert (await client.get(what.path, params={"cursor": cursor}, headers=headers)).status_code == 200
