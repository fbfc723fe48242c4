"""Orders as files for spreadsheets: asked for as in the list, made step by step, nothing computed in them, no code among them."""

import asyncio
import csv
import datetime as dt
import io
import random
import re
import tracemalloc
import zipfile
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode, new_id
from checkout_core.intents import Intent, SaleKey
from tenants import workbooks
from tenants.db import tenant_tx
from tenants.orders import commit_batch, export
from tenants.privacy import duty, requests
from tests.shop import Store
from tests.tenants.privacy.people import buyer, erased

NAMESPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def contact_of(order_id: UUID) -> str:
    return f"{order_id.hex}@example.org"


async def sell(store: Store, count: int, **more: Any) -> list[UUID]:
    """Orders of one sale, newest first."""
    sale = SaleKey(store.tenant_id, decode("sal", await store.sale(count, **more)))
    ids = [new_id() for _ in range(count)]
    batch = [Intent(each, new_id(), new_id(), 1, bytes(16), None, contact_of(each), None, "web") for each in ids]
    for start in range(0, count, 200):
        await commit_batch(store.process.app_pool, sale, batch[start : start + 200])
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = "SELECT id FROM orders WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC"
        return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def ask(store: Store, **asked: Any) -> str:
    return str((await store.ask("POST", "/v1/order-exports", store.merchant, {"format": "csv"} | asked))["id"])


async def work(process: Process, store: Store, export_id: str) -> None:
    await duty.carry_out(process.app_pool, process.keyring, store.tenant_id, decode("dat", export_id))


async def due(process: Process, store: Store) -> None:
    """As a minute later, when a worker has died."""
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        await tx.conn.execute("UPDATE data_request SET next_try_at = now() WHERE tenant_id = $1 AND next_try_at IS NOT NULL", tx.tenant_id)


async def taken(store: Store, export_id: str) -> bytes:
    answer = await store.client.get(f"/v1/order-exports/{export_id}/file", headers=store.merchant)
    assert answer.status_code == 200, answer.text
    return answer.content


def read_csv(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content: bytes) -> list[list[list[str]]]:
    """Rows of cells of each sheet, as another program reads them."""
    sheets = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        book = ET.fromstring(archive.read("xl/workbook.xml"))
        for number in range(1, len(book.findall("x:sheets/x:sheet", NAMESPACE)) + 1):
            root = ET.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
            assert root.findall(".//x:f", NAMESPACE) == [], "a formula"
            rows = root.findall("x:sheetData/x:row", NAMESPACE)
            sheets.append([["".join(cell.itertext()) for cell in row.findall("x:c", NAMESPACE)] for row in rows])
    return sheets


