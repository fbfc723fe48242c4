"""Lists in pages: every one of them goes on where the page before ended, whatever is added meanwhile, and nowhere else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import httpx
import pytest

from api.paging import LIMIT_MAX, Page
from checkout_core.ids import decode, encode, new_id
from tenants import exceptions
from tenants.audit import read
from tenants.db import tenant_tx
from tenants.privacy import requests
from tests.security.world import imported
from tests.shop import Store


class List(NamedTuple):
    """`items` is the member that holds the rows, `add` makes one more and says its id, `narrower` asks for a part."""

    path: str
    items: str
    add: Callable[[Store, int], Awaitable[str]]
    narrower: str = ""
    newest_first: bool = True


async def add_key(store: Store, n: int) -> str:
    return str((await store.ask("POST", "/v1/api-keys", store.merchant, {"name": str(n), "scopes": ["orders:read"]}))["id"])


async def add_import(store: Store, n: int) -> str:
    return await imported(store, await store.sku(), [f"code-{n}"])


async def add_sale(store: Store, _: int) -> str:
    return await store.sale(units=1)


async def add_order(store: Store, _: int) -> str:
    return await store.order(await store.guest(), await store.sale(units=1))


async def add_person(store: Store, _: int) -> str:
    return (await store.employ("support")).id


async def add_entry(store: Store, n: int) -> str:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        await tx.audit("usr_1", "thing.done", f"thing_{n}")
        [entry] = await read.latest(tx, read.Filter(subject=f"thing_{n}"), limit=1)
    return encode("aud", entry.id)


async def add_request(store: Store, _: int) -> str:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return encode("dat", (await requests.ask(tx, "shopper_export", actor="usr_1", shopper_id=new_id())).id)


async def add_qualification(store: Store, n: int) -> str:
    """Taken back at once: one of a kind is under way at a time."""
    body = {"kind": "individual", "legal_name": "Ann", "registration_number": str(n)}
    made = str((await store.ask("POST", "/v1/qualifications", store.merchant, body))["id"])
    await store.ask("POST", f"/v1/qualifications/{made}/withdraw", store.merchant)
    return made


async def add_case(store: Store, n: int) -> str:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        await exceptions.report(tx, "odd", str(n))
        [case] = [each for each in await exceptions.open_cases(tx, limit=1000) if each.reference == str(n)]
    return f"exc_{case.id.hex}"


LISTS = [
    List("/v1/products", "products", lambda store, n: store.product(str(n))),
    List("/v1/skus", "skus", lambda store, n: store.sku(name=str(n)), "product_id=prd_" + "0" * 32),
    List("/v1/sales", "sales", add_sale, "state=paused"),
    List("/v1/orders", "items", add_order, "state=cancelled"),
    List("/v1/vault/imports", "imports", add_import),
    List("/v1/api-keys", "api_keys", add_key),
    List("/v1/exceptions", "exceptions", add_case, "kind=other", newest_first=False),
    List("/v1/staff", "staff", add_person, newest_first=False),
    List("/v1/audit", "items", add_entry, "action=thing.done"),
    List("/v1/data-requests", "items", add_request),
    List("/v1/qualifications", "qualifications", add_qualification),
]
every = pytest.mark.parametrize("what", LISTS, ids=lambda what: what.path)


async def page(store: Store, what: List, **query: Any) -> Any:
    address = str(httpx.URL(what.path, params=query))
    return await store.ask("GET", address, store.merchant)


@every
class TestEveryList:
    async def test_page_by_page_in_order_and_nothing_twice(self, acme: Store, globex: Store, what: List) -> None:
        """Rows are added between the pages: to a newest-first list before its first page, to an oldest-first one behind its last."""
        await what.add(globex, 0)
        had = [each["id"] for each in (await page(acme, what))[what.items]]
        made = had + [await what.add(acme, n) for n in range(5)]
        later: list[str] = []
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            found = await page(acme, what, **query)
            seen += [each["id"] for each in found[what.items]]
            if found["next_cursor"] is None:
                break
            query["cursor"] = found["next_cursor"]
            if len(later) < 2:
                later.append(await what.add(acme, 10 + len(later)))
        # Ids grow with time, but for an order's, which follows from its key.
        in_order = made if what.path == "/v1/orders" else sorted(made)
        assert seen == (in_order[::-1] if what.newest_first else in_order + sorted(later))

    async def test_the_last_page_is_known_for_what_it_is(self, acme: Store, what: List) -> None:
        made = [await what.add(acme, n) for n in range(2)]
        count = len((await page(acme, what))[what.items])
        assert count >= len(made)
        assert (await page(acme, what, limit=count))["next_cursor"] is None
        assert (await page(acme, what, limit=count - 1))["next_cursor"] is not None

    async def test_a_cursor_is_good_at_its_own_list_only(self, client: httpx.AsyncClient, acme: Store, globex: Store, what: List) -> None:
        for n in range(2):
            await what.add(acme, n)
        cursor = (await page(acme, what, limit=1))["next_cursor"]
        elsewhere = next(each.path for each in LISTS if each != what)
        raw = bytearray(urlsafe_b64decode(cursor + "=="))
        raw[-1] ^= 1
        changed = urlsafe_b64encode(raw).decode().rstrip("=")
        tries = [(acme, f"{elsewhere}?cursor={cursor}"), (globex, f"{what.path}?cursor={cursor}")]
        tries += [(acme, f"{what.path}?cursor={odd}") for odd in (changed, cursor[:-4], "x", "%F0%9F%99%82", "A" * 200)]
        if what.narrower:
            tries.append((acme, f"{what.path}?{what.narrower}&cursor={cursor}"))
        for store, address in tries:
            response = await client.get(address, headers=store.merchant)
            assert (response.status_code, response.json()["code"]) == (400, "bad_cursor"), address

    async def test_without_the_check_a_cursor_would_do_anywhere(
        self, client: httpx.AsyncClient, acme: Store, globex: Store, what: List, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What holds the test above: were the key not bound to its list, this would be answered."""
        for n in range(2):
            await what.add(acme, n)
        monkeypatch.setattr(Page, "_mac", lambda self, key: bytes(16))
        cursor = (await page(acme, what, limit=1))["next_cursor"]
        assert (await client.get(f"{what.path}?cursor={cursor}", headers=globex.merchant)).status_code == 200


