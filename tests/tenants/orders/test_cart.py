"""Orders with a cart: all lines or none, of the units there are, and in line with everybody else who sells them."""

import asyncio
from collections.abc import Sequence

import pytest

from checkout_core.errors import Conflict
from checkout_core.ids import decode, encode, new_id
from checkout_core.intents import Outcome, SaleKey
from tenants.db import tenant_tx
from tenants.orders import cancel, commit_batch
from tenants.orders.cart import Wanted, split, summed
from tests.paying import pay
from tests.shop import Store
from tests.tenants.orders.carts import Lines, Shelf, sql
from tests.tenants.orders.test_together import wish

Step = tuple[str, Lines]
# Stock of each SKU, the limit, who asks for what, what he is told, and what is free afterwards.
STORIES: dict[str, tuple[dict[str, int], int, Sequence[Step], Sequence[str], dict[str, int]]] = {
    "one of each": ({"a": 2, "b": 2}, 0, [("ann", {"a": 1, "b": 1})], ["reserved"], {"a": 1, "b": 1}),
    "all there is": ({"a": 2, "b": 3}, 0, [("ann", {"a": 2, "b": 3}), ("bob", {"a": 1})], ["reserved", "sold_out a"], {"a": 0, "b": 0}),
    "all or nothing": (
        {"a": 5, "b": 1}, 0, [("ann", {"a": 2, "b": 2}), ("bob", {"a": 1, "b": 1})], ["sold_out b", "reserved"], {"a": 4, "b": 0},
    ),
    "a limit is of one SKU": (
        {"a": 9, "b": 9}, 2,
        [("ann", {"a": 2, "b": 1}), ("ann", {"a": 1}), ("ann", {"b": 1}), ("ann", {"b": 1, "a": 1}), ("bob", {"a": 3})],
        ["reserved", "limit a", "reserved", "limit b", "limit a"], {"a": 7, "b": 7},
    ),
    "too much of one thing": ({"a": 3}, 0, [("ann", {"a": 1001}), ("ann", {"a": 4})], ["too_many a", "sold_out a"], {"a": 3}),
    "five unpaid orders": (
        {"a": 9}, 0, [("ann", {"a": 1})] * 6 + [("bob", {"a": 1})], ["reserved"] * 5 + ["unpaid_cap", "reserved"], {"a": 3},
    ),
}  # fmt: skip


