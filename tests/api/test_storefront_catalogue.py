"""The catalogue's pages as a browser asks for them: what they show, to whom alike, and how soon they tell of a change."""

import asyncio
import datetime as dt
import gzip
import json
import re
from typing import Any

import httpx
import pytest

from checkout_core import tokens
from checkout_core.ids import encode
from tests.pictures import picture
from tests.shop import Store
from tests.tenants.orders.carts import shelve
from tests.tenants.types import picked

XSS = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>"
EN = {"accept-language": "en"}


async def product(store: Store, units: int = 20, *, name: str = "Steam", price: int = 9900, **changes: Any) -> tuple[str, str]:
    """A product with one SKU on the shelf, and the SKU."""
    made = await store.ask("POST", "/v1/products", store.merchant, {"name": name, **changes})
    sku = await store.sku(units, product_id=made["id"], price_minor=price)
    await shelve(store, sku)
    return made["id"], sku


async def see(client: httpx.AsyncClient, store: Store, path: str, **headers: str) -> httpx.Response:
    return await client.get(path, headers=store.at | EN | headers)


def told(page: httpx.Response) -> Any:
    """What the page says to search engines."""
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)
    assert found
    return json.loads(found[1])


class TestHome:
    async def test_sales_of_their_own_come_first(self, client: httpx.AsyncClient, acme: Store) -> None:
        await product(acme, name="On the shelf")
        await acme.sale(3, name="To come", starts_at=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
        await acme.sale(3, name="In a rush")
        page = (await see(client, acme, "/")).text
        assert page.index("In a rush") < page.index("To come") < page.index("On the shelf")
        assert "<time datetime=" in page

    async def test_what_sells_comes_before_what_is_new(self, client: httpx.AsyncClient, acme: Store) -> None:
        _, sold = await product(acme, name="Sold before")
        await product(acme, name="Only new")
        headers = await acme.guest() | {"Idempotency-Key": "k" * 20}
        await acme.ask("POST", "/v1/orders", headers, {"lines": [{"sku_id": sold, "quantity": 1}]})
        page = (await see(client, acme, "/")).text
        assert page.index('id="best"') < page.index("Sold before") < page.index('id="newest"') < page.index("Only new")
        assert page.count(">Sold before<") == 1

    async def test_links_of_old_lead_on(self, client: httpx.AsyncClient, acme: Store) -> None:
        games = (await acme.ask("POST", "/v1/categories", acme.merchant, {"name": "Games"}))["id"]
        for query, place in ((f"category={games}", f"/categories/{games}"), ("q=a b", "/search?q=a%20b")):
            answer = await see(client, acme, f"/?{query}")
            assert (answer.status_code, answer.headers["location"]) == (303, place)


class TestShelves:
    async def test_by_category_and_by_words(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        """Without scripts: links and a form."""
        games = (await acme.ask("POST", "/v1/categories", acme.merchant, {"name": "Games <b>"}))["id"]
        below = (await acme.ask("POST", "/v1/categories", acme.merchant, {"name": "Steam", "parent_id": games}))["id"]
        await product(acme, name="Steam 充值", category_id=below)
        await product(acme, name="Music")
        assert f'href="/categories/{games}">Games &lt;b&gt;</a>' in (await see(client, acme, "/")).text
        for path, found in (
            (f"/categories/{games}", [True, False]), (f"/categories/{below}", [True, False]), ("/search", [True, True]),
            ("/search?q=充值", [True, False]), ("/search?q=musi", [False, True]), ("/search?q=%3Cscript%3E", [False, False]),
        ):  # fmt: skip
            page = await see(client, acme, path)
            assert [f">{name}</a></h3>" in page.text for name in ("Steam 充值", "Music")] == found, path
            assert "<script>" not in page.text
        assert told(await see(client, acme, f"/categories/{below}"))["itemListElement"][0]["name"] == "Games <b>"
        for path in (f"/categories/{games}", "/categories/cat_x", "/search?after=x"):
            assert (await see(client, globex, path)).status_code == 404

    async def test_in_pages(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tenants.showcase.PAGE", 2)
        for n in range(5):
            await product(acme, 1, name=f"Thing {n}")
        place, seen = "/search", list[str]()
        while place:
            page = await see(client, acme, place)
            seen += re.findall(r">(Thing \d)</a></h3>", page.text)
            more = re.search(r'href="([^"]*)" rel="next"', page.text)
            place = more[1].replace("&amp;", "&") if more else ""
        assert seen == [f"Thing {n}" for n in reversed(range(5))]


class TestProduct:
    async def test_of_another_store_or_none(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        mine, _ = await product(acme)
        unsold = await acme.product("Not on sale")
        assert (await see(client, acme, f"/products/{mine}")).status_code == 200
        for store, path in ((globex, mine), (acme, unsold), (acme, "prd_" + "0" * 32), (acme, "x")):
            assert (await see(client, store, f"/products/{path}")).status_code == 404

    async def test_what_merchants_write_is_text(self, client: httpx.AsyncClient, acme: Store) -> None:
        """In the page, in its head, and in what it tells search engines."""
        category = (await acme.ask("POST", "/v1/categories", acme.merchant, {"name": XSS[:60]}))["id"]
        options = [{"name": '"><svg onload=x>', "values": ['<b onclick="x">', "two"]}]
        body = {"name": XSS, "description": XSS, "category_id": category, "options": options}
        made = (await acme.ask("POST", "/v1/products", acme.merchant, body))["id"]
        for value in options[0]["values"]:
            sku = await acme.sku(2, product_id=made, name=XSS, choices={options[0]["name"]: value})
            await shelve(acme, sku)
        page = await see(client, acme, f"/products/{made}")
        for raw in ("<script>alert", "<img src=x", "<svg onload", "<b onclick"):
            assert raw not in page.text
        assert told(page)[0]["name"] == XSS
        assert not re.search(r"<[^>]*\son\w+=", re.sub(r'="[^"]*"', "", page.text))

    async def test_variants_are_links(self, client: httpx.AsyncClient, acme: Store) -> None:
        options = [{"name": "Face", "values": ["50", "100"]}, {"name": "Region", "values": ["CN", "US"]}]
        made = (await acme.ask("POST", "/v1/products", acme.merchant, {"name": "Card", "options": options}))["id"]
        skus = {}
        for face, region, price in (("50", "CN", 5000), ("100", "CN", 9500), ("50", "US", 5500)):
            choices = {"Face": face, "Region": region}
            skus[face, region] = await acme.sku(20, product_id=made, name=f"{face} {region}", price_minor=price, choices=choices)
            await shelve(acme, skus[face, region])
        page = (await see(client, acme, f"/products/{made}?sku={skus['100', 'CN']}")).text
        assert "¥95.00" in page
        assert f'value="{skus["100", "CN"]}"' in page
        links = dict(re.findall(r'<a class="chip[^"]*" href="[^"]*\?sku=(sku_\w+)"[^>]*>(\w+)', page))
        # What there is not, 100 for the US, leads to another one of that region.
        assert links == {skus["50", "CN"]: "50", skus["100", "CN"]: "CN", skus["50", "US"]: "US"} | {skus["100", "CN"]: "CN"}
        assert told(await see(client, acme, f"/products/{made}"))[0]["offers"]["lowPrice"] == "50.00"

    async def test_costs_less_from_a_quantity_on(self, client: httpx.AsyncClient, acme: Store) -> None:
        made, sku = await product(acme)
        prices = (await acme.ask("POST", "/v1/price-lists", acme.merchant, {"name": "All", "state": "on"}))["id"]
        entries = [{"sku_id": sku, "unit_minor": 9500}, {"sku_id": sku, "least_quantity": 10, "unit_minor": 9000}]
        await acme.ask("PUT", f"/v1/price-lists/{prices}/entries", acme.merchant, {"entries": entries})
        page = (await see(client, acme, f"/products/{made}")).text
        assert "<s" in page
        assert re.findall(r'<td class="number">([^<]*)</td>', page) == ["¥95.00", "¥90.00"]

    async def test_a_group_sees_its_own_price(self, client: httpx.AsyncClient, acme: Store) -> None:
        made, sku = await product(acme)
        group = (await acme.ask("POST", "/v1/buyer-groups", acme.merchant, {"name": "Friends", "kind": "level"}))["id"]
        prices = (await acme.ask("POST", "/v1/price-lists", acme.merchant, {"name": "F", "state": "on", "group_id": group}))["id"]
        entries = [{"sku_id": sku, "unit_minor": 7700}]
        await acme.ask("PUT", f"/v1/price-lists/{prices}/entries", acme.merchant, {"entries": entries})
        token = (await acme.guest())["Authorization"].removeprefix("Bearer ")
        shopper = encode("shp", tokens.verify(acme.process.keys.shoppers, token).id)
        await acme.ask("PUT", f"/v1/buyer-groups/{group}/members/{shopper}", acme.merchant)
        his = await see(client, acme, f"/products/{made}", cookie=f"tessera_shopper={token}")
        assert "¥77.00" in his.text
        assert his.headers["cache-control"] == "private, no-cache"
        assert "¥77.00" not in (await see(client, acme, f"/products/{made}")).text

    async def test_units_to_choose_from(self, client: httpx.AsyncClient, acme: Store) -> None:
        hall, room = await picked.ticket(acme), await picked.room(acme)
        await picked.make(acme, hall, 5, picks=[picked.session()])
        await picked.make(acme, hall, 1, picks=[picked.session("gala.box.7", surcharge_minor=2000)])
        await picked.make(acme, room, 2, span={"first": picked.night(1), "last": picked.night(3)})
        for sku in (hall, room):
            await shelve(acme, sku)
        shown = {each["id"]: each["product_id"] for each in (await acme.ask("GET", "/v1/skus", acme.merchant))["skus"]}
        seats = (await see(client, acme, f"/products/{shown[hall]}")).text
        assert 'type="checkbox" name="pick.gala.box.7"' in seats
        assert re.search(r'name="pick.gala.stalls" type="number"[^>]* max="5"', seats)
        assert "Old Theatre" in seats
        nights = (await see(client, acme, f"/products/{shown[room]}")).text
        assert re.search(rf'name="check_out" type="date" required min="{picked.night(1)}" max="{picked.night(4)}"', nights)

    async def test_pictures_have_their_size_and_come_in_three(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        made, _ = await product(acme)
        large = {"content": picture((1000, 800)), "headers": acme.merchant | {"content-type": "image/png"}}
        shown = (await client.post(f"/v1/products/{made}/images", **large)).json()
        page = (await see(client, acme, f"/products/{made}")).text
        path = shown["path"]
        stem = path.rpartition(".")[0]
        assert f'<a href="{path}"><img src="{stem}-m.webp" width="1000" height="800"' in page
        assert f'src="{stem}-s.webp" width="1000" height="800" alt=""' in (await see(client, acme, "/")).text
        weights = []
        for each in (f"{stem}-s.webp", f"{stem}-m.webp", path):
            answer = await client.get(each, headers=acme.at)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
            weights.append(len(answer.content))
            assert (await client.get(each, headers=globex.at)).status_code == 404
        assert weights == sorted(set(weights))
        assert (await client.get(f"{stem}-x.webp", headers=acme.at)).status_code == 404


class TestKept:
    async def test_the_same_for_everybody_may_be_shared(self, client: httpx.AsyncClient, acme: Store) -> None:
        made, _ = await product(acme)
        for path in ("/", "/search", f"/products/{made}"):
            page = await see(client, acme, path)
            assert page.headers["cache-control"] == "public, max-age=0, s-maxage=1, must-revalidate"
            assert "set-cookie" not in page.headers
            assert page.headers["surrogate-key"].split()[0] == f"store-{acme.slug}"
            assert {"accept-language", "cookie"} <= set(page.headers["vary"].split(", "))
            again = await see(client, acme, path, **{"if-none-match": page.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            other = await client.get(path, headers=acme.at | {"accept-language": "zh-CN"})
            assert other.headers["etag"] != page.headers["etag"]
            assert "csrf" not in page.text

    async def test_with_a_cookie_of_ours_nobody_shares(self, client: httpx.AsyncClient, acme: Store) -> None:
        made, _ = await product(acme)
        for cookie in ("tessera_cart=3", "tessera_lang=en", "__Host-tessera_shopper=x"):
            page = await see(client, acme, f"/products/{made}", cookie=cookie)
            assert page.headers["cache-control"] == "private, no-cache"
        assert ">3</span>" in (await see(client, acme, "/", cookie="tessera_cart=3")).text
        assert ">3</span>" not in (await see(client, acme, "/")).text

    async def test_a_store_that_tells_its_channels_apart_is_not_shared(self, client: httpx.AsyncClient, acme: Store) -> None:
        made, sku = await product(acme)
        prices = (await acme.ask("POST", "/v1/price-lists", acme.merchant, {"name": "H5", "state": "on", "channel": "h5"}))["id"]
        entries = [{"sku_id": sku, "unit_minor": 8800}]
        await acme.ask("PUT", f"/v1/price-lists/{prices}/entries", acme.merchant, {"entries": entries})
        desk = await see(client, acme, f"/products/{made}")
        phone = await see(client, acme, f"/products/{made}", **{"sec-ch-ua-mobile": "?1"})
        assert ["¥88.00" in each.text for each in (desk, phone)] == [False, True]
        assert {each.headers["cache-control"] for each in (desk, phone)} == {"private, no-cache"}

    async def test_a_change_is_seen_within_two_seconds(self, client: httpx.AsyncClient, acme: Store) -> None:
        """Without being told: what a page is made of is read again."""
        made, sku = await product(acme, name="Before")
        page = await see(client, acme, f"/products/{made}")
        await acme.ask("PATCH", f"/v1/products/{made}", acme.merchant | {"If-Match": "*"}, {"name": "After"})
        await acme.ask("PATCH", f"/v1/skus/{sku}", acme.merchant | {"If-Match": "*"}, {"price_minor": 100})
        await asyncio.sleep(1)
        again = await see(client, acme, f"/products/{made}", **{"if-none-match": page.headers["etag"]})
        assert again.status_code == 200
        assert "After" in again.text
        assert "¥1.00" in again.text

    async def test_an_unchanged_page_is_written_once(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        made, _ = await product(acme)
        first = await see(client, acme, f"/products/{made}")
        monkeypatch.setattr("api.storefront.rendering.Page.write", lambda *_, **__: pytest.fail("written again"))
        await asyncio.sleep(1)
        zipped = await client.get(f"/products/{made}", headers=acme.at | EN | {"accept-encoding": "gzip"})
        assert zipped.text == first.text

    async def test_its_weight(self, client: httpx.AsyncClient, acme: Store) -> None:
        made, _ = await product(acme, description="说明" * 2000)
        page = await client.get(f"/products/{made}", headers=acme.at)
        assert len(gzip.compress(page.content)) < 30_000


class TestCrawlers:
    async def test_what_there_is(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        made, _ = await product(acme)
        robots = (await see(client, acme, "/robots.txt")).text
        assert "Disallow: /cart\n" in robots
        assert f"Sitemap: http://{acme.host}/sitemap.xml" in robots
        assert f"<loc>http://{acme.host}/products/{made}</loc>" in (await see(client, acme, "/sitemap.xml")).text
        assert made not in (await see(client, globex, "/sitemap.xml")).text
        manifest = (await see(client, acme, "/manifest.webmanifest")).json()
        assert manifest["start_url"] == "/"
        assert manifest["icons"]

    async def test_a_page_names_itself_in_each_language(self, client: httpx.AsyncClient, acme: Store) -> None:
        made, _ = await product(acme)
        changed = {"locales": ["zh-CN", "en"], "locale": "zh-CN"}
        await acme.ask("PATCH", "/v1/store", acme.merchant | {"If-Match": "*"}, changed)
        await asyncio.sleep(2)
        page = await client.get(f"/products/{made}?lang=en", headers=acme.at)
        assert '<html lang="en"' in page.text
        here = f"http://{acme.host}/products/{made}"
        assert f'<link rel="canonical" href="{here}?lang=en">' in page.text
        assert f'hreflang="zh-CN" href="{here}?lang=zh-CN"' in page.text
        assert f'hreflang="x-default" href="{here}"' in page.text
