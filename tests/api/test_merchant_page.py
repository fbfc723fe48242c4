"""The merchant's desk, one request at a time: who gets in, and what is said about what was mistyped."""

import re
from typing import Any

import httpx
import pytest

from tests.shop import Store

FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')
CODES = b"AAAA-0001,111\nAAAA-0002,222\nAAAA-0002,222\n,333\n\n"


async def sign_in(client: httpx.AsyncClient, store: Store, password: str | None = None) -> httpx.Response:
    page = await client.get("/merchant/sign-in")
    form = dict(FIELD.findall(page.text)) | {"mail": store.mail.upper(), "password": password or store.password}
    return await client.post("/merchant/sign-in", data=form)


@pytest.fixture
async def desk(client: httpx.AsyncClient, acme: Store) -> httpx.AsyncClient:
    """The owner's browser, signed in."""
    assert (await sign_in(client, acme)).headers["location"] == "/merchant"
    return client


async def send(desk: httpx.AsyncClient, path: str, form_on: str, **fields: str) -> httpx.Response:
    page = await desk.get(form_on)
    hidden = {name: value for name, value in FIELD.findall(page.text) if name in ("csrf", "key")}
    return await desk.post(path, data=hidden | fields)


async def upload(desk: httpx.AsyncClient, path: str, content: bytes, name: str = "codes.csv", **fields: str) -> httpx.Response:
    page = await desk.get("/merchant/imports")
    hidden = {name: value for name, value in FIELD.findall(page.text) if name in ("csrf", "key")}
    return await desk.post(path, data=hidden | fields, files={"file": (name, content, "text/csv")})


