"""A store's settings and pictures over HTTP, and what its pages make of them."""

import datetime as dt
import html
import re
from hashlib import blake2b
from typing import Any

import httpx
import msgspec
import pytest
from markupsafe import Markup

from api.storefront import markdown
from tenants import colors
from tenants.db import tenant_tx
from tests.pictures import picture
from tests.shop import Store

PNG = {"Content-Type": "image/png"}
# What somebody would write who wants more than text: into HTML, attributes, CSS, headers, templates and Markdown.
PAYLOADS = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>", "}body{background:url(//evil.example)}", "javascript:alert(1)", "{{7*7}}", "${7*7}", "{% raw %}",
    "<!--", "-->", "]]>", "&lt;b&gt;", "&#60;b&#62;", "\\3c script", "expression(alert(1))", "@import '//evil.example'",
]  # fmt: skip
MARKS = [
    "[x](javascript:alert(1))", "[x](https://a.example/\"onmouseover=alert(1))", "[x](https://a.example/<script>)", "[x](data:text/html,x)",
    "[<b>](https://a.example)", "**<script>alert(1)</script>**", "# <script>", "- <script>", "[x](//evil.example)", "[x](https://a b)",
    "![x](https://a.example/x.png)", "<https://a.example>", "[x](HTTPS://a.example' onclick='x)", "**[x](https://a.example)**",
]  # fmt: skip
TEXTS = ("name", "contact", "banner", "notice", "footer", "seo_title", "seo_description")
POLICIES = ("refund_policy", "privacy_policy", "terms")
TAG = re.compile(r"<\s*/?\s*([a-zA-Z!][\w:-]*)([^>]*)>")


async def read(client: httpx.AsyncClient, store: Store) -> httpx.Response:
    return await client.get("/v1/store", headers=store.merchant)


def tag(store: Store, version: int) -> str:
    return f'"{blake2b(store.tenant_id.bytes, digest_size=4).hexdigest()}{version}"'


async def change(client: httpx.AsyncClient, store: Store, match: str | None = "*", **fields: Any) -> httpx.Response:
    headers = store.merchant | ({"If-Match": match} if match is not None else {})
    response = await client.patch("/v1/store", json=fields, headers=headers)
    forget(store)
    return response


def forget(store: Store) -> None:
    """What a page's process remembers of a store it forgets within two seconds; a test does not wait for it."""
    pages = getattr(store_state(store), "storefront", None)
    if pages is not None:
        pages.faces.forget(store.tenant_id)


def store_state(store: Store) -> Any:
    return store.client._transport.app.state  # type: ignore[attr-defined]


async def page(client: httpx.AsyncClient, store: Store, path: str = "/", **headers: str) -> httpx.Response:
    return await client.get(path, headers=store.at | headers)


class TestRead:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/store")).status_code == 401

    async def test_another_tenants_stay_its_own(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await change(client, acme, notice="only at acme")
        assert (await read(client, globex)).json()["notice"] == ""

    async def test_a_new_store(self, client: httpx.AsyncClient, acme: Store) -> None:
        response = await read(client, acme)
        found = response.json()
        assert (found["currency"], found["zone"], found["locale"], found["locales"]) == ("CNY", "Asia/Shanghai", "zh-CN", ["zh-CN", "en"])
        assert response.headers["etag"] == tag(acme, 1)


class TestChange:
    async def test_sets_what_is_named_and_counts(self, client: httpx.AsyncClient, acme: Store) -> None:
        changed = await change(client, acme, tag(acme, 1), name="Acme Games", zone="Europe/Berlin", accent_color="#0b6a57")
        assert (changed.status_code, changed.headers["etag"]) == (200, tag(acme, 2))
        after = (await read(client, acme)).json()
        assert (after["name"], after["zone"], after["accent_color"]) == ("Acme Games", "Europe/Berlin", "#0b6a57")
        assert (await change(client, acme, accent_color=None)).json()["accent_color"] is None

    async def test_a_lost_update_is_refused(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await change(client, acme, tag(acme, 1), notice="first")).status_code == 200
        late = await change(client, acme, tag(acme, 1), notice="second")
        assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
        assert (await read(client, acme)).json()["notice"] == "first"

    async def test_without_the_version_it_would_be_lost(self, client: httpx.AsyncClient, acme: Store) -> None:
        """The twin: `*` is whoever does not care, and overwrites."""
        await change(client, acme, tag(acme, 1), notice="first")
        assert (await change(client, acme, "*", notice="second")).json()["notice"] == "second"

    async def test_the_same_version_of_another_store_is_another(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        """Both are read at one address: a browser that shows whoever works at both what it remembers must hear of the difference."""
        for store in (acme, globex):
            await change(client, store, notice=f"of {store.slug}")
        remembered = (await read(client, acme)).headers["etag"]
        read_next = await client.get("/v1/store", headers=globex.merchant | {"If-None-Match": remembered})
        assert (read_next.status_code, read_next.json().get("notice")) == (200, f"of {globex.slug}")
        assert (await change(client, globex, remembered, notice="lost")).status_code == 412
        again = await client.get("/v1/store", headers=acme.merchant | {"If-None-Match": remembered})
        assert again.status_code == 304

    @pytest.mark.parametrize(
        ("match", "status", "code"), [(None, 428, "precondition_required"), ("7", 400, "bad_if_match"), ('"7"', 400, "bad_if_match")]
    )
    async def test_must_say_what_was_read(self, client: httpx.AsyncClient, acme: Store, match: str | None, status: int, code: str) -> None:
        response = await change(client, acme, match, notice="x")
        assert (response.status_code, response.json()["code"]) == (status, code)

    async def test_what_changes_nothing_counts_for_nothing(self, client: httpx.AsyncClient, acme: Store) -> None:
        await change(client, acme, notice="x")
        assert (await change(client, acme, notice="x")).headers["etag"] == tag(acme, 2)

    async def test_is_in_the_audit_once(self, client: httpx.AsyncClient, acme: Store) -> None:
        await change(client, acme, notice="x", banner="y")
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            rows = await tx.conn.fetch("SELECT detail FROM audit WHERE tenant_id = $1 AND action = 'store.changed'", tx.tenant_id)
        assert [msgspec.json.decode(row[0])["fields"] for row in rows] == [["banner", "notice"]]

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"zone": "Mars/Olympus"}, "unknown_zone"), ({"zone": "../../etc/passwd"}, "unknown_zone"), ({"zone": "UTC+8"}, "unknown_zone"),
            ({"locale": "fr"}, "bad_locales"), ({"locales": ["en"]}, "bad_locales"), ({"locales": ["en", "en", "zh-CN"]}, "bad_locales"),
            ({"accent_color": "#ffff00"}, "low_contrast"), ({"accent_color_dark": "#000000"}, "low_contrast"),
        ],
    )  # fmt: skip
    async def test_what_cannot_be(self, client: httpx.AsyncClient, acme: Store, fields: dict[str, Any], code: str) -> None:
        response = await change(client, acme, **fields)
        assert (response.status_code, response.json()["code"]) == (422, code)
        assert (await read(client, acme)).headers["etag"] == tag(acme, 1)

    @pytest.mark.parametrize(
        "fields",
        [
            *({"accent_color": color} for color in ("red", "#FFF", "#0B6A57", "#0b6a5", "#0b6a57;", "#0b6a57\n", "url(x)", "#0b6a57}*{")),
            *({"locales": [tag]} for tag in ("EN", "en_US", "english", "en-us", "x-klingon", "en\n", "")),
            *({field: "a\u202eb"} for field in ("name", "banner", "footer", "terms")), {"name": "a\nb"}, {"name": " "}, {"banner": "a\tb"},
            {"seo_title": "x" * 71}, {"terms": "x" * 10_001}, {"currency": "yuan"},
        ],
    )  # fmt: skip
    async def test_what_is_malformed(self, client: httpx.AsyncClient, acme: Store, fields: dict[str, Any]) -> None:
        assert (await change(client, acme, **fields)).status_code == 400

    async def test_the_currency_stays_once_something_has_a_price(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await change(client, acme, currency="EUR")).json()["currency"] == "EUR"
        await acme.sku(currency="EUR")
        refused = await change(client, acme, currency="USD", notice="x")
        assert (refused.status_code, refused.json()["code"]) == (409, "currency_in_use")
        assert (await read(client, acme)).json()["notice"] == ""


