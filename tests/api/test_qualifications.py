"""A merchant's side of qualification: drafts, documents as they are kept, and what is refused."""

import asyncio
import hashlib
import io
import struct
import zlib
from typing import Any

import httpx
import pytest
from PIL import Image

from api import uploads
from api.process import Process
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tenants.keys import SealBroken, document_place
from tenants.qualifications import documents, files
from tests.documents import JPEG, PDF, PNG, picture
from tests.shop import Store

NEW = {"kind": "company", "legal_name": "杭州点卡科技有限公司", "registration_number": "91330100MA2CFXXX1A"}
NO_DOCUMENT = "unsupported_media_type"
FILE = {"Content-Type": "application/octet-stream"}


async def draft(store: Store, **changes: str) -> str:
    return str((await store.ask("POST", "/v1/qualifications", store.merchant, NEW | changes))["id"])


async def add(store: Store, qualification: str, content: bytes, shows: str = "business_licence", **headers: str) -> httpx.Response:
    path = f"/v1/qualifications/{qualification}/documents?shows={shows}"
    return await store.client.post(path, content=content, headers=store.merchant | FILE | headers)


async def shown(store: Store, qualification: str, content: bytes, shows: str = "business_licence") -> dict[str, Any]:
    """The document as the API lists it."""
    response = await add(store, qualification, content, shows)
    assert response.status_code == 201, response.text
    document: dict[str, Any] = response.json()["documents"][-1]
    return document


async def fetched(store: Store, qualification: str, document: str) -> bytes:
    response = await store.client.get(f"/v1/qualifications/{qualification}/documents/{document}", headers=store.merchant)
    assert response.status_code == 200, response.text
    return response.content


