"""The API's reference for people: all of the document on one page, which needs nothing from elsewhere."""

import re
from html import unescape

import httpx

from tests.declared import Declared
from tests.openapi_rules import operations


async def page(client: httpx.AsyncClient) -> str:
    response = await client.get("/docs/api", headers={"Accept-Encoding": "identity"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.text


class TestReference:
    async def test_has_every_operation_and_shape(self, client: httpx.AsyncClient, declared: Declared) -> None:
        html = unescape(await page(client))
        sentences = re.sub(r"</?code>", "", html)
        for name, operation in operations(declared.document):
            assert f'id="{operation["operationId"]}"' in html, name
            assert operation["summary"].replace("`", "") in sentences, name
            assert f"<code>{name.partition(' ')[2]}</code>" in html, name
        for shape in declared.document["components"]["schemas"]:
            assert f'id="shape-{shape}"' in html

    async def test_says_which_permission_is_needed(self, client: httpx.AsyncClient) -> None:
        html = unescape(await page(client))
        said = dict(re.findall(r'<article id="(\w+)">.*?<p class="soft">For (.*?) ·', html, re.DOTALL))
        assert said["createSale"] == "a merchant's key or session with <code>sales:write</code>"
        assert said["getOrder"] == "a shopper of the store or a merchant's key or session with <code>orders:read</code>"
        assert said["listPlatformRecords"].endswith("staff with <code>record:read</code>")
        assert said["signUp"] == "anybody"

    async def test_sign_up_comes_before_its_confirmation(self, client: httpx.AsyncClient) -> None:
        html = await page(client)
        assert html.index('id="signUp"') < html.index('id="confirmSignUp"')

    async def test_code_in_a_sentence_is_code(self, client: httpx.AsyncClient) -> None:
        html = await page(client)
        assert "<code>sk_…</code>" in html
        assert re.findall(r"`\w[^`<]*`", html) == []

    async def test_every_link_leads_somewhere(self, client: httpx.AsyncClient) -> None:
        html = await page(client)
        anchors = set(re.findall(r' id="([^"]+)"', html))
        links = set(re.findall(r' (?:href|src)="([^"]+)"', html))
        assert {link for link in links if link.startswith("#") and link[1:] not in anchors} == set()
        for link in links:
            if not link.startswith("#"):
                assert (await client.get(link)).status_code == 200, link

    async def test_needs_no_script_and_nothing_from_elsewhere(self, client: httpx.AsyncClient) -> None:
        html = await page(client)
        assert not re.search(r"<script|<details|\sstyle=|\son\w+=|(?:href|src)=.https?:", html)
        response = await client.get("/docs/api")
        assert "script-src 'self'" in response.headers["content-security-policy"]
        assert response.headers["content-encoding"] == "gzip"