class TestPlace:
    @pytest.mark.parametrize("story", STORIES)
    async def test_stories(self, acme: Store, story: str) -> None:
        stock, limit, steps, told, left = STORIES[story]
        shelf = await Shelf.of(acme, stock, limit_per_shopper=limit)
        assert [await shelf.told(shelf.wish(who, lines)) for who, lines in steps] == told
        assert await shelf.left() == left
        assert await shelf.orders() == told.count("reserved")

    async def test_what_is_written(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 2, "b": 2}, hold_s=60)
        await shelf.add("c", await acme.sku(1, price_minor=50), hold_s=30)
        order = await shelf.place(shelf.wish("ann", {"b": 1, "c": 1, "a": 2}))
        assert (order.state, order.amount_minor, order.currency, order.channel) == ("awaiting", 3 * 9900 + 50, "CNY", "web")
        assert sorted((line.quantity, line.unit_price_minor, line.amount_minor) for line in order.lines) == [
            (1, 50, 50), (1, 9900, 9900), (2, 9900, 19800),
        ]  # fmt: skip
        assert order.hold_until is not None
        assert (order.hold_until - order.created_at).total_seconds() == 30
        assert [line[2] for line in await shelf.lines()] == [None] * 3

    async def test_the_same_again_is_the_same_order(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 3})
        asked = shelf.wish("ann", {"a": 1})
        first, *others = [(await shelf.place(asked)).id for _ in range(3)]
        assert others == [first, first]
        assert await shelf.left() == {"a": 2}

    async def test_at_once_it_is_one_order_too(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 9, "b": 9})
        asked = shelf.wish("ann", {"a": 1, "b": 1})
        assert {order.id for order in await asyncio.gather(*(shelf.place(asked) for _ in range(6)))} == {asked.id}
        assert await shelf.left() == {"a": 8, "b": 8}

    async def test_the_key_of_another_wish_is_refused(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 3, "b": 3})
        order = new_id()
        both = [shelf.wish("ann", {"a": 1}, order=order), shelf.wish("ann", {"b": 1}, order=order, said=b"\1" * 16)]
        assert sorted(await asyncio.gather(*map(shelf.told, both))) == ["idempotency_conflict", "reserved"]
        assert sum((await shelf.left()).values()) == 5

    async def test_a_refusal_leaves_its_key_free(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 1})
        early, late = shelf.wish("ann", {"a": 1}), shelf.wish("bob", {"a": 1})
        assert [await shelf.told(each) for each in (early, late)] == ["reserved", "sold_out a"]
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await cancel(tx, early.id)
        assert await shelf.told(late) == "reserved"
        assert await shelf.left() == {"a": 0}

    async def test_what_is_not_on_the_shelf(self, acme: Store, globex: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 3, "gone": 3, "draft": 3, "hidden": 3, "paused": 3})
        foreign = await Shelf.of(globex, {"x": 3})
        shelf.skus |= {"loose": await acme.sku(3), "foreign": foreign.skus["x"], "none": encode("sku", new_id())}
        await acme.ask("DELETE", f"/v1/skus/{shelf.skus['gone']}/shelf", acme.merchant)
        await acme.ask("PATCH", f"/v1/skus/{shelf.skus['draft']}", acme.merchant | {"If-Match": "*"}, {"state": "draft"})
        hide = "UPDATE product SET moderation = 'refused' WHERE tenant_id = $1 AND id = (SELECT product_id FROM sku WHERE id = $2)"
        await sql(acme, hide, decode("sku", shelf.skus["hidden"]))
        await acme.ask("POST", f"/v1/sales/{shelf.sales['paused']}/pause", acme.merchant)
        told = {name: await shelf.told(shelf.wish("ann", {"a": 1, name: 1})) for name in shelf.skus if name != "a"}
        assert told.pop("paused") == "paused paused"
        assert told == {name: f"not_on_the_shelf {name}" for name in told}
        assert (await shelf.left())["a"] == 3

    async def test_a_direct_press_there_is_sent_on(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 1})
        asked = wish()
        sale = SaleKey(acme.tenant_id, decode("sal", shelf.sales["a"]))
        [decision] = await commit_batch(acme.process.app_pool, sale, [asked])
        assert decision.outcome is Outcome.ON_THE_SHELF
        assert await shelf.left() == {"a": 1}

    async def test_money_that_comes_late_finds_units_again(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 2, "b": 1})
        order = await shelf.place(shelf.wish("ann", {"a": 2, "b": 1}))
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await cancel(tx, order.id)
        assert await shelf.left() == {"a": 2, "b": 1}
        assert await pay(acme, encode("ord", order.id)) == "applied"
        assert await shelf.left() == {"a": 0, "b": 0}