class TestDraft:
    async def test_anonymous_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.post("/v1/qualifications", json=NEW)).status_code == 401
        limited = await acme.key_with("catalog:read")
        assert (await client.post("/v1/qualifications", json=NEW, headers=limited)).status_code == 403

    async def test_of_another_tenant_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        qualification = await draft(acme)
        document = await shown(acme, qualification, PDF)
        for path in (qualification, f"{qualification}/documents/{document['id']}"):
            assert (await client.get(f"/v1/qualifications/{path}", headers=globex.merchant)).status_code == 404
        assert (await add(globex, qualification, PDF)).status_code == 404

    async def test_one_of_a_kind_at_a_time(self, client: httpx.AsyncClient, acme: Store) -> None:
        answers = await asyncio.gather(*(client.post("/v1/qualifications", json=NEW, headers=acme.merchant) for _ in range(3)))
        assert sorted(each.status_code for each in answers) == [201, 409, 409]
        assert {each.json().get("code") for each in answers} == {None, "qualification_under_way"}
        await draft(acme, kind="gift_cards")

    async def test_asked_again_with_its_key_it_is_the_same(self, client: httpx.AsyncClient, acme: Store) -> None:
        headers = acme.merchant | {"Idempotency-Key": "k"}
        first, again = [await client.post("/v1/qualifications", json=NEW, headers=headers) for _ in range(2)]
        assert first.content == again.content

    async def test_what_it_says_lies_sealed(self, process: Process, acme: Store) -> None:
        qualification = decode("qua", await draft(acme))
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            row = await tx.conn.fetchrow("SELECT * FROM qualification WHERE tenant_id = $1 AND id = $2", tx.tenant_id, qualification)
            told = await tx.conn.fetch("SELECT detail::text FROM audit WHERE tenant_id = $1", tx.tenant_id)
        for secret in (NEW["legal_name"], NEW["registration_number"]):
            assert secret.encode() not in repr(row).encode() + row["particulars"]
            assert not any(secret in each["detail"] for each in told)

    async def test_corrected_until_it_is_submitted(self, client: httpx.AsyncClient, acme: Store) -> None:
        qualification = await draft(acme, kind="individual", legal_name="Lǐ Lei")
        path, right = f"/v1/qualifications/{qualification}", {"legal_name": "Lǐ Lěi", "registration_number": "2"}
        assert (await acme.ask("POST", f"{path}/particulars", acme.merchant, right))["legal_name"] == "Lǐ Lěi"
        for shows in ("id_front", "id_back"):
            await shown(acme, qualification, PNG, shows)
        await acme.ask("POST", f"{path}/submit", acme.merchant)
        for response in (
            await client.post(f"{path}/particulars", json=right, headers=acme.merchant),
            await add(acme, qualification, JPEG, "other"),
            await client.delete(f"{path}/documents/doc_{'0' * 32}", headers=acme.merchant),
        ):
            assert (response.status_code, response.json()["code"]) == (409, "wrong_state")

    async def test_is_not_submitted_without_its_documents(self, client: httpx.AsyncClient, acme: Store) -> None:
        qualification = await draft(acme)
        await shown(acme, qualification, PDF)
        response = await client.post(f"/v1/qualifications/{qualification}/submit", json={}, headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (422, "documents_missing")
        assert response.json()["missing"] == ["representative_id_front", "representative_id_back"]
        assert (await acme.ask("GET", f"/v1/qualifications/{qualification}", acme.merchant))["state"] == "draft"

    async def test_withdrawn_its_documents_are_gone(self, process: Process, acme: Store) -> None:
        qualification = await draft(acme)
        await shown(acme, qualification, PDF)
        withdrawn = await acme.ask("POST", f"/v1/qualifications/{qualification}/withdraw", acme.merchant)
        assert (withdrawn["state"], withdrawn["documents"]) == ("withdrawn", [])
        await draft(acme)

    async def test_all_that_ever_were_are_listed(self, acme: Store) -> None:
        first = await draft(acme)
        await acme.ask("POST", f"/v1/qualifications/{first}/withdraw", acme.merchant)
        second = await draft(acme)
        listed = (await acme.ask("GET", "/v1/qualifications", acme.merchant))["qualifications"]
        assert [(each["id"], each["state"]) for each in listed] == [(second, "draft"), (first, "withdrawn")]


class TestDocument:
    @pytest.mark.parametrize(
        ("content", "media_type"), [(PDF, files.PDF), (PNG, files.PNG), (JPEG, files.JPEG)], ids=["pdf", "png", "jpeg"]
    )
    async def test_is_what_its_content_says(self, acme: Store, content: bytes, media_type: str) -> None:
        qualification = await draft(acme)
        document = await shown(acme, qualification, content)
        assert document["media_type"] == media_type
        assert document["sha256"] == hashlib.sha256(content).hexdigest()
        kept = await fetched(acme, qualification, document["id"])
        assert document["size_bytes"] == len(kept)
        assert kept[:4] == content[:4]

    @pytest.mark.parametrize(
        ("content", "status", "code"),
        [
            (b"", 415, NO_DOCUMENT), (b"MZ\x90\x00", 415, NO_DOCUMENT), (b"<svg/>", 415, NO_DOCUMENT),
            (b"GIF89a" + bytes(20), 415, NO_DOCUMENT), (b"PK\x03\x04", 415, NO_DOCUMENT),
            (PNG[:-35], 422, "broken_document"), (JPEG[:60], 422, "broken_document"), (PDF[:30], 422, "broken_document"),
            (PNG[:8] + b"no picture", 422, "broken_document"), (b"\xff\xd8\xff" + PNG, 422, "broken_document"),
        ],
        ids=["nothing", "a program", "svg", "gif", "zip", "cut png", "cut jpeg", "cut pdf", "no png", "png as jpeg"],
    )  # fmt: skip
    async def test_what_is_none(self, acme: Store, content: bytes, status: int, code: str) -> None:
        response = await add(acme, await draft(acme), content)
        assert (response.status_code, response.json()["code"]) == (status, code)

    async def test_whatever_it_is_called(self, acme: Store) -> None:
        """The content type that is sent decides nothing, but a form or JSON is no file."""
        qualification = await draft(acme)
        response = await add(acme, qualification, PNG, **{"Content-Type": "application/pdf"})
        assert response.json()["documents"][0]["media_type"] == files.PNG
        for other in ("application/json", "multipart/form-data; boundary=x", "text/html"):
            assert (await add(acme, qualification, PNG, **{"Content-Type": other})).status_code == 415
        assert (await add(acme, qualification, PNG, **{"Content-Encoding": "gzip"})).status_code == 415

    async def test_a_picture_is_drawn_anew(self, acme: Store) -> None:
        """Where it was taken, and what lies behind its end, stays outside."""
        exif = Image.Exif()
        exif[0x010E] = "secret place"  # ImageDescription
        exif[0x0112] = 6  # Orientation: turned by a quarter
        sent = picture("JPEG", (8, 4), exif=exif) + b"<script>alert(1)</script>"
        qualification = await draft(acme)
        kept = await fetched(acme, qualification, (await shown(acme, qualification, sent))["id"])
        assert b"secret place" in sent
        for ridden in (b"secret place", b"<script>", b"Exif"):
            assert ridden not in kept
        with Image.open(io.BytesIO(kept)) as image:
            assert (image.format, image.size) == ("JPEG", (4, 8))

    async def test_of_a_size_only(self, acme: Store) -> None:
        qualification = await draft(acme)
        too_large = PDF[:-6] + bytes(files.BYTES_MAX) + b"%%EOF\n"
        response = await add(acme, qualification, too_large)
        assert (response.status_code, response.json()["code"]) == (413, "too_large")

        async def unannounced() -> Any:
            for at in range(0, len(too_large), 1 << 20):
                yield too_large[at : at + (1 << 20)]

        path = f"/v1/qualifications/{qualification}/documents?shows=business_licence"
        response = await acme.client.post(path, content=unannounced(), headers=acme.merchant | FILE)
        assert response.status_code == 413

    async def test_of_so_many_pixels_only(self, acme: Store) -> None:
        """A bomb: 60 kB that would unpack to 120 MB, and one that would to 4 GB."""
        qualification = await draft(acme)
        for size in ((8000, 5000), (40_000, 35_000)):
            bomb = bomb_of(size)
            assert len(bomb) < files.BYTES_MAX
            response = await add(acme, qualification, bomb)
            assert (response.status_code, response.json()["code"]) == (413, "too_many_pixels")

    async def test_without_the_bound_it_would_be_unpacked(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin: it is the bound that refuses it, before a pixel is read."""
        monkeypatch.setattr(files, "PIXELS_MAX", 50_000_000)
        assert (await add(acme, await draft(acme), bomb_of((8000, 5000)))).status_code == 201

    async def test_the_same_again_is_the_one_that_is_there(self, acme: Store) -> None:
        qualification = await draft(acme)
        first, again = await shown(acme, qualification, PDF), await shown(acme, qualification, PDF)
        assert first == again
        assert (await shown(acme, qualification, PDF, "other"))["id"] != first["id"]

    async def test_so_many_only(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        qualification = await draft(acme)
        answers = await asyncio.gather(*(add(acme, qualification, PDF + b"\n" * n) for n in range(2)))
        assert [each.status_code for each in answers] == [201, 201]
        for n in range(2, documents.COUNT_MAX):
            await shown(acme, qualification, PDF + b"\n" * n)
        response = await add(acme, qualification, PDF + b"\n" * 99)
        assert (response.status_code, response.json()["code"]) == (409, "too_many_documents")
        monkeypatch.setattr(documents, "COUNT_MAX", 99)
        monkeypatch.setattr(documents, "TOTAL_BYTES_MAX", 1000)
        assert (await add(acme, qualification, PDF + b"\n" * 999)).status_code == 413

    async def test_so_many_at_once_only(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a process holds in memory is bounded, whoever sends it, and is let go."""
        monkeypatch.setattr(uploads, "WHOLE_AT_ONCE_MAX", 1)
        qualification = await draft(acme)
        with uploads.room():
            response = await add(acme, qualification, PDF)
        assert (response.status_code, response.json()["code"]) == (429, "busy")
        for _ in range(2):
            await shown(acme, qualification, PDF)

    async def test_only_what_the_kind_shows(self, acme: Store) -> None:
        response = await add(acme, await draft(acme, kind="individual"), PDF)
        assert (response.status_code, response.json()["code"]) == (422, "not_asked_for")
        assert response.json()["shows"] == ["id_front", "id_back"]

    async def test_removed_it_is_gone(self, client: httpx.AsyncClient, acme: Store) -> None:
        qualification = await draft(acme)
        document = await shown(acme, qualification, PDF)
        path = f"/v1/qualifications/{qualification}/documents/{document['id']}"
        assert (await client.delete(path, headers=acme.merchant)).status_code == 204
        assert (await client.delete(path, headers=acme.merchant)).status_code == 404
        assert (await client.get(path, headers=acme.merchant)).status_code == 404

    async def test_a_download_is_shown_by_no_browser_and_recorded(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        qualification = await draft(acme)
        document = await shown(acme, qualification, PDF)
        response = await client.get(f"/v1/qualifications/{qualification}/documents/{document['id']}", headers=acme.merchant)
        assert response.headers["content-type"] == "application/octet-stream"
        assert response.headers["content-disposition"] == f'attachment; filename="{document["id"]}.pdf"'
        assert response.headers["cache-control"] == "no-store"
        assert "sandbox" in response.headers["content-security-policy"]
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT count(*) FROM audit WHERE tenant_id = $1 AND action = 'qualification_document.opened' AND subject = $2"
            assert await tx.conn.fetchval(sql, tx.tenant_id, document["id"]) == 1

    async def test_lies_sealed_for_its_place(self, process: Process, acme: Store) -> None:
        """Nothing of it stands in the row, and in the place of another document it does not open."""
        qualification = await draft(acme)
        one = await shown(acme, qualification, PDF + b"canary-one\n%%EOF")
        other = await shown(acme, qualification, PDF, "other")
        ids = [decode("doc", each["id"]) for each in (one, other)]
        place = decode("qua", qualification)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT content, key_id FROM qualification_document WHERE tenant_id = $1 AND id = $2"
            row = await tx.conn.fetchrow(sql, tx.tenant_id, ids[0])
            keys = await process.keyring.of(tx)
        assert b"canary-one" not in row["content"]
        assert b"%PDF" not in row["content"]
        assert b"canary-one" in keys.open_(row["key_id"], row["content"], document_place(acme.tenant_id, place, ids[0]))
        with pytest.raises(SealBroken):
            keys.open_(row["key_id"], row["content"], document_place(acme.tenant_id, place, ids[1]))


def bomb_of(size: tuple[int, int]) -> bytes:
    """A PNG of one colour: rows of zeros, packed a thousandfold, written without holding them."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    width, height = size
    packer, row = zlib.compressobj(9), bytes(1 + width)
    data = b"".join(packer.compress(row) for _ in range(min(height, 5000))) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


class TestEvent:
    async def test_each_change_is_announced(self, process: Process, acme: Store) -> None:
        qualification = await draft(acme)
        await acme.ask("POST", f"/v1/qualifications/{qualification}/withdraw", acme.merchant)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT payload ->> 'state' FROM outbox WHERE tenant_id = $1 AND topic = 'qualification.changed'"
            assert [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id)] == ["withdrawn"]
