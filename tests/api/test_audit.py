"""The audit as its readers get it."""

import asyncio
import csv
import io
import json

import httpx
import pytest

from tenants import spreadsheets
from tenants.audit import read
from tenants.db import tenant_tx
from tests.shop import Store

HEADINGS = {"id", "at", "actor", "action", "subject", "detail"}


async def written(store: Store, count: int, *, subject: str = "thing") -> None:
    for n in range(count):
        async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
            await tx.audit("usr_1", "thing.done", f"{subject}_{n}", n=n)
        await asyncio.sleep(0.002)  # ids of one millisecond stand in no order


class TestList:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/audit")).status_code == 401

    async def test_another_store_has_its_own(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await written(acme, 1, subject="canary")
        assert "canary" not in (await client.get("/v1/audit", headers=globex.merchant)).text

    async def test_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get("/v1/audit", headers=await acme.key_with("orders:read"))).status_code == 403

    async def test_newest_first_page_by_page(self, client: httpx.AsyncClient, acme: Store) -> None:
        await written(acme, 5)
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = (
                await client.get("/v1/audit", params={"limit": 2} | ({"cursor": cursor} if cursor else {}), headers=acme.merchant)
            ).json()
            seen += [entry["subject"] for entry in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen[:5] == [f"thing_{n}" for n in (4, 3, 2, 1, 0)]
        assert len(seen) == 7
        assert page["items"][-1].keys() == HEADINGS

    async def test_by_who_what_and_on_what(self, client: httpx.AsyncClient, acme: Store) -> None:
        await written(acme, 3)
        for wanted, count in (("actor=usr_1", 3), ("action=thing.done", 3), ("subject=thing_1", 1), ("actor=usr_1&subject=thing_9", 0)):
            page = (await client.get(f"/v1/audit?{wanted}", headers=acme.merchant)).json()
            assert len(page["items"]) == count, wanted

    async def test_by_time(self, client: httpx.AsyncClient, acme: Store) -> None:
        await written(acme, 3)
        at = (await client.get("/v1/audit?subject=thing_1", headers=acme.merchant)).json()["items"][0]["at"]
        later = (await client.get("/v1/audit", params={"since": at}, headers=acme.merchant)).json()["items"]
        earlier = (await client.get("/v1/audit", params={"until": at, "actor": "usr_1"}, headers=acme.merchant)).json()["items"]
        assert [entry["subject"] for entry in later] == ["thing_2", "thing_1"]
        assert [entry["subject"] for entry in earlier] == ["thing_0"]

    @pytest.mark.parametrize("wrong", ["since=yesterday", "since=2026-01-01T00:00:00", "until=0000-01-01T00:00:00Z", "limit=0", "actor="])
    async def test_malformed(self, client: httpx.AsyncClient, acme: Store, wrong: str) -> None:
        assert (await client.get(f"/v1/audit?{wrong}", headers=acme.merchant)).status_code == 400


class TestExport:
    async def test_csv_cannot_compute(self, client: httpx.AsyncClient, acme: Store) -> None:
        await written(acme, 1, subject="=HYPERLINK(1)")
        answer = await client.get("/v1/audit/export/csv", headers=acme.merchant)
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [row["action"] for row in rows[:2]] == ["audit.exported", "thing.done"]
        assert {row["action"] for row in rows[2:]} == {"merchant.signed_up", "api_key.created"}
        assert rows[1]["subject"] == "'=HYPERLINK(1)_0"
        assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'

    async def test_json_lines_in_several_pages(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(read, "EXPORT_AT_ONCE", 2)
        await written(acme, 5)
        answer = await client.get("/v1/audit/export/jsonl?actor=usr_1", headers=acme.merchant)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert [line["subject"] for line in lines] == [f"thing_{n}" for n in (4, 3, 2, 1, 0)]
        assert lines[0]["detail"] == {"n": 4}

    @pytest.mark.parametrize("form", ["csv", "jsonl"])
    async def test_what_cannot_be_asked_is_refused_and_not_on_record(self, client: httpx.AsyncClient, acme: Store, form: str) -> None:
        answer = await client.get(f"/v1/audit/export/{form}", params={"action": "a\x00b"}, headers=acme.merchant)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        found = await acme.ask("GET", "/v1/audit?action=audit.exported", acme.merchant)
        assert found["items"] == []

    @pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", " =1", "＝1"])
    def test_what_a_spreadsheet_would_compute(self, text: str) -> None:
        assert spreadsheets.cell(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "1", "a=1", "ord_1"])
    def test_what_it_would_not(self, text: str) -> None:
        assert spreadsheets.cell(text) == text