class TestFile:
    async def test_without_a_key(self, client: httpx.AsyncClient, acme: Store) -> None:
        for headers in (acme.at, await acme.guest()):
            assert (await client.post("/v1/order-exports", json={"format": "csv"}, headers=headers)).status_code == 401

    @pytest.mark.parametrize("format_", ["csv", "xlsx"])
    async def test_all_orders_newest_first_and_nobody_elses(self, process: Process, acme: Store, globex: Store, format_: str) -> None:
        made = await sell(acme, 3, name="Launch & <b>more</b>")
        await sell(globex, 2)
        tag = (await acme.ask("POST", "/v1/order-tags", acme.merchant, {"name": "vip"}))["id"]
        await acme.ask("PUT", f"/v1/orders/ord_{made[0].hex}/tags", acme.merchant, {"tag_ids": [tag]})
        export_id = await ask(acme, format=format_)
        await work(process, acme, export_id)
        told = await acme.ask("GET", f"/v1/order-exports/{export_id}", acme.merchant)
        assert (told["state"], told["rows"], told["format"]) == ("done", 3, format_)
        content = await taken(acme, export_id)
        if format_ == "csv":
            rows = read_csv(content)
        else:
            [[head, *cells]] = read_xlsx(content)
            rows = [dict(zip(head, row, strict=True)) for row in cells]
        assert [row["order"] for row in rows] == [f"ord_{each.hex}" for each in made]
        first = rows[0]
        assert (first["items"], first["quantity"], first["amount_minor"]) == ("1 × Launch & <b>more</b>", "1", "9900")
        assert (first["state"], first["contact"], first["tags"]) == ("awaiting", contact_of(made[0]), "vip")
        assert tuple(first) == export.COLUMNS

    async def test_by_the_lists_filters(self, process: Process, acme: Store) -> None:
        made = await sell(acme, 4)
        await acme.ask("POST", f"/v1/orders/ord_{made[1].hex}/cancel", acme.merchant)
        at = (await acme.ask("GET", f"/v1/orders/ord_{made[2].hex}", acme.merchant))["created_at"]
        page = (await acme.ask("GET", "/v1/orders?limit=1", acme.merchant))["items"][0]
        for asked, found in (
            ({"state": "cancelled"}, [made[1]]),
            ({"q": contact_of(made[3])}, [made[3]]),
            ({"channel": "h5"}, []),
            ({"sale_id": page["lines"][0]["sale_id"], "since": at}, made),
            ({"until": "2001-01-01T00:00:00Z"}, []),
            ({"tag_id": f"tag_{'0' * 32}"}, []),
        ):
            export_id = await ask(acme, **asked)
            await work(process, acme, export_id)
            rows = read_csv(await taken(acme, export_id))
            assert [row["order"] for row in rows] == [f"ord_{each.hex}" for each in found], asked

    @pytest.mark.parametrize("contact", ["=cmd|'/c calc'!A0", "+1+1", "-1-1", "@x.y", "＝1+1", "\t=1", "a\x01b<&>\"'", "😀" * 50])
    async def test_nothing_in_it_is_computed(self, process: Process, acme: Store, contact: str) -> None:
        await buyer(acme, contact=contact)
        for format_ in ("csv", "xlsx"):
            export_id = await ask(acme, format=format_)
            await work(process, acme, export_id)
            content = await taken(acme, export_id)
            if format_ == "csv":
                cell = read_csv(content)[0]["contact"]
                assert cell == (contact if contact[0] in "a😀" else f"'{contact}")
            else:
                assert read_xlsx(content)[0][1][4] == contact.replace("\x01", " ")

    async def test_no_code_is_in_it(self, process: Process, acme: Store) -> None:
        """Nothing of the vault is read to make it."""
        await buyer(acme)
        export_id = await ask(acme)
        queries: list[str] = []
        async with process.app_pool.acquire() as conn:
            with conn.query_logger(lambda record: queries.append(record.query)):
                async with tenant_tx(conn, acme.tenant_id) as tx:
                    request = await requests.get(tx, decode("dat", export_id), kinds=(export.KIND,))
                    start: dict[str, Any] = {"rows": 0, "parts": 0, "sheets": 1, "before": None}
                    assert await export._step(tx, process.keyring, request, export.wanted(request), start)
                await conn.fetchval("SELECT 1")
        assert len(queries) > 5
        assert [sql for sql in queries if re.search(r"\b(code|unit|delivery)\b", sql)] == []

    async def test_what_is_made_later_is_not_in_it(self, process: Process, acme: Store) -> None:
        made = await sell(acme, 2)
        export_id = await ask(acme)
        await sell(acme, 2)
        await work(process, acme, export_id)
        assert [row["order"] for row in read_csv(await taken(acme, export_id))] == [f"ord_{each.hex}" for each in made]

    @pytest.mark.parametrize(
        "wrong",
        [{"format": "pdf"}, {}, {"format": "csv", "since": "2026-01-01"}, {"format": "csv", "limit": 1}, {"format": "csv", "q": ""}],
    )
    async def test_malformed(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, object]) -> None:
        assert (await client.post("/v1/order-exports", json=wrong, headers=acme.merchant)).status_code == 400

    async def test_words_of_a_shopper(self, client: httpx.AsyncClient, acme: Store) -> None:
        asked = {"format": "csv", "q": "ann", "shopper_id": f"shp_{'0' * 32}"}
        answer = await client.post("/v1/order-exports", json=asked, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (422, "words_of_a_shopper")


class TestMaking:
    @pytest.mark.parametrize("format_", ["csv", "xlsx"])
    async def test_it_goes_on_where_a_crash_left_it(
        self, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch, format_: str
    ) -> None:
        """Parts of two orders, sheets of five, a crash before or after every third commit: each order is there once."""
        monkeypatch.setattr(export, "AT_ONCE", 2)
        monkeypatch.setattr(workbooks, "SHEET_ROWS", 5)
        made, dice = await sell(acme, 13), random.Random(7)
        export_id = await ask(acme, format=format_)
        step, crashes = export._step, 0

        async def dies(*args: Any) -> bool:
            nonlocal crashes
            is_last = await step(*args)
            if dice.random() < 0.3:
                crashes += 1
                raise KeyboardInterrupt
            return is_last

        monkeypatch.setattr(export, "_step", dies)
        while (await acme.ask("GET", f"/v1/order-exports/{export_id}", acme.merchant))["state"] == "running":
            await due(process, acme)
            try:
                await work(process, acme, export_id)
            except KeyboardInterrupt:
                continue
        assert crashes > 1
        content = await taken(acme, export_id)
        if format_ == "csv":
            numbers = [row["order"] for row in read_csv(content)]
        else:
            sheets = read_xlsx(content)
            assert [len(sheet) - 1 for sheet in sheets] == [6, 4, 3], "a part is in one sheet"
            numbers = [row[0] for sheet in sheets for row in sheet[1:]]
        assert numbers == [f"ord_{each.hex}" for each in made]

    async def test_two_workers_at_it_make_each_part_once(self, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(export, "AT_ONCE", 2)
        await sell(acme, 11)
        export_id = await ask(acme)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            request = await requests.get(tx, decode("dat", export_id), kinds=(export.KIND,))
        await asyncio.gather(*(export.carry_out(process.app_pool, process.keyring, acme.tenant_id, request) for _ in range(3)))
        rows = read_csv(await taken(acme, export_id))
        assert len(rows) == len({row["order"] for row in rows}) == 11

    async def test_memory_and_transactions_are_those_of_a_part(
        self, process: Process, acme: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Twelve times the orders take no more memory, made or taken along; each step is a transaction of its own."""
        monkeypatch.setattr(export, "AT_ONCE", 100)
        peaks = []
        for count in (100, 1200):
            sold = await sell(acme, count)
            export_id = await ask(acme, format="xlsx", since=(dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat())
            tracemalloc.start()
            await work(process, acme, export_id)
            async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
                request = await requests.get(tx, decode("dat", export_id), kinds=(export.KIND,))
            size = 0
            async for piece in export.file(process.app_pool, process.keyring, acme.tenant_id, request):
                size += len(piece)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert request.progress["rows"] == len(sold)
            async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
                sql = "SELECT count(DISTINCT xmin::text) = count(*) FROM data_part WHERE tenant_id = $1 AND request_id = $2"
                assert await tx.conn.fetchval(sql, tx.tenant_id, request.id)
        assert peaks[1] < 1.5 * peaks[0], peaks

    async def test_five_at_a_time_and_the_same_is_the_same(self, client: httpx.AsyncClient, acme: Store) -> None:
        states = ["awaiting", "paid", "delivered", "refunded"]
        made = {await ask(acme, state=state) for state in states} | {await ask(acme), await ask(acme)}
        assert len(made) == 5
        refused = await client.post("/v1/order-exports", json={"format": "xlsx"}, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_exports")


class TestKept:
    async def test_not_before_it_is_done(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await client.get(f"/v1/order-exports/{await ask(acme)}/file", headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")

    async def test_sealed_and_gone_after_a_week(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        await sell(acme, 2)
        export_id = await ask(acme, q="example")
        await work(process, acme, export_id)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            parts = [row[0] for row in await tx.conn.fetch("SELECT sealed FROM data_part WHERE tenant_id = $1", tx.tenant_id)]
        assert len(parts) == 1
        assert b"example" not in parts[0]
        await due(process, acme)
        await work(process, acme, export_id)
        answer = await client.get(f"/v1/order-exports/{export_id}/file", headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "expired")
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT asked FROM data_request WHERE tenant_id = $1", tx.tenant_id) == "{}"
        assert (await acme.ask("GET", f"/v1/order-exports/{export_id}", acme.merchant))["format"] is None

    async def test_each_download_is_on_record(self, process: Process, acme: Store) -> None:
        export_id = await ask(acme)
        await work(process, acme, export_id)
        for _ in range(2):
            await taken(acme, export_id)
        assert (await acme.audited())[-3:] == ["data.order_export", "data.downloaded", "data.downloaded"]

    async def test_it_goes_when_a_shopper_is_erased(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        person = await buyer(acme)
        export_id = await ask(acme)
        await work(process, acme, export_id)
        await erased(process, person)
        answer = await client.get(f"/v1/order-exports/{export_id}/file", headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "expired")

    async def test_it_is_no_request_about_data(self, client: httpx.AsyncClient, acme: Store) -> None:
        """Whoever sees those may not see what orders say, and the other way round."""
        person = await buyer(acme)
        export_id, request = await ask(acme), (await acme.ask("POST", f"/v1/shoppers/{person.ref}/exports", acme.merchant))["id"]
        listed = [
            [each["id"] for each in (await acme.ask("GET", path, acme.merchant))["items"]]
            for path in ("/v1/order-exports", "/v1/data-requests")
        ]
        assert listed == [[export_id], [request]]
        for path in (f"/v1/data-requests/{export_id}", f"/v1/data-requests/{export_id}/archive", f"/v1/order-exports/{request}"):
            assert (await client.get(path, headers=acme.merchant)).status_code == 404
