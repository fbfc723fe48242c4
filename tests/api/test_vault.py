"""Files of codes over HTTP: in, shown, reported on."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.uploads import _at_work
from tests.shop import Store

CODES = Path(__file__).parents[1] / "data" / "codes"
MANIFEST: dict[str, Any] = json.loads((CODES / "manifest.json").read_text())
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = {".txt": "text/plain", ".csv": "text/csv", ".xlsx": XLSX}


def file(name: str, content: bytes | None = None) -> dict[str, Any]:
    headers = {"Content-Type": TYPES[Path(name).suffix], "X-Filename": name}
    return {"headers": headers, "content": (CODES / name).read_bytes() if content is None else content}


async def post(store: Store, path: str, name: str, content: bytes | None = None, *, key: str | None = None, **query: Any) -> Any:
    sent = file(name, content)
    sent["headers"] |= store.merchant | ({"Idempotency-Key": key} if key else {})
    return await store.client.post(path, params=query, **sent)


class TestImport:
    async def test_without_a_key(self, client: Any, acme: Store) -> None:
        response = await client.post("/v1/vault/imports", params={"sku_id": await acme.sku()}, **file("music-month.txt"))
        assert response.status_code == 401

    async def test_key_without_the_permission(self, client: Any, acme: Store) -> None:
        sent = file("music-month.txt")
        sent["headers"] |= await acme.key_with("vault:read", "catalog:write")
        response = await client.post("/v1/vault/imports", params={"sku_id": await acme.sku()}, **sent)
        assert (response.status_code, response.json()["code"]) == (403, "missing_permission")

    async def test_sku_of_another_store(self, acme: Store, globex: Store) -> None:
        response = await post(acme, "/v1/vault/imports", "music-month.txt", sku_id=await globex.sku())
        assert response.status_code == 404

    @pytest.mark.parametrize("name", MANIFEST)
    async def test_the_report_equals_the_manifest(self, acme: Store, name: str) -> None:
        response = await post(acme, "/v1/vault/imports", name, sku_id=await acme.sku(), source="supplier", note="first")
        assert response.status_code == 201, response.text
        report, expected = response.json(), MANIFEST[name]
        assert report["state"] == "loaded"
        assert {key: report[key] for key in ("loaded", "malformed", "duplicates_in_file", "duplicates_in_vault", "filename", "source")} == {
            "loaded": expected["loaded"], "malformed": expected["malformed"], "duplicates_in_file": expected["duplicates_in_file"],
            "duplicates_in_vault": 0, "filename": name, "source": "supplier",
        }  # fmt: skip
        assert report["blank"] == expected.get("blank", 0)
        assert report["lines"] == expected.get("lines", expected.get("rows", 0) + 1)
        again = await acme.ask("GET", f"/v1/vault/imports/{report['id']}", acme.merchant)
        assert again == report

    async def test_becomes_stock(self, acme: Store) -> None:
        sku = await acme.sku()
        await post(acme, "/v1/vault/imports", "gift-card.xlsx", sku_id=sku)
        stock = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]
        assert (stock["available"], stock["unallotted"]) == (1998, 1998)

    async def test_same_key_and_file_is_the_same_import(self, acme: Store) -> None:
        sku = await acme.sku()
        first, second = [(await post(acme, "/v1/vault/imports", "music-month.txt", sku_id=sku, key="k1")).json() for _ in range(2)]
        assert first == second
        other = await post(acme, "/v1/vault/imports", "music-month.txt", b"CODE-1\nCODE-2\n", sku_id=sku, key="k1")
        assert (other.status_code, other.json()["code"]) == (409, "different_file")
        longer = (CODES / "music-month.txt").read_bytes() + b"CODE-1\n"
        other = await post(acme, "/v1/vault/imports", "music-month.txt", longer, sku_id=sku, key="k1")
        assert (other.status_code, other.json()["code"]) == (409, "different_file")
        other = await post(acme, "/v1/vault/imports", "music-month.txt", sku_id=await acme.sku(), key="k1")
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")

    async def test_same_file_again_is_all_duplicates(self, acme: Store) -> None:
        sku = await acme.sku()
        first, second = [(await post(acme, "/v1/vault/imports", "music-month.txt", sku_id=sku)).json() for _ in range(2)]
        assert (second["loaded"], second["duplicates_in_vault"], second["duplicates_in_file"]) == (0, 5039, 0)
        assert second["malformed"] == first["malformed"]

    @pytest.mark.parametrize(
        ("name", "content", "query", "status", "code"),
        [
            ("a.txt", b"", {}, 422, "empty_file"),
            ("a.txt", b" \n\n\t\n", {}, 422, "empty_file"),
            ("a.txt", bytes(range(256)) * 4, {}, 422, "not_text"),
            ("a.txt", b"%PDF-1.7 \x00\x01", {}, 422, "not_text"),
            ("a.xlsx", b"PK\x03\x04 and nothing more", {}, 422, "not_a_sheet"),
            ("a.txt", b"CODE-1\n", {"encoding": "ebcdic"}, 400, "encoding"),
            ("a.txt", b"CODE-1\n", {"encoding": "xlsx"}, 422, "not_a_sheet"),
            ("a.txt", b"CODE-1\n", {"delimiter": "x"}, 400, "delimiter"),
            ("a.txt", b"CODE-1\n", {"columns": "secret"}, 400, "columns"),
            ("a.txt", b"CODE-1\n", {"columns": "code,code"}, 400, "columns"),
            ("a.txt", b"CODE-1\n", {"header": "yes"}, 400, "header"),
            ("a.txt", b"CODE-1\n", {"what": "1"}, 400, "unknown_parameter"),
            ("a.txt", b"CODE-1\n", {"cost_minor": "1.0"}, 400, "bad_request"),
            ("a.txt", b"CODE-1\n", {"sku_id": "sku_1"}, 404, "not_found"),
        ],
    )
    async def test_bad_input_leaves_nothing(
        self, acme: Store, name: str, content: bytes, query: dict[str, str], status: int, code: str
    ) -> None:
        response = await post(acme, "/v1/vault/imports", name, content, **{"sku_id": await acme.sku(), **query})
        assert (response.status_code, response.json()["code"]) == (status, code), response.text
        assert (await acme.ask("GET", "/v1/vault/imports", acme.merchant))["imports"] == []

    @pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""])
    async def test_another_content_type(self, acme: Store, media_type: str) -> None:
        headers = acme.merchant | ({"Content-Type": media_type} if media_type else {})
        response = await acme.client.post("/v1/vault/imports", params={"sku_id": await acme.sku()}, headers=headers, content=b"CODE-1\n")
        assert response.status_code == 415

    async def test_too_large_is_refused_unread_and_when_found_out(self, acme: Store, app: Any) -> None:
        process = app.state.process
        small = msgspec.structs.replace(process.settings, import_bytes_max=300_000)
        app.state.process = msgspec.structs.replace(process, settings=small)
        try:
            sku = await acme.sku()
            response = await post(acme, "/v1/vault/imports", "video-year.txt", sku_id=sku)
            assert (response.status_code, response.json()["code"]) == (413, "too_large")
            assert (await acme.ask("GET", "/v1/vault/imports", acme.merchant))["imports"] == []

            async def unannounced() -> AsyncIterator[bytes]:
                content = (CODES / "video-year.txt").read_bytes()
                for begin in range(0, len(content), 50_000):
                    yield content[begin : begin + 50_000]

            sent = file("video-year.txt") | {"content": unannounced()}
            sent["headers"] |= acme.merchant
            response = await acme.client.post("/v1/vault/imports", params={"sku_id": sku}, **sent)
            assert response.status_code == 413
        finally:
            app.state.process = process
        [batch] = (await acme.ask("GET", "/v1/vault/imports", acme.merchant))["imports"]
        assert batch["state"] == "failed"
        assert 0 < batch["loaded"] < 10_000
        stock = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]
        assert stock["available"] == 0
        report = (await post(acme, f"/v1/vault/imports/{batch['id']}/resume", "video-year.txt")).json()
        assert (report["state"], report["loaded"], report["duplicates"]) == ("loaded", 10_000, 0)

    async def test_an_upload_cut_off_can_be_resumed(self, acme: Store, app: Any) -> None:
        content = (CODES / "video-year.txt").read_bytes()
        events = [{"type": "http.request", "body": content[at : at + 50_000], "more_body": True} for at in range(0, 200_000, 50_000)]
        events += [{"type": "http.disconnect"}] * 3
        answered: list[Any] = []

        async def receive() -> Any:
            return events.pop(0)

        async def send(event: Any) -> None:
            answered.append(event)

        headers = acme.merchant | {"content-type": "text/plain", "host": "localhost"}
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/v1/vault/imports", "raw_path": b"/",
            "query_string": f"sku_id={await acme.sku()}".encode(), "server": ("localhost", 80), "client": ("127.0.0.1", 1),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()], "root_path": "",
        }  # fmt: skip
        await app(scope, receive, send)
        assert answered[0]["status"] == 400
        [batch] = (await acme.ask("GET", "/v1/vault/imports", acme.merchant))["imports"]
        assert batch["state"] == "loading"
        other = await post(acme, f"/v1/vault/imports/{batch['id']}/resume", "music-month.txt")
        assert (other.status_code, other.json()["code"]) == (409, "different_file")
        report = (await post(acme, f"/v1/vault/imports/{batch['id']}/resume", "video-year.txt")).json()
        assert (report["state"], report["loaded"], report["duplicates"], report["lines"]) == ("loaded", 10_000, 0, 10_000)

    async def test_a_third_file_at_once_waits_its_turn(self, acme: Store) -> None:
        _at_work[acme.tenant_id] += 2
        try:
            response = await post(acme, "/v1/vault/imports", "music-month.txt", sku_id=await acme.sku())
        finally:
            del _at_work[acme.tenant_id]
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) > 0


class TestPreview:
    async def test_shows_layout_and_masked_rows_and_keeps_nothing(self, acme: Store) -> None:
        response = await post(acme, "/v1/vault/previews", "game-points-gbk.csv")
        assert response.status_code == 200
        shown = response.json()
        assert shown["layout"] == {
            "encoding": "gb18030", "delimiter": "comma", "newline": "lf", "header": True,
            "columns": ["code", "secret", "valid_until"], "names": ["卡号", "卡密", "有效期至"], "sheet": "",
        }  # fmt: skip
        assert (shown["lines"], shown["codes"], shown["malformed"], shown["blank"]) == (5001, 5000, 0, 0)
        assert shown["sample"][0]["valid_until"] == "2027-07-12"
        assert "QHNC" not in response.text
        assert "7584548570551356" not in response.text
        assert (await acme.ask("GET", "/v1/vault/imports", acme.merchant))["imports"] == []

    async def test_columns_can_be_told(self, acme: Store) -> None:
        response = await post(acme, "/v1/vault/previews", "game-points-gbk.csv", columns="secret,code,ignore")
        assert response.json()["layout"]["columns"] == ["secret", "code", "ignore"]

    async def test_what_stands_earlier_in_the_file_is_counted(self, acme: Store) -> None:
        shown = (await post(acme, "/v1/vault/previews", "a.txt", b"CODE-1\nCODE-2\nCODE-1\nCODE-1\nx\n")).json()
        assert (shown["codes"], shown["duplicates_in_file"], shown["malformed"]) == (4, 2, 1)

    async def test_the_skus_pattern_applies(self, acme: Store) -> None:
        sku = await acme.sku(code_pattern=r"\d{4} \d{4}")
        shown = (await post(acme, "/v1/vault/previews", "a.txt", b"1234 5678\n1234-5678\n2345 6789\n", sku_id=sku)).json()
        assert (shown["codes"], shown["malformed"], shown["errors"][0]["reason"]) == (2, 1, "pattern")


class TestReport:
    async def test_another_store_does_not_see_it(self, acme: Store, globex: Store) -> None:
        batch = (await post(acme, "/v1/vault/imports", "a.txt", b"CODE-1\n", sku_id=await acme.sku())).json()["id"]
        path = f"/v1/vault/imports/{batch}"
        assert (await acme.client.get(path, headers=globex.merchant)).status_code == 404
        sent = file("a.txt", b"CODE-1\n")
        sent["headers"] |= globex.merchant
        assert (await acme.client.post(f"{path}/resume", **sent)).status_code == 404

    async def test_a_malformed_id_is_not_found(self, acme: Store) -> None:
        assert (await acme.client.get("/v1/vault/imports/bat_1", headers=acme.merchant)).status_code == 404

    async def test_imports_are_listed_in_pages(self, acme: Store) -> None:
        sku = await acme.sku()
        made = [(await post(acme, "/v1/vault/imports", "a.txt", b"CODE-%d\n" % n, sku_id=sku)).json()["id"] for n in range(3)]
        first = await acme.ask("GET", "/v1/vault/imports?limit=2", acme.merchant)
        rest = await acme.ask("GET", f"/v1/vault/imports?limit=2&cursor={first['next_cursor']}", acme.merchant)
        assert [batch["id"] for batch in first["imports"] + rest["imports"]] == made[::-1]
        assert rest["next_cursor"] is None