async def test_a_full_page_of_the_largest_size_has_a_next_one(acme: Store) -> None:
    sql = "INSERT INTO product (tenant_id, id, name) SELECT $1, uuidv7(), 'x' FROM generate_series(1, $2)"
    async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
        await tx.conn.execute(sql, acme.tenant_id, LIMIT_MAX + 1)
    first = await acme.ask("GET", f"/v1/products?limit={LIMIT_MAX}", acme.merchant)
    assert len(first["products"]) == LIMIT_MAX
    rest = await acme.ask("GET", f"/v1/products?limit={LIMIT_MAX}&cursor={first['next_cursor']}", acme.merchant)
    assert (len(rest["products"]), rest["next_cursor"]) == (1, None)


class TestFilters:
    async def test_skus_of_a_product(self, acme: Store, globex: Store) -> None:
        mine, product = await acme.sku(), await acme.product()
        wanted = [await acme.sku(product_id=product) for _ in range(2)]
        found = await acme.ask("GET", f"/v1/skus?product_id={product}", acme.merchant)
        assert [each["id"] for each in found["skus"]] == wanted[::-1]
        assert mine not in wanted
        assert (await globex.ask("GET", f"/v1/skus?product_id={product}", globex.merchant))["skus"] == []

    async def test_sales_by_state_and_sku(self, acme: Store) -> None:
        sku = await acme.sku(units=2)
        sales = [await acme.sale(units=1, sku_id=sku), await acme.sale(units=1, sku_id=sku), await acme.sale(units=1)]
        await acme.ask("POST", f"/v1/sales/{sales[0]}/pause", acme.merchant)
        for query, wanted in (("state=paused", sales[:1]), ("state=open", sales[:0:-1]), (f"sku_id={sku}", sales[1::-1])):
            found = await acme.ask("GET", f"/v1/sales?{query}", acme.merchant)
            assert [each["id"] for each in found["sales"]] == wanted, query

    async def test_orders_by_each_and_by_all(self, acme: Store) -> None:
        sale, other_sale = await acme.sale(), await acme.sale()
        who = await acme.guest()
        first = await acme.order(who, sale)
        second = await acme.order(await acme.guest(), other_sale)
        shown = (await acme.ask("GET", f"/v1/orders/{second}", acme.merchant))["created_at"].replace("+00:00", "Z")
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            shopper = await tx.conn.fetchval("SELECT shopper_id FROM orders WHERE id = $1", decode("ord", first))
            await tx.conn.execute("UPDATE orders SET channel = 'douyin' WHERE id = $1", decode("ord", second))
        queries = {
            f"sale_id={sale}": [first], f"shopper_id=shp_{shopper.hex}": [first], "channel=douyin": [second], "channel=web": [],
            f"since={shown}": [second], f"until={shown}": [first], "state=awaiting": [second, first],
            f"state=awaiting&channel=douyin&sale_id={other_sale}&since={shown}&until=2999-01-01T00:00:00Z": [second],
        }  # fmt: skip
        for query, wanted in queries.items():
            found = await acme.ask("GET", f"/v1/orders?{query}", acme.merchant)
            assert [each["id"] for each in found["items"]] == wanted, query

    @pytest.mark.parametrize("odd", ["state=sold", "since=yesterday", "since=2026-01-01T00:00:00", "channel=" + "x" * 41, "sale_id=x"])
    async def test_an_odd_one_is_refused(self, client: httpx.AsyncClient, acme: Store, odd: str) -> None:
        response = await client.get(f"/v1/orders?{odd}", headers=acme.merchant)
        assert response.status_code == (404 if odd == "sale_id=x" else 400), response.text