class TestSigningIn:
    async def test_strangers_are_sent_to_the_door(self, client: httpx.AsyncClient) -> None:
        for path in ("/merchant", "/merchant/imports", "/merchant/sales"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/merchant/sign-in")

    async def test_a_wrong_password(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await sign_in(client, acme, "not the password")
        assert answer.status_code == 401
        assert 'role="alert"' in answer.text
        assert acme.mail in answer.text
        assert "not the password" not in answer.text

    async def test_the_session_is_kept_from_scripts_and_ends(self, desk: httpx.AsyncClient, acme: Store) -> None:
        again = await sign_in(desk, acme)
        cookie = next(value for value in again.headers.get_list("set-cookie") if value.startswith("tessera_session="))
        assert "httponly" in cookie.lower()
        assert "samesite=lax" in cookie.lower()
        token = desk.cookies["tessera_session"]
        assert (await desk.get("/merchant")).status_code == 200
        await send(desk, "/merchant/sign-out", "/merchant")
        answer = await desk.get("/merchant", headers={"cookie": f"tessera_session={token}"})
        assert answer.status_code == 303

    async def test_a_stores_host_sends_him_to_the_platforms(self, desk: httpx.AsyncClient, acme: Store) -> None:
        answer = await desk.get("/merchant", headers={"host": f"{acme.host}:8000"})
        assert answer.headers["location"] == "http://localhost:8000/merchant"


class TestProducts:
    async def test_added(self, desk: httpx.AsyncClient, acme: Store) -> None:
        answer = await send(desk, "/merchant/products", "/merchant", product="点券 <b>", sku="100", price="9.5", description="")
        assert answer.headers["location"] == "/merchant?done=product"
        page = await desk.get("/merchant?done=product")
        assert "点券 &lt;b&gt;" in page.text
        assert "¥9.50" in page.text

    @pytest.mark.parametrize(
        "wrong", [{"price": "0"}, {"price": "1.005"}, {"price": "abc"}, {"product": ""}, {"sku": " "}, {"sku": "x" * 201}]
    )
    async def test_mistyped(self, desk: httpx.AsyncClient, acme: Store, wrong: dict[str, str]) -> None:
        answer = await send(
            desk, "/merchant/products", "/merchant", **{"product": "p", "sku": "s", "price": "1", "description": ""} | wrong
        )
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text
        assert (await acme.ask("GET", "/v1/products", acme.merchant))["products"] == []


class TestImports:
    async def test_shown_then_loaded_then_told_line_by_line(self, desk: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku()
        seen = await upload(desk, "/merchant/previews", CODES, sku=sku)
        assert seen.status_code == 200
        assert "逗号" in seen.text
        assert "AAAA-0001" not in seen.text  # masked
        assert (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]["available"] == 0
        done = await upload(desk, "/merchant/imports", CODES, sku=sku)
        assert done.status_code == 303, done.text
        report = await desk.get(done.headers["location"])
        rows = re.findall(r'<tr><td class="number">(\d+)</td><td>([^<]+)</td></tr>', report.text)
        assert rows == [("3", "与本文件前面的卡号重复"), ("4", "没有卡号")]
        assert (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]["available"] == 2

    async def test_the_layout_can_be_overruled(self, desk: httpx.AsyncClient, acme: Store) -> None:
        seen = await upload(desk, "/merchant/previews", CODES, sku=await acme.sku(), delimiter="none", encoding="utf-8")
        assert "<dd>单列</dd>" in seen.text

    @pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04 not a workbook", b"\x00\x01\x02" * 100])
    async def test_what_is_no_file_of_codes(self, desk: httpx.AsyncClient, acme: Store, content: bytes) -> None:
        sku = await acme.sku()
        for path in ("/merchant/previews", "/merchant/imports"):
            answer = await upload(desk, path, content, sku=sku)
            assert answer.status_code == 422, answer.text
            assert 'role="alert"' in answer.text
        assert (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]["available"] == 0

    @pytest.mark.parametrize(
        "request_",
        [
            {"data": {"csrf": "x"}},
            {"content": b"--b\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=b"}},
            {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
            {"files": {"file": ("codes.csv", CODES)}},
            {"data": {"csrf": "0" * 32}, "files": {"file": ("codes.csv", CODES)}},
            {"data": {"csrf": "x" * 5000}, "files": {"file": ("codes.csv", CODES)}},
        ],
        ids=["no file", "broken", "no boundary", "no proof", "wrong proof", "a field too long"],
    )
    async def test_what_is_not_our_form(self, desk: httpx.AsyncClient, acme: Store, request_: dict[str, Any]) -> None:
        answer = await desk.post("/merchant/imports", **request_)
        assert answer.status_code in (400, 403, 415)
        assert (await acme.ask("GET", "/v1/vault/imports", acme.merchant))["imports"] == []


class TestSales:
    async def test_put_on_sale_paused_resumed_ended(self, desk: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(5)
        fields = {"sku": sku, "name": "Launch", "price": "12", "units": "3", "limit": "1", "hold": "10", "starts": "", "ends": ""}
        made = await send(desk, "/merchant/sales", "/merchant/sales", **fields)
        assert made.headers["location"] == "/merchant?done=sale"
        [offer] = (await acme.ask("GET", "/v1/storefront", acme.at))["sales"]
        assert (offer["price_minor"], offer["stock"], offer["hold_s"], offer["limit_per_shopper"]) == (1200, 3, 600, 1)
        for verb, state in (("pause", "paused"), ("resume", "open"), ("end", "ended")):
            await send(desk, f"/merchant/sales/{offer['id']}/{verb}", "/merchant")
            assert (await acme.ask("GET", f"/v1/sales/{offer['id']}", acme.merchant))["state"] == state
        assert (await send(desk, f"/merchant/sales/{offer['id']}/resume", "/merchant")).headers["location"] == "/merchant"

    async def test_times_are_the_stores(self, desk: httpx.AsyncClient, acme: Store) -> None:
        fields = {"sku": await acme.sku(1), "name": "Later", "price": "1", "limit": "0", "hold": "15", "starts": "2099-01-01T08:00"}
        await send(desk, "/merchant/sales", "/merchant/sales", **fields)
        [offer] = (await acme.ask("GET", "/v1/storefront", acme.at))["sales"]
        assert (offer["starts_at"], offer["state"]) == ("2099-01-01T00:00:00Z", "not_started")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"price": "free"}, {"units": "0"}, {"units": "1e3"}, {"units": "6"}, {"limit": "-1"}, {"hold": ""}, {"starts": "soon"},
            {"name": ""}, {"ends": "2001-01-01T00:00"}, {"sku": "sku_nothing"},
        ],
    )  # fmt: skip
    async def test_mistyped(self, desk: httpx.AsyncClient, acme: Store, wrong: dict[str, str]) -> None:
        fields = {"sku": await acme.sku(5), "name": "Launch", "price": "12", "units": "3", "limit": "1", "hold": "10"}
        answer = await send(desk, "/merchant/sales", "/merchant/sales", **fields | wrong)
        assert 400 <= answer.status_code < 500
        assert 'role="alert"' in answer.text
        assert (await acme.ask("GET", "/v1/storefront", acme.at))["sales"] == []
