"""The store's pages as a browser asks for them, one request at a time. The journeys are in tests/e2e."""

import asyncio
import datetime as dt
import gzip
import json
import re
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from api.storefront import art, formats, language
from api.storefront.statics import ASSETS, address
from tenants import money
from tenants.db import tenant_tx
from tests.shop import Store

FORM = re.compile(r'name="(\w+)" value="([^"]*)"')
TEMPLATES = Path(art.__file__).parent / "templates"
HTML_BUDGET, FIRST_VIEW_BUDGET = 30_000, 100_000  # bytes, compressed


def fields(page: httpx.Response) -> dict[str, str]:
    """The hidden and prefilled fields of a page's forms."""
    return dict(FORM.findall(page.text))


async def buy(client: httpx.AsyncClient, store: Store, sale: str, **changes: str) -> httpx.Response:
    page = await client.get(f"/sales/{sale}", headers=store.at)
    return await client.post(f"/sales/{sale}/buy", data=fields(page) | {"quantity": "1"} | changes, headers=store.at)


class TestHome:
    async def test_shows_what_is_on_sale(self, client: httpx.AsyncClient, acme: Store) -> None:
        await acme.sale(3, name="Launch <b>")
        page = await client.get("/", headers=acme.at | {"accept-language": "en"})
        assert page.status_code == 200
        assert "Launch &lt;b&gt;" in page.text
        assert "3 left" in page.text
        assert "¥99.00" in page.text

    async def test_another_store_is_not_seen(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        await acme.sale(3, name="Only at Acme")
        assert "Only at Acme" not in (await client.get("/", headers=globex.at)).text

    async def test_the_platforms_own_host_is_nobodys_store(self, client: httpx.AsyncClient) -> None:
        assert 'href="/console"' in (await client.get("/")).text

    async def test_an_unknown_store(self, client: httpx.AsyncClient) -> None:
        page = await client.get("/orders", headers={"x-tessera-store": "nobody-here", "accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


class TestBuy:
    async def test_leads_to_the_order(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await buy(client, acme, await acme.sale(3))
        assert answer.status_code == 303
        order = await client.get(answer.headers["location"], headers=acme.at)
        assert order.status_code == 200
        assert order.headers["cache-control"] == "no-store"

    async def test_presses_at_once_of_a_first_visitor_are_one_order(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(20)
        form = fields(await client.get(f"/sales/{sale}", headers=acme.at)) | {"quantity": "1"}
        cookies = dict(client.cookies)
        presses = (client.post(f"/sales/{sale}/buy", data=form, headers=acme.at, cookies=cookies) for _ in range(10))
        with pytest.warns(DeprecationWarning, match="per-request cookies"):
            answers = await asyncio.gather(*presses)
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert len((await acme.ask("GET", "/v1/orders", acme.merchant))["items"]) == 1

    async def test_another_shopper_cannot_open_it(self, client: httpx.AsyncClient, acme: Store) -> None:
        place = (await buy(client, acme, await acme.sale(3))).headers["location"]
        client.cookies.clear()
        for path in (place, f"{place}/state"):
            assert (await client.get(path, headers=acme.at)).status_code == 404

    @pytest.mark.parametrize(("sent", "leads"), [({"tries": "1"}, 303), ({}, 409)])
    async def test_a_form_that_is_sent_again_leads_to_its_order_whatever_memory_says(
        self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch, sent: dict[str, str], leads: int
    ) -> None:
        sale = await acme.sale(3)
        form = fields(await client.get(f"/sales/{sale}", headers=acme.at)) | {"quantity": "1"}
        first = await client.post(f"/sales/{sale}/buy", data=form, headers=acme.at)
        monkeypatch.setattr(acme.process.doors.sold_out, "says", lambda *_: True)
        again = await client.post(f"/sales/{sale}/buy", data=form | sent, headers=acme.at)
        assert again.status_code == leads
        assert leads != 303 or again.headers["location"] == first.headers["location"]

    @pytest.mark.parametrize(
        "changes",
        [{"quantity": "0"}, {"quantity": "1.5"}, {"quantity": "101"}, {"quantity": ""}, {"contact": "x"}, {"lookup_password": "abc"}],
    )
    async def test_what_was_mistyped_is_said_on_the_form(self, client: httpx.AsyncClient, acme: Store, changes: dict[str, str]) -> None:
        answer = await buy(client, acme, await acme.sale(3), **changes)
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text
        assert "/buy" in answer.text
        assert (await acme.ask("GET", "/v1/orders", acme.merchant))["items"] == []

    async def test_a_refusal_is_a_page_with_a_way_on(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(1)
        assert (await buy(client, acme, sale)).status_code == 303
        client.cookies.clear()
        page = await client.get(f"/sales/{sale}", headers=acme.at)
        assert "/buy" not in page.text  # nothing is free: the form is not shown
        assert "暂时全部被预订" in page.text

    async def test_the_same_form_for_another_wish(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(5)
        form = fields(await client.get(f"/sales/{sale}", headers=acme.at))
        for quantity, status in (("1", 303), ("2", 409)):
            answer = await client.post(f"/sales/{sale}/buy", data=form | {"quantity": quantity}, headers=acme.at)
            assert answer.status_code == status
        assert "这张表单已经下过单了" in answer.text
        assert fields(answer)["key"] != form["key"]

    async def test_a_sale_that_has_not_begun(self, client: httpx.AsyncClient, acme: Store) -> None:
        starts_at = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)).isoformat()
        sale = await acme.sale(1, starts_at=starts_at)
        page = await client.get(f"/sales/{sale}", headers=acme.at)
        assert '<noscript><meta http-equiv="refresh"' in page.text
        assert (await buy(client, acme, sale)).status_code == 409


class TestForgery:
    @pytest.mark.parametrize("fault", ["no proof", "another proof", "no cookie", "cross-site", "another origin", "json"])
    async def test_only_our_own_form_buys(self, client: httpx.AsyncClient, acme: Store, fault: str) -> None:
        sale = await acme.sale(3)
        form, headers = fields(await client.get(f"/sales/{sale}", headers=acme.at)) | {"quantity": "1"}, dict(acme.at)
        match fault:
            case "no proof":
                del form["csrf"]
            case "another proof":
                form["csrf"] = "0" * 32
            case "no cookie":
                client.cookies.clear()
            case "cross-site":
                headers["sec-fetch-site"] = "cross-site"
            case "another origin":
                headers["origin"] = "https://evil.example"
            case "json":
                answer = await client.post(f"/sales/{sale}/buy", json=form, headers=headers)
                assert answer.status_code == 415
                return
        answer = await client.post(f"/sales/{sale}/buy", data=form, headers=headers)
        assert answer.status_code == 403
        assert (await acme.ask("GET", "/v1/orders", acme.merchant))["items"] == []

    async def test_a_guest_has_an_identity_of_his_own_in_each_store(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        """The form's cookie belongs to one host; the same seed at two stores still makes two shoppers."""
        for store in (acme, globex):
            client.cookies.pop("tessera_shopper", None)
            assert (await buy(client, store, await store.sale(1))).status_code == 303
        shoppers: set[UUID] = set()
        for store in (acme, globex):
            async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
                shoppers.add(await tx.conn.fetchval("SELECT shopper_id FROM orders WHERE tenant_id = $1", tx.tenant_id))
        assert len(shoppers) == 2


class TestLookup:
    async def test_the_right_is_to_one_order_only(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(5)
        places = [(await buy(client, acme, sale, contact=f"{n}@example.org")).headers["location"] for n in range(2)]
        client.cookies.clear()
        form = fields(await client.get("/orders", headers=acme.at))
        number = places[0].rpartition("/")[2]
        found = await client.post("/orders", data=form | {"order": number, "proof": "0@example.org"}, headers=acme.at)
        assert (found.status_code, found.headers["location"]) == (303, places[0])
        assert "Path=/orders/" in found.headers["set-cookie"]
        grant = found.cookies["tessera_order"]
        for place, status in zip(places, (200, 404), strict=True):
            client.cookies.clear()
            page = await client.get(place, headers=acme.at | {"cookie": f"tessera_order={grant}"})
            assert page.status_code == status

    async def test_a_mails_link_fills_the_number_in_as_text(self, client: httpx.AsyncClient, acme: Store) -> None:
        page = await client.get("/orders", params={"order": '"><script>x'}, headers=acme.at)
        assert page.status_code == 200
        assert "<script>x" not in page.text
        assert 'value="ord_1"' in (await client.get("/orders?order=ord_1", headers=acme.at)).text

    async def test_forgotten_numbers_are_mailed_and_the_page_tells_nothing(self, client: httpx.AsyncClient, acme: Store) -> None:
        await buy(client, acme, await acme.sale(1), contact="ann@example.org")
        client.cookies.clear()
        form = fields(await client.get("/orders", headers=acme.at))
        pages = [
            await client.post("/orders/forgotten", data=form | {"mail": mail}, headers=acme.at)
            for mail in ("ann@example.org", "nobody@example.org")
        ]
        assert [page.status_code for page in pages] == [200, 200]
        clock = re.compile(r"\d{13}")  # the page says when it was made
        assert clock.sub("", pages[0].text) == clock.sub("", pages[1].text)
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            assert await tx.conn.fetchval("SELECT count(*) FROM order_reminder WHERE tenant_id = $1", tx.tenant_id) == 2
        refused = await client.post("/orders/forgotten", data=form | {"mail": "no address"}, headers=acme.at)
        assert refused.status_code == 400

    @pytest.mark.parametrize("grant", ["", "x", "9999999999.", f"9999999999.{'0' * 32}", f"-1.{'0' * 32}", "é.é"])
    async def test_a_made_up_grant_opens_nothing(self, client: httpx.AsyncClient, acme: Store, grant: str) -> None:
        place = (await buy(client, acme, await acme.sale(1))).headers["location"]
        client.cookies.clear()
        page = await client.get(place, headers=acme.at | {"cookie": f"tessera_order={grant}".encode()})  # type: ignore[dict-item]
        assert page.status_code == 404


class TestWhatEveryPageKeeps:
    async def test_its_promises_to_the_browser(self, client: httpx.AsyncClient, acme: Store) -> None:
        page = await client.get("/", headers=acme.at)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert len(page.headers.get_list("x-content-type-options")) == 1
        assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", page.text)
        loaded = re.sub('<link rel="(canonical|alternate)"[^>]*>', "", page.text)  # which name addresses, and load nothing
        assert not re.search(r"""(src|href)="(https?:)?//""", loaded)

    async def test_its_weight(self, client: httpx.AsyncClient, acme: Store) -> None:
        for number in range(20):
            await acme.sale(1, name=f"Sale {number}")
        sale = await acme.sale(1)
        for path in ("/", f"/sales/{sale}"):
            page = await client.get(path, headers=acme.at | {"accept-encoding": "gzip"})
            assert page.headers["content-encoding"] == "gzip"
            html = int(page.headers["content-length"])
            assert html <= HTML_BUDGET
            assert html + sum(len(asset.gzipped) for asset in ASSETS.values()) <= FIRST_VIEW_BUDGET

    @pytest.mark.parametrize(
        ("header", "spoken"),
        [
            ("", "zh-CN"),
            ("en-GB,en;q=0.8", "en"),
            ("fr, en;q=0.5, zh;q=0.9", "zh-CN"),
            ("fr", "zh-CN"),
            ("en;q=0", "zh-CN"),
            ("en;q=x", "zh-CN"),
        ],
    )
    async def test_speaks_the_visitors_language(self, client: httpx.AsyncClient, acme: Store, header: str, spoken: str) -> None:
        page = await client.get("/", headers=acme.at | {"accept-language": header})
        assert f'<html lang="{spoken}"' in page.text

    async def test_the_switch_is_remembered(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await client.get("/language?to=en&back=/orders", headers=acme.at)
        assert (answer.status_code, answer.headers["location"]) == (303, "/orders")
        assert '<html lang="en"' in (await client.get("/", headers=acme.at)).text

    @pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "https://evil.example", "/%0d%0aSet-Cookie:x=1", ""])
    async def test_the_switch_leads_nowhere_else(self, client: httpx.AsyncClient, acme: Store, back: str) -> None:
        answer = await client.get(f"/language?to=en&back={back}", headers=acme.at)
        assert answer.headers["location"] == "/"

    async def test_the_switch_leads_back_to_a_page_not_to_a_form(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale = await acme.sale(1)
        refused = await buy(client, acme, sale, quantity="0")
        assert f'back=/sales/{sale}"' in refused.text

    async def test_what_leads_nowhere(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert "<html" in (await client.get("/no/such/page", headers=acme.at | {"accept": "text/html"})).text
        assert (await client.get("/no/such/page", headers=acme.at)).json()["code"] == "not_found"
        form_address = await client.get(f"/sales/{await acme.sale(1)}/buy", headers=acme.at | {"accept": "text/html"})
        assert re.fullmatch(r"/sales/sal_[0-9a-f]{32}", form_address.headers["location"])
        assert (await client.get("/v1/nothing", headers=acme.at | {"accept": "text/html"})).json()["code"] == "not_found"


class TestStatic:
    async def test_is_kept_for_ever_under_its_hash(self, client: httpx.AsyncClient) -> None:
        answer = await client.get(address("style.css"), headers={"accept-encoding": "gzip"})
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        again = await client.get(address("style.css"), headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize("name", ["style.css", "style.000000000000.css", "..%2fvisit.py"])
    async def test_nothing_else_is_served(self, client: httpx.AsyncClient, name: str) -> None:
        assert (await client.get(f"/static/{name}")).status_code == 404

    def test_the_compressed_file_is_the_file(self) -> None:
        assert all(gzip.decompress(asset.gzipped) == asset.body for asset in ASSETS.values())


class TestWords:
    def test_languages_say_the_same_things(self) -> None:
        zh, en = (language.WORDS[name].catalogue for name in ("zh-CN", "en"))
        assert zh.keys() == en.keys()
        for key in zh:
            assert values(zh[key]) == values(en[key]), key

    def test_every_message_that_is_named_exists_and_every_one_is_named(self) -> None:
        folder = TEMPLATES.parent
        source = "\n".join(path.read_text() for path in [*folder.rglob("*.html"), *folder.rglob("*.py")])
        named = set(re.findall(r"""\bt\(\s*["']([a-z_.]+)["']\s*[,)]""", source))
        catalogue = set(language.WORDS["en"].catalogue)
        assert named <= catalogue
        # Others are put together: t("order." ~ state ~ ".title"), t(f"line.{reason}").
        stems = tuple(set(re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)*\.)(?:["']|\{)""", source)))
        quoted = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)+)["']""", source))
        assert [key for key in catalogue - named - quoted if not key.startswith(stems)] == []

    def test_one_is_not_many(self) -> None:
        t = language.WORDS["en"]
        assert [t("stock.left", n=n) for n in (0, 1, 2)] == ["0 left", "1 left", "2 left"]


def values(message: str | dict[str, str]) -> set[str]:
    texts = [message] if isinstance(message, str) else message.values()
    return set().union(*(re.findall(r"{(\w+)", text) for text in texts)) - {"n"}


class TestFormats:
    @pytest.mark.parametrize(
        ("minor", "code", "shown"),
        [
            (1, "CNY", "¥0.01"),
            (1_234_500, "CNY", "¥12,345.00"),
            (-250, "USD", "-$2.50"),
            (1_500, "JPY", "JP¥1,500"),
            (99, "THB", "THB 0.99"),
        ],
    )
    def test_money(self, minor: int, code: str, shown: str) -> None:
        assert formats.money(minor, code) == shown

    @pytest.mark.parametrize(
        ("text", "minor"), [("12", 1200), ("12.5", 1250), (" 12.50 ", 1250), ("1,200", 120_000), ("¥9.90", 990), ("0.07", 7)]
    )
    def test_what_a_person_types(self, text: str, minor: int) -> None:
        assert money.minor_units(text, "CNY") == minor

    @pytest.mark.parametrize("text", ["", "-1", "1.005", "1e3", "１２", "abc", "1.2.3", "nan", "9" * 13])
    def test_what_is_no_amount(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"amount|decimals"):
            money.minor_units(text, "CNY")


def test_a_mosaic_is_its_sales_own() -> None:
    one, other = UUID(int=1), UUID(int=2)
    assert art.mosaic(one) == art.mosaic(UUID(int=1)) != art.mosaic(other)
    assert len(json.dumps(art.mosaic(one))) < 3000


async def test_too_many_unpaid_orders(client: httpx.AsyncClient, acme: Store) -> None:
    sale = await acme.sale(20)
    answers = [await buy(client, acme, sale) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [303] * 5 + [429]
    assert "还有订单没付款" in answers[-1].text
    assert "retry-after" in answers[-1].headers
    mine = await client.get("/orders", headers=acme.at)
    assert mine.text.count('<a href="/orders/ord_') == 5
