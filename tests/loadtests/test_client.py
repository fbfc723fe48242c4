"""The typed client: it is what the document gives now, speaks with the real API, and asks again only where that is safe."""

import asyncio
import functools
import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar

import loadtests.client
from api.process import Process
from loadtests.client import AsyncClient, Call, Client
from loadtests.client.core import TRIES, Conflict, Forbidden, NotFound, TooMany, Unavailable
from loadtests.client.operations import accounts, api_keys, catalogue, checkout, health, orders, sales, shoppers, vault
from tessera.commands.client import FOLDER, made
from tests.house.sources import ROOT
from tests.mails import token as token_of
from tests.openapi_rules import operations
from tests.shop import Store

URL = "http://localhost"
Answer = httpx.Response | Exception


class Way(httpx.AsyncBaseTransport):
    """To the real API. `meet` may lose a request before it arrives or an answer after it was given, or answer by itself; `asked` counts."""

    def __init__(self, app: Litestar, meet: Callable[[int, httpx.Response | None], Answer | None] = lambda *_: None) -> None:
        self.inner = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.meet = meet
        self.asked: list[httpx.Request] = []
        self.statuses: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        met = self.meet(len(self.asked), None)
        response = met or await self.inner.handle_async_request(request)
        if isinstance(response, httpx.Response):
            self.statuses.append(response.status_code)
            response = self.meet(len(self.asked), response) or response
        if isinstance(response, Exception):
            raise response
        return response


class FromThread(httpx.BaseTransport):
    """The same for one who waits in a thread."""

    def __init__(self, way: Way, loop: asyncio.AbstractEventLoop) -> None:
        self.way = way
        self.loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self._ask(request), self.loop).result(20)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        response = await self.way.handle_async_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())


def lost_answer(number: int, response: httpx.Response | None) -> Answer | None:
    """The first request is done, and its answer lost."""
    return httpx.ReadError("lost") if number == 1 and response is not None else None


def refused_with(status: int, retry_after: str = "0") -> Callable[[int, httpx.Response | None], Answer | None]:
    problem = {"type": "about:blank", "title": "x", "status": status, "detail": "Not now.", "code": "busy", "more": 1}

    def meet(number: int, response: httpx.Response | None) -> Answer | None:
        return httpx.Response(status, json=problem, headers={"Retry-After": retry_after}) if number == 1 and response is None else None

    return meet


class TestFiles:
    def test_are_what_the_document_gives_now(self) -> None:
        assert {file.name: file.read_text() for file in Path(FOLDER).glob("*.py")} == made(), "run `make client`"

    def test_have_every_operation(self, app: Litestar) -> None:
        from api.openapi import document

        text = "".join(file.read_text() for file in FOLDER.glob("*.py"))
        assert text.count("\ndef ") == len(list(operations(document(app))))

    def test_need_nothing_else_of_ours(self) -> None:
        text = "".join(file.read_text() for file in Path(loadtests.client.__file__).parent.rglob("*.py"))
        assert not any(f"from {package}" in text for package in ("api", "tenants", "checkout_core", "tessera"))