class TestPicks:
    async def test_of_the_named_units_at_their_surcharges(self, acme: Store) -> None:
        shelf = Shelf(acme)
        await shelf.hall("hall", {"gala.stalls": (2, 0), "gala.box": (2, 2500), "late.stalls": (1, 100)})
        await shelf.place(shelf.wish("ann", {"hall": ["gala.box", "late.stalls", "gala.box"]}))
        [(quantity, unit_minor, amount, paid)] = await shelf.lines()
        assert (quantity, unit_minor, amount, sorted(paid)) == (3, 9900, 3 * 9900 + 5100, [10_000, 12_400, 12_400])
        assert await shelf.told(shelf.wish("bob", {"hall": ["gala.box"]})) == "sold_out hall"
        # What lies before the units that were taken is found still.
        assert await shelf.told(shelf.wish("bob", {"hall": ["gala.stalls", "gala.stalls"]})) == "reserved"
        assert await shelf.left() == {"hall": 0}

    async def test_an_amount_is_kept_only_where_units_differ(self, acme: Store) -> None:
        shelf = Shelf(acme)
        await shelf.hall("hall", {"gala.stalls": (2, 0), "gala.box": (2, 100)})
        await shelf.place(shelf.wish("ann", {"hall": ["gala.stalls", "gala.stalls"]}))
        assert [line[:3] for line in await shelf.lines()] == [(2, 9900, None)]

    async def test_which_picks_are_gone_is_said(self, acme: Store) -> None:
        shelf = Shelf(acme)
        await shelf.hall("hall", {"gala.stalls": (1, 0), "gala.box": (1, 0)})
        with pytest.raises(Conflict) as refused:
            await shelf.place(shelf.wish("ann", {"hall": ["gala.stalls", "gala.box", "gala.box"]}))
        assert (refused.value.code, refused.value.extra) == ("sold_out", {"sku_id": shelf.skus["hall"], "picks": ["gala.box"]})

    @pytest.mark.parametrize(
        ("lines", "told"),
        [
            ({"hall": 1}, "picks_missing hall"),
            ({"a": ["gala.stalls"]}, "not_picked a"),
            ({"hall": ["gala.balcony"]}, "not_offered hall"),
            ({"hall": ["gala.off"]}, "not_offered hall"),
        ],
    )
    async def test_what_cannot_be_chosen(self, acme: Store, lines: Lines, told: str) -> None:
        shelf = await Shelf.of(acme, {"a": 1})
        await shelf.hall("hall", {"gala.stalls": (1, 0), "gala.off": (1, 0)})
        off = {"picks": [{"pick": "gala.off", "is_on": False}]}
        await acme.ask("PATCH", f"/v1/skus/{shelf.skus['hall']}/picks", acme.merchant, off)
        assert await shelf.told(shelf.wish("ann", lines)) == told
        assert await shelf.left() == {"a": 1, "hall": 2}

    async def test_money_that_comes_late_goes_back(self, acme: Store) -> None:
        """Which seats they were went with the hold."""
        shelf = Shelf(acme)
        await shelf.hall("hall", {"gala.stalls": (1, 0)})
        order = await shelf.place(shelf.wish("ann", {"hall": ["gala.stalls"]}))
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            await cancel(tx, order.id)
        assert await pay(acme, encode("ord", order.id)) == "late"
        assert await shelf.left() == {"hall": 1}


class TestSharesOfABundle:
    async def test_units_of_a_line_cost_alike_to_the_last_minor_unit(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 3, "pack": 0}, takes_new_stock=True)
        bundle, part = decode("sku", shelf.skus["pack"]), decode("sku", shelf.skus["a"])
        asked = shelf.wish("ann", {})._replace(lines=[Wanted(part, 3, (), 1000, bundle)])
        order = await shelf.place(asked)
        assert order.amount_minor == 1000
        assert [(line.bundle_id, line.amount_minor, line.unit_price_minor) for line in order.lines] == [(bundle, 1000, 333)]
        assert [sorted(line[3]) for line in await shelf.lines()] == [[333, 333, 334]]

    async def test_a_bundle_that_is_off_the_shelf_takes_its_parts_along(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 3, "pack": 0}, takes_new_stock=True)
        asked = shelf.wish("ann", {})._replace(
            lines=[Wanted(decode("sku", shelf.skus["a"]), 1, (), 100, decode("sku", shelf.skus["pack"]))]
        )
        await acme.ask("POST", f"/v1/sales/{shelf.sales['pack']}/pause", acme.merchant)
        assert await shelf.told(asked) == "paused a"
        await acme.ask("DELETE", f"/v1/skus/{shelf.skus['pack']}/shelf", acme.merchant)
        assert await shelf.told(asked) == "not_on_the_shelf a"


class TestSums:
    def test_lines_of_a_sku_are_one(self) -> None:
        a, b = new_id(), new_id()
        lines = [Wanted(a, 1, ("x",)), Wanted(b, 2), Wanted(a, 2, ("y", "x"))]
        assert summed(lines) == [Wanted(a, 3, ("x", "y", "x")), Wanted(b, 2)]

    @pytest.mark.parametrize(("amount", "units", "each"), [(9, 3, [3, 3, 3]), (10, 3, [4, 3, 3]), (2, 1, [2]), (3, 3, [1, 1, 1])])
    def test_a_split_loses_nothing(self, amount: int, units: int, each: list[int]) -> None:
        assert split(amount, units) == each