class TestPages:
    @pytest.mark.parametrize("field", [*TEXTS, *POLICIES])
    async def test_text_stays_text(self, client: httpx.AsyncClient, acme: Store, field: str) -> None:
        """No payload adds a tag or an attribute to any page: all are there, as the text they are."""
        paths = ["/", "/orders", *(f"/policies/{name}" for name in ("refund", "privacy", "terms"))]
        plain = dict.fromkeys(POLICIES, "word")
        tags = {}
        for text in ["word", *PAYLOADS, *(MARKS if field not in POLICIES else [])]:
            assert (await change(client, acme, **plain | {field: text[: 70 if field == "seo_title" else 80]})).status_code == 200, text
            pages = [(await page(client, acme, path)).text for path in paths]
            found = [sorted(f"{name}{re.sub(r'=.*', '', rest)}" for name, rest in TAG.findall(each)) for each in pages]
            assert tags.setdefault(field, found) == found, text
            assert any(text in html.unescape(each) for each in pages), text

    @pytest.mark.parametrize("text", [*MARKS, *PAYLOADS])
    def test_marks_make_these_tags_only(self, text: str) -> None:
        made = str(markdown.render(text))
        for name, rest in TAG.findall(made):
            assert name in ("p", "h2", "h3", "ul", "li", "strong", "a", "br"), made
            assert rest == "" or re.fullmatch(r' href="(https://|mailto:)[^"<>\s]+" rel="nofollow noopener noreferrer"', rest), made
        assert "<" not in re.sub(TAG, "", made)

    def test_unescaped_they_would_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin of the test above."""
        monkeypatch.setattr(markdown, "escape", Markup)
        with pytest.raises(AssertionError):
            self.test_marks_make_these_tags_only(PAYLOADS[0])

    def test_marks(self) -> None:
        text = "# Refunds\n\nWithin **7 days**.\nAsk [us](https://a.example/x?y=1&z=2).\n\n- one\n- two\n\n## More"
        assert str(markdown.render(text)) == (
            "<h2>Refunds</h2>\n<p>Within <strong>7 days</strong>.<br>"
            'Ask <a href="https://a.example/x?y=1&amp;z=2" rel="nofollow noopener noreferrer">us</a>.</p>\n'
            "<ul><li>one</li><li>two</li></ul>\n<h3>More</h3>"
        )

    async def test_a_policy_that_is_not_there(self, client: httpx.AsyncClient, acme: Store) -> None:
        for name in ("refund", "nothing", "name"):
            assert (await page(client, acme, f"/policies/{name}")).status_code == 404

    @pytest.mark.parametrize(
        ("zone", "shown"),
        [
            ("Asia/Shanghai", "2030-07-01 20:00 UTC+8"), ("Europe/Berlin", "2030-07-01 14:00 UTC+2"), ("UTC", "2030-07-01 12:00 UTC"),
            ("America/St_Johns", "2030-07-01 09:30 UTC-2:30"),
        ],
    )  # fmt: skip
    async def test_times_are_the_stores(self, client: httpx.AsyncClient, acme: Store, zone: str, shown: str) -> None:
        await change(client, acme, zone=zone)
        starts_at = dt.datetime(2030, 7, 1, 12, tzinfo=dt.UTC)
        sale = await acme.sale(1, starts_at=starts_at.isoformat())
        assert shown in (await page(client, acme, f"/sales/{sale}")).text

    async def test_speaks_the_stores_languages_only(self, client: httpx.AsyncClient, acme: Store) -> None:
        await change(client, acme, locale="en", locales=["en", "ja"])
        chinese = await page(client, acme, **{"accept-language": "zh-CN"})
        assert '<html lang="en"' in chinese.text
        assert "日本語" in chinese.text
        assert "中文" not in chinese.text
        chosen = await page(client, acme, "/language?to=ja&back=/")
        assert chosen.cookies["tessera_lang"] == "ja"


class TestColors:
    async def test_a_stylesheet_of_its_own(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert "/brand.css" not in (await page(client, acme)).text
        await change(client, acme, accent_color="#a42f1c", primary_color="#1f2f5c")
        shown = await page(client, acme)
        assert '<link rel="stylesheet" href="/brand.css">' in shown.text
        sheet = await page(client, acme, "/brand.css")
        assert sheet.headers["content-type"] == "text/css; charset=utf-8"
        assert "--accent: #a42f1c" in sheet.text
        assert "--bar: #1f2f5c; --on-bar: #ffffff" in sheet.text
        dark = sheet.text.partition("@media")[2]
        accent = re.search(r"--accent: (#[0-9a-f]{6})", dark)
        assert accent is not None
        colors.check("accent_color_dark", accent[1], dark=True)
        assert not re.sub(r"[a-z0-9#\-:;{}()@ \n]", "", sheet.text), "nothing but names, numbers and their marks"

    async def test_is_asked_for_once_while_it_is_the_same(self, client: httpx.AsyncClient, acme: Store) -> None:
        await change(client, acme, accent_color="#a42f1c")
        etag = (await page(client, acme, "/brand.css")).headers["etag"]
        same = await page(client, acme, "/brand.css", **{"if-none-match": etag})
        assert (same.status_code, same.content) == (304, b"")
        await change(client, acme, accent_color="#0b6a57")
        assert (await page(client, acme, "/brand.css", **{"if-none-match": etag})).status_code == 200

    async def test_the_pages_policy_stays_as_strict(self, client: httpx.AsyncClient, acme: Store) -> None:
        await change(client, acme, accent_color="#a42f1c")
        policy = (await page(client, acme)).headers["content-security-policy"]
        assert "style-src 'self';" in policy
        assert "unsafe" not in policy


class TestPictures:
    async def put(self, client: httpx.AsyncClient, store: Store, kind: str, file: bytes, type_: str = "image/png") -> httpx.Response:
        response = await client.put(f"/v1/store/images/{kind}", content=file, headers=store.merchant | {"Content-Type": type_})
        forget(store)
        return response

    async def test_are_served_for_ever_and_shown(self, client: httpx.AsyncClient, acme: Store) -> None:
        made = {kind: (await self.put(client, acme, kind, picture())).json() for kind in ("logo", "banner", "favicon")}
        home = (await page(client, acme)).text
        for kind, image in made.items():
            assert image["path"] in home, kind
            served = await page(client, acme, image["path"])
            assert served.headers["content-type"] == image["media_type"]
            assert served.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert served.headers["x-content-type-options"] == "nosniff"
            assert served.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert (await read(client, acme)).json()["images"] == made
        assert (await read(client, acme)).headers["etag"] == tag(acme, 4)

    async def test_another_store_does_not_serve_them(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        path = (await self.put(client, acme, "logo", picture())).json()["path"]
        assert (await page(client, acme, path)).status_code == 200
        assert (await page(client, globex, path)).status_code == 404

    async def test_replaced_and_removed(self, client: httpx.AsyncClient, acme: Store) -> None:
        first = (await self.put(client, acme, "logo", picture(color="red"))).json()["path"]
        second = (await self.put(client, acme, "logo", picture(color="blue"))).json()["path"]
        assert first != second
        assert (await page(client, acme, first)).status_code == 200, "pages already sent still show it"
        assert first not in (await page(client, acme)).text
        assert (await client.delete("/v1/store/images/logo", headers=acme.merchant)).status_code == 204
        assert (await read(client, acme)).json()["images"] == {}

    async def test_back_to_one_before(self, client: httpx.AsyncClient, acme: Store) -> None:
        for color in ("red", "blue", "red"):
            path = (await self.put(client, acme, "logo", picture(color=color))).json()["path"]
        assert (await read(client, acme)).json()["images"]["logo"]["path"] == path

    @pytest.mark.parametrize(
        ("file", "type_", "status"),
        [
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 415), (b"<svg/>", "image/png", 422), (b"", "image/png", 422),
            (picture(), "text/html", 415), (bytes(2 * 1024 * 1024 + 1), "image/png", 413),
        ],
    )  # fmt: skip
    async def test_what_is_refused(self, client: httpx.AsyncClient, acme: Store, file: bytes, type_: str, status: int) -> None:
        assert (await self.put(client, acme, "logo", file, type_)).status_code == status

    async def test_kinds_that_are_none(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await self.put(client, acme, "hat", picture())).status_code == 404

    @pytest.mark.parametrize("name", ["x.png", "..%2fx", "0" * 32, f"{'0' * 32}.png", f"{'0' * 32}.svg", f"{'A' * 32}.png"])
    async def test_no_such_picture(self, client: httpx.AsyncClient, acme: Store, name: str) -> None:
        assert (await page(client, acme, f"/images/{name}")).status_code == 404