class TestClient:
    async def test_from_sign_up_to_an_order(self, app: Litestar, process: Process) -> None:
        name = uuid4().hex[:12]
        async with AsyncClient(URL, transport=Way(app)) as anybody:
            new = accounts.NewMerchant(store="Deer", slug=f"c-{name}", mail=f"{name}@example.org")
            await anybody(accounts.sign_up(new))
            proof = accounts.Confirmation(token=await token_of(process, new.mail), password=name)
            signed_up = await anybody(accounts.confirm_sign_up(proof))
            assert await anybody(health.healthz()) == "alive\n"
            assert (await anybody(health.readyz())).postgres == "up"
        async with AsyncClient(URL, token=signed_up.api_key, transport=Way(app)) as client:
            product = await client(catalogue.create_product(catalogue.NewProduct(name="Films")))
            new_sku = catalogue.NewSku(product_id=product.id, name="Year", price_minor=9900, currency="CNY")
            sku = await client(catalogue.create_sku(new_sku))
            report = await client(vault.import_codes(b"AAAA-1\nAAAA-2\n", sku_id=sku.id))
            assert (report.loaded, report.lines) == (2, 2)
            new_sale = sales.NewSale(sku_id=sku.id, name="Launch", units="all", limit_per_shopper=0)
            sale = await client(sales.create_sale(new_sale))
            assert await client(sales.pause_sale(sale.id)) == await client(sales.get_sale(sale.id))
            assert (await client(sales.resume_sale(sale.id))).state == "open"
        async with AsyncClient(URL, store=signed_up.slug, transport=Way(app)) as visitor:
            token = (await visitor(shoppers.create_shopper_token(shoppers.NewGuest(channel="app")))).token
        async with AsyncClient(URL, token=token, store=signed_up.slug, transport=Way(app)) as shopper:
            order = await shopper(checkout.create_checkout(checkout.NewCheckout(sale_id=sale.id, quantity=1)))
            assert isinstance(order, checkout.Checkout)
            shown = await shopper(orders.get_order(order.id))
            assert (shown.state, shown.channel, shown.expires_at is not None) == ("awaiting", "app", True)
            assert shown.lines[0].sale_id == sale.id

    async def test_each_goes_through_all_pages(self, app: Litestar, acme: Store) -> None:
        wanted = [await acme.product(str(n)) for n in range(5)][::-1]
        way = Way(app)
        async with AsyncClient(URL, token=acme.key, transport=way) as client:
            assert [product.id async for product in client.each(catalogue.list_products(limit=2))] == wanted
        assert len(way.asked) == 3

    async def test_in_a_thread_as_well(self, app: Litestar, acme: Store) -> None:
        wanted = [await acme.product(str(n)) for n in range(3)][::-1]
        way, loop = Way(app, lost_answer), asyncio.get_running_loop()

        def work() -> tuple[list[str], str]:
            with Client(URL, token=acme.key, transport=FromThread(way, loop)) as client:
                found = [product.id for product in client.each(catalogue.list_products(limit=2))]
                try:
                    client(catalogue.get_product("prd_" + "0" * 32))
                except NotFound as problem:
                    return found, problem.code
            return found, ""

        assert await asyncio.to_thread(work) == (wanted, "not_found")
        assert len(way.asked) == 4  # two pages, the first of them twice, and the missing one

    async def test_the_guides_example_does_what_it_says(self, app: Litestar, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        await acme.sale(name="Launch", units=3)
        to_here = functools.partial(Client, transport=FromThread(Way(app), asyncio.get_running_loop()))
        monkeypatch.setattr(loadtests.client, "Client", to_here)
        [example] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/client.md").read_text(), re.DOTALL)
        said: list[object] = []
        code = example.replace("https://shop.example", URL).replace("sk_…", acme.key)
        await asyncio.to_thread(exec, code, {"print": lambda *words: said.append(words)})
        assert said == [("Launch", 3)]
        newest, *_ = (await acme.ask("GET", "/v1/skus", acme.merchant))["skus"]
        assert (newest["name"], newest["price_minor"]) == ("One year", 19_800)

    async def test_problems_are_raised_by_their_kind(self, app: Litestar, acme: Store) -> None:
        limited = (await acme.key_with("catalog:read"))["Authorization"].removeprefix("Bearer ")
        async with AsyncClient(URL, token=limited, transport=Way(app)) as client:
            with pytest.raises(Forbidden) as forbidden:
                await client(api_keys.list_api_keys())
        assert (forbidden.value.code, forbidden.value.extra) == ("missing_permission", {"permission": "api_keys:write"})

    async def test_what_has_not_changed_is_not_sent_again(self, app: Litestar, acme: Store) -> None:
        sale, way = await acme.sale(), Way(app)
        async with AsyncClient(URL, token=acme.key, transport=way) as client:
            first = await client(sales.get_sale(sale))
            assert await client(sales.get_sale(sale)) == first
            await acme.ask("POST", f"/v1/sales/{sale}/pause", acme.merchant)
            assert (await client(sales.get_sale(sale))).state == "paused"
        assert way.statuses == [200, 304, 200]


class TestAskingAgain:
    async def count(self, acme: Store) -> int:
        return len((await acme.ask("GET", "/v1/products", acme.merchant))["products"])

    async def test_with_a_key_makes_nothing_twice(self, app: Litestar, acme: Store) -> None:
        way = Way(app, lost_answer)
        async with AsyncClient(URL, token=acme.key, transport=way) as client:
            await client(catalogue.create_product(catalogue.NewProduct(name="x")))
        assert len(way.asked) == 2
        assert len({request.headers["idempotency-key"] for request in way.asked}) == 1
        assert await self.count(acme) == 1

    async def test_without_the_key_it_would(self, app: Litestar, acme: Store) -> None:
        """What holds the test above: the same call, said to be safe without being it."""
        call = catalogue.create_product(catalogue.NewProduct(name="x"))
        keyless: Call[catalogue.Product] = Call(method=call.method, path=call.path, answers=call.answers, body=call.body, has_key=True)
        async with AsyncClient(URL, token=acme.key, transport=Way(app, lost_answer)) as client:
            await client(keyless)
        assert await self.count(acme) == 2

    async def test_not_where_the_answer_holds_a_secret(self, app: Litestar, acme: Store) -> None:
        way = Way(app, lost_answer)
        async with AsyncClient(URL, token=acme.key, transport=way) as client:
            with pytest.raises(httpx.ReadError):
                await client(api_keys.create_api_key(api_keys.NewApiKey(name="x", scopes=["orders:read"])))
        assert len(way.asked) == 1

    @pytest.mark.parametrize(("status", "asked"), [(429, 2), (503, 1)])
    async def test_a_429_did_nothing_and_a_503_may_have(self, app: Litestar, acme: Store, status: int, asked: int) -> None:
        way = Way(app, refused_with(status))
        async with AsyncClient(URL, token=acme.key, transport=way) as client:
            call = api_keys.create_api_key(api_keys.NewApiKey(name="x", scopes=["orders:read"]))
            if asked == 1:
                with pytest.raises(Unavailable):
                    await client(call)
            else:
                assert (await client(call)).key.startswith("sk_")
        assert len(way.asked) == asked

    async def test_not_when_told_to_wait_long(self, app: Litestar, acme: Store) -> None:
        way = Way(app, refused_with(429, "3600"))
        async with AsyncClient(URL, token=acme.key, transport=way) as client:
            with pytest.raises(TooMany) as refused:
                await client(catalogue.list_products())
        assert (refused.value.retry_after_s, refused.value.extra, len(way.asked)) == (3600, {"more": 1}, 1)

    async def test_not_when_refused_for_good(self, app: Litestar, acme: Store) -> None:
        way = Way(app)
        async with AsyncClient(URL, token=acme.key, transport=way) as client:
            with pytest.raises(Conflict):
                await client(sales.create_sale(sales.NewSale(sku_id=await acme.sku(), name="x", units=1, limit_per_shopper=0)))
        assert len(way.asked) == 1

    async def test_not_for_ever(self, app: Litestar, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loadtests.client.core, "PAUSE_S", (0.0, 0.0))
        way = Way(app, lambda *_: httpx.ConnectError("away"))
        async with AsyncClient(URL, token=acme.key, transport=way) as client:
            with pytest.raises(httpx.ConnectError):
                await client(catalogue.list_products())
        assert len(way.asked) == TRIES
