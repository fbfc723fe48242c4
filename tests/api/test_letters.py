"""Pages that the links of our mails lead to: a look does nothing, the button does, and what does not work says so."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.process import Process
from tests.api.test_sessions import outcome
from tests.mails import letters, token
from tests.security.world import begun
from tests.shop import PASSWORD, Store

FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')
NEW = "a new battery of horses"


async def press(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Open the page, fill it in, press its button."""
    page = await client.get(path)
    assert page.status_code == 200, page.text
    return await client.post(path.partition("?")[0], data=dict(FIELD.findall(page.text)) | fields)


async def a_sign_up(client: httpx.AsyncClient, process: Process) -> tuple[dict[str, Any], str]:
    name = uuid4().hex[:12]
    new = {"store": "Corner", "slug": f"s-{name}", "mail": f"{name}@example.org"}
    assert (await client.post("/v1/merchants", json=new)).status_code == 202
    return new, await token(process, new["mail"])


class TestConfirm:
    async def test_a_look_opens_nothing_and_the_button_does(self, client: httpx.AsyncClient, process: Process) -> None:
        new, link = await a_sign_up(client, process)
        path = f"/merchant/confirm?token={link}"
        assert (await client.get(path)).status_code == 200
        assert await outcome(process, new["mail"], PASSWORD) == "wrong_credentials"
        refused = await press(client, path, password="short")
        assert refused.status_code == 400
        opened = await press(client, path, password=PASSWORD)
        key = re.search(r"sk_[0-9a-f]{32}_[A-Za-z0-9_-]+", opened.text)
        assert key
        assert (await client.get("/v1/products", headers={"Authorization": f"Bearer {key[0]}"})).status_code == 200
        assert opened.headers["cache-control"] == "no-store"
        again = await press(client, path, password=PASSWORD)
        assert again.status_code == 404
        assert "sk_" not in again.text

    async def test_what_stands_in_the_link_is_text(self, client: httpx.AsyncClient) -> None:
        page = await client.get('/merchant/confirm?token="><script>x')
        assert "<script>x" not in page.text


class TestForgotten:
    async def test_a_new_password_by_mail(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        known = await press(client, "/merchant/forgotten", mail=acme.mail)
        unknown = await press(client, "/merchant/forgotten", mail=f"{uuid4().hex}@example.org")
        known_page, unknown_page = (re.sub(r'data-now="\d+"', "", answer.text) for answer in (known, unknown))
        assert (known.status_code, known_page) == (unknown.status_code, unknown_page)
        path = f"/merchant/new-password?token={await token(process, acme.mail)}"
        short = await press(client, path, password="short")
        assert short.status_code == 400
        kept = dict(FIELD.findall(short.text))
        done = await client.post("/merchant/new-password", data=kept | {"password": NEW})
        assert done.status_code == 200
        assert await outcome(process, acme.mail, NEW) == "in"

    @pytest.mark.parametrize("wrong", ["", "nobody", "a@b.cd\r\nBcc: x@y.zz", "a,b@example.org"])
    async def test_what_is_no_mail(self, client: httpx.AsyncClient, process: Process, wrong: str) -> None:
        assert (await press(client, "/merchant/forgotten", mail=wrong)).status_code == 400
        assert await letters(process, wrong) == []


class TestNewMail:
    async def test_confirms(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        new = f"{uuid4().hex}@example.org"
        mine, _ = await begun(acme, "")
        await client.post("/v1/profile/mail", json={"password": PASSWORD, "mail": new}, headers=mine)
        assert (await press(client, f"/merchant/new-mail?token={await token(process, new)}")).status_code == 200
        assert await outcome(process, new, PASSWORD) == "in"


class TestMoved:
    @pytest.mark.parametrize("path", ["/merchant", "/merchant/sign-in"])
    async def test_where_the_pages_were_leads_to_the_console(self, client: httpx.AsyncClient, acme: Store, path: str) -> None:
        anonymous = await client.get(path)
        assert (anonymous.status_code, anonymous.headers["location"]) == (308, "/console")
        at_a_store = await client.get(path, headers={"Host": acme.host})
        assert (at_a_store.status_code, at_a_store.headers["location"]) == (303, f"http://localhost{path}")

    @pytest.mark.parametrize("path", ["/merchant/imports", "/merchant/sales"])
    async def test_what_is_gone(self, client: httpx.AsyncClient, path: str) -> None:
        gone = await client.get(path, headers={"accept": "text/html"})
        assert (gone.status_code, 'href="/merchant"' in gone.text) == (404, True), "which leads to the console from a store's host too"
