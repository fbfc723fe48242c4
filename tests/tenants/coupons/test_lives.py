"""A piece of a coupon with its order: locked, used, given back, returned, each once, in whatever order things happen."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from checkout_core.errors import Conflict
from checkout_core.ids import decode, encode
from tenants.coupons import grants, uses
from tenants.db import tenant_tx
from tenants.orders import read
from tests.paying import pay
from tests.shop import Store
from tests.tenants.coupons.pieces import Till, act, claim, coupon, figures, look, states, sweep
from tests.tenants.coupons.pieces import told as told_of
from tests.tenants.orders.carts import Shelf, sql
from tests.tenants.types import picked
from tests.tenants.units.stock import rows


class TestPlace:
    async def test_lines_and_units_cost_less(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 3})
        await shelf.add("b", await acme.sku(2, price_minor=101))
        ann, ten = shelf.shopper("ann"), await coupon(acme)
        piece = await claim(acme, ten.id, ann)
        order = await shelf.place(shelf.wish("ann", {"a": 2, "b": 1}))
        assert (order.amount_minor, order.discount_minor) == (19_901 - 1000, 1000)
        assert [(each.grant_id, each.coupon_id, each.name, each.state, each.discount_minor) for each in order.coupons] == [
            (piece.id, ten.id, "Ten off", "locked", 1000)
        ]
        assert sorted((line.quantity, line.amount_minor, line.discount_minor) for line in order.lines) == [(1, 96, 5), (2, 18_805, 995)]
        assert sorted(sorted(paid) for *_, paid in await shelf.lines()) == [[96], [9402, 9403]]
        assert await figures(acme, ten.id) == (1, 1, 0, 1000)
        assert await pay(acme, encode("ord", order.id)) == "applied"
        assert await figures(acme, ten.id) == (1, 0, 1, 1000)
        assert (await states(acme, "coupon_grant"), await states(acme, "coupon_use")) == (["used"], ["used"])

    async def test_without_one_nothing_is_different(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 3})
        await claim(acme, (await coupon(acme)).id, shelf.shopper("ann"))
        for wish in (shelf.wish("bob", {"a": 1}), shelf.wish("ann", {"a": 1})._replace(coupons=[])):
            order = await shelf.place(wish)
            assert (order.amount_minor, order.coupons) == (9900, [])
        assert [line[2] for line in await shelf.lines()] == [None, None]

    async def test_seats_with_surcharges(self, acme: Store) -> None:
        """Each unit bears its share of what the line gives; together they are what is paid."""
        shelf = Shelf(acme)
        await shelf.hall("hall", {"gala.stalls": (1, 0), "gala.box": (1, 5000)})
        await claim(acme, (await coupon(acme, kind="percent", off_bp=3333)).id, shelf.shopper("ann"))
        order = await shelf.place(shelf.wish("ann", {"hall": ["gala.stalls", "gala.box"]}))
        [(_, _, amount, paid)] = await shelf.lines()
        assert amount == order.amount_minor == sum(paid) == 24_800 - 24_800 * 3333 // 10_000
        assert sorted(paid) == [6601, 9934]

    async def test_scopes(self, acme: Store) -> None:
        """A product, a category with what is below it, and all but that."""
        above = (await acme.ask("POST", "/v1/categories", acme.merchant, {"name": "Games"}))["id"]
        below = (await acme.ask("POST", "/v1/categories", acme.merchant, {"name": "Steam", "parent_id": above}))["id"]
        shelf = await Shelf.of(acme, {"a": 3, "b": 3})
        product = (await acme.ask("GET", f"/v1/skus/{shelf.skus['a']}", acme.merchant))["product_id"]
        await acme.ask("PATCH", f"/v1/products/{product}", acme.merchant | {"If-Match": "*"}, {"category_id": below})
        kinds: Sequence[tuple[str, dict[str, Any], str]] = (
            ("ann", {"scope": "only", "category_ids": [decode("cat", above)]}, "a"),
            ("bob", {"scope": "except", "product_ids": [decode("prd", product)]}, "b"),
            ("eve", {"scope": "only", "sku_ids": [decode("sku", shelf.skus["b"])]}, "b"),
        )
        for who, scope, cheaper in kinds:
            await claim(acme, (await coupon(acme, **scope)).id, shelf.shopper(who))
            order = await shelf.place(shelf.wish(who, {"a": 1, "b": 1}))
            assert [line.name[-1] for line in order.lines if line.discount_minor] == [cheaper]

    async def test_the_best_of_several(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 3})
        for off, group in ((500, ""), (700, ""), (300, "more")):
            await claim(acme, (await coupon(acme, off_minor=off, stack_group=group)).id, shelf.shopper("ann"))
        order = await shelf.place(shelf.wish("ann", {"a": 1}))
        assert sorted(each.discount_minor for each in order.coupons) == [300, 700]

    async def test_named_ones(self, acme: Store) -> None:
        shelf = await Shelf.of(acme, {"a": 3})
        good, dear = await coupon(acme), await coupon(acme, threshold_minor=99_000)
        ann = shelf.shopper("ann")
        one, other = [(await claim(acme, each.id, ann)).id for each in (good, dear)]
        wish = shelf.wish("ann", {"a": 1})
        assert await shelf.told(wish._replace(coupons=[one, other])) == "coupon_unusable"
        with pytest.raises(Conflict) as refused:
            await shelf.place(wish._replace(coupons=[other]))
        assert {name: refused.value.extra[name] for name in ("coupon", "why", "missing_minor")} == {
            "coupon": encode("cpg", other), "why": "threshold", "missing_minor": 89_100,
        }  # fmt: skip
        assert await shelf.told(shelf.wish("bob", {"a": 1})._replace(coupons=[one])) == "coupon_unusable"
        assert (await shelf.place(wish._replace(coupons=[one]))).discount_minor == 1000
        assert await shelf.left() == {"a": 2}

    @pytest.mark.parametrize("what", ["pause", "end"])
    async def test_of_one_that_rests_nothing_is_used(self, acme: Store, what: str) -> None:
        shelf, ten = await Shelf.of(acme, {"a": 3}), await coupon(acme)
        await claim(acme, ten.id, shelf.shopper("ann"))
        await act(acme, ten.id, what)
        assert (await shelf.place(shelf.wish("ann", {"a": 1}))).amount_minor == 9900


class TestOnce:
    async def test_one_piece_two_orders(self, acme: Store) -> None:
        shelf, ten = await Shelf.of(acme, {"a": 9}), await coupon(acme)
        for round_ in range(5):
            who = f"shopper {round_}"
            await claim(acme, ten.id, shelf.shopper(who))
            orders = await asyncio.gather(*(shelf.place(shelf.wish(who, {"a": 1})) for _ in range(2)))
            assert sorted(order.discount_minor for order in orders) == [0, 1000]
            await asyncio.gather(*(Till(shelf).cancel(order) for order in orders))
        assert await figures(acme, ten.id) == (5, 0, 0, 0)

    @pytest.mark.parametrize("bound", [{"uses_max": 3}, {"budget_minor": 3999}])
    async def test_no_more_than_its_bound(self, acme: Store, bound: dict[str, int]) -> None:
        shelf, ten = await Shelf.of(acme, {"a": 12}), await coupon(acme, **bound)
        names = [f"shopper {n}" for n in range(10)]
        for who in names:
            await claim(acme, ten.id, shelf.shopper(who))
        orders = await asyncio.gather(*(shelf.place(shelf.wish(who, {"a": 1})) for who in names))
        assert sorted(order.discount_minor for order in orders) == [0] * 7 + [1000] * 3
        assert await figures(acme, ten.id) == (10, 3, 0, 3000)
        await Till(shelf).cancel(next(order for order in orders if order.discount_minor))
        assert (await shelf.place(shelf.wish(names[0], {"a": 1}))).discount_minor in (0, 1000)

    async def test_without_looking_at_the_bound_the_row_itself_refuses(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin: what is counted is judged by a CHECK as well, so this takes away one of two."""
        shelf, ten = await Shelf.of(acme, {"a": 12}), await coupon(acme, uses_max=1)
        for who in ("ann", "bob"):
            await claim(acme, ten.id, shelf.shopper(who))
        monkeypatch.setattr(uses, "_has_room", lambda *_, **__: True)
        gone = asyncio.gather(*(shelf.place(shelf.wish(who, {"a": 1})) for who in ("ann", "bob")), return_exceptions=True)
        assert [type(each).__name__ for each in await gone if isinstance(each, BaseException)] in ([], ["CheckViolationError"])
        assert (await figures(acme, ten.id))[1] == 1

    async def test_the_order_again_is_the_same(self, acme: Store) -> None:
        shelf, ten = await Shelf.of(acme, {"a": 9}), await coupon(acme)
        await claim(acme, ten.id, shelf.shopper("ann"))
        wish = shelf.wish("ann", {"a": 1})
        orders = await asyncio.gather(*(shelf.place(wish) for _ in range(4)))
        assert {(order.id, order.amount_minor) for order in orders} == {(wish.id, 8900)}
        assert await figures(acme, ten.id) == (1, 1, 0, 1000)

    async def test_paid_and_cancelled_at_once(self, acme: Store) -> None:
        shelf, ten = await Shelf.of(acme, {"a": 9}), await coupon(acme)
        till = Till(shelf)
        for n in range(6):
            await claim(acme, ten.id, shelf.shopper(f"shopper {n}"))
            order = await shelf.place(shelf.wish(f"shopper {n}", {"a": 1}))
            await asyncio.gather(pay(acme, encode("ord", order.id)), till.cancel(order), till.lapse(order))
        assert await figures(acme, ten.id) == (6, 0, 6, 6000)  # money that comes counts, before or after the end
        assert await states(acme, "coupon_grant") == ["used"] * 6


# What happens to an order with a coupon, one after another; then how the piece stands, the use, and locked, used and spent.
AFTER: dict[str, tuple[str, str, tuple[int, int, int]]] = {
    "": ("locked", "locked", (1, 0, 1000)),
    "pay": ("used", "used", (0, 1, 1000)),
    "pay pay": ("used", "used", (0, 1, 1000)),
    "pay cancel lapse": ("used", "used", (0, 1, 1000)),
    "cancel": ("held", "released", (0, 0, 0)),
    "cancel cancel lapse": ("held", "released", (0, 0, 0)),
    "lapse": ("held", "released", (0, 0, 0)),
    "lapse lapse cancel": ("held", "released", (0, 0, 0)),
    "lapse refund": ("held", "released", (0, 0, 0)),
    "cancel pay": ("used", "used", (0, 1, 1000)),
    "lapse pay": ("used", "used", (0, 1, 1000)),
    "lapse pay pay": ("used", "used", (0, 1, 1000)),
    "pay refund": ("held", "returned", (0, 0, 0)),
    "pay refund refund": ("held", "returned", (0, 0, 0)),
    "pay refund pay": ("held", "returned", (0, 0, 0)),
    "lapse pay refund": ("held", "returned", (0, 0, 0)),
    "end lapse sweep": ("void", "released", (0, 0, 0)),
    "end pay": ("used", "used", (0, 1, 1000)),
    "pause pay refund": ("held", "returned", (0, 0, 0)),
    "over lapse sweep": ("expired", "released", (0, 0, 0)),
    "over lapse sweep pay": ("used", "used", (0, 1, 1000)),
    "over pay": ("used", "used", (0, 1, 1000)),
    "over pay refund sweep": ("expired", "returned", (0, 0, 0)),
    "end lapse sweep pay": ("void", "borne", (0, 0, 0)),
    "end lapse sweep pay refund": ("void", "borne", (0, 0, 0)),
    "lapse full pay": ("used", "borne", (0, 0, 0)),
    "lapse full pay refund": ("held", "returned", (0, 0, 0)),
    "lapse elsewhere pay": ("locked", "borne", (1, 0, 1000)),
    "lapse elsewhere pay refund": ("locked", "borne", (1, 0, 1000)),
}  # fmt: skip


class TestEveryOrderOfThings:
    @pytest.mark.parametrize("steps", AFTER, ids=lambda steps: steps or "nothing")
    async def test_the_table(self, acme: Store, steps: str) -> None:
        shelf, ten = await Shelf.of(acme, {"a": 9}), await coupon(acme)
        piece = await claim(acme, ten.id, shelf.shopper("ann"))
        order, till = await shelf.place(shelf.wish("ann", {"a": 1})), Till(shelf)
        for step in steps.split():
            match step:
                case "pay":
                    await pay(acme, encode("ord", order.id))
                case "end" | "pause":
                    await act(acme, ten.id, step)
                case "over":
                    await sql(acme, "UPDATE coupon_grant SET valid_until = now() WHERE tenant_id = $1")
                case "sweep":
                    await sweep(acme, ten.id)
                case "full":
                    # Its budget went to others meanwhile.
                    await sql(acme, "UPDATE coupon SET budget_minor = 999 WHERE tenant_id = $1")
                case "elsewhere":
                    await shelf.place(shelf.wish("ann", {"a": 1}))
                case _:
                    await getattr(till, step)(order)
        grant, use, counted = AFTER[steps]
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            found = await read.get(tx, order.id)
        assert [each.state for each in found.coupons] == [use]
        assert (found.amount_minor, found.discount_minor) == (8900, 1000)
        [state] = [row[0] for row in await rows(acme, f"SELECT state FROM coupon_grant WHERE tenant_id = $1 AND id = '{piece.id}'")]
        assert state == grant
        assert (await figures(acme, ten.id))[1:] == counted
        assert ("coupon.borne" in await acme.audited()) == ("borne" in use or "full" in steps)

    async def test_whose_coupon_stays_used(self, acme: Store) -> None:
        shelf, ten = await Shelf.of(acme, {"a": 9}), await coupon(acme, returned_on_refund=False)
        await claim(acme, ten.id, shelf.shopper("ann"))
        order = await shelf.place(shelf.wish("ann", {"a": 1}))
        await pay(acme, encode("ord", order.id))
        await Till(shelf).refund(order)
        assert (await states(acme, "coupon_grant"), await figures(acme, ten.id)) == (["used"], (1, 0, 1, 1000))

    async def test_in_parts_what_was_paid_goes_back_to_the_minor_unit(self, acme: Store) -> None:
        """The piece comes back with the last part."""
        shelf = Shelf(acme)
        sku = await acme.sku(type="licence", config={"days": 30}, price_minor=1000)
        await picked.make(acme, sku, 3)
        await shelf.add("a", sku)
        await claim(acme, (await coupon(acme, off_minor=1000)).id, shelf.shopper("ann"))
        order = await shelf.place(shelf.wish("ann", {"a": 3}))
        await pay(acme, encode("ord", order.id))
        units = [row[0] for row in await rows(acme, "SELECT id FROM unit WHERE tenant_id = $1 AND order_id IS NOT NULL ORDER BY id")]
        till, states_seen = Till(shelf), []
        for unit in units:
            await acme.ask("POST", f"/v1/orders/{encode('ord', order.id)}/refund", acme.merchant, {"units": [unit]})
            await till.money_back(order)
            states_seen.append((await states(acme, "coupon_grant"))[0])
        amounts = [row[0] for row in await rows(acme, "SELECT amount_minor FROM refund WHERE tenant_id = $1 ORDER BY id")]
        assert (sum(amounts), sorted(amounts), states_seen) == (2000, [666, 667, 667], ["used", "used", "held"])


class TestClaims:
    async def test_a_hundred_on_ten(self, acme: Store) -> None:
        ten, shelf = await coupon(acme, claims_max=10), Shelf(acme)
        answers = await asyncio.gather(*(told_of(acme, ten.id, shelf.shopper(f"{n}")) for n in range(100)))
        assert sorted(answers) == ["claimed"] * 10 + ["none_left"] * 90
        assert ((await look(acme, ten.id)).claimed, await states(acme, "coupon_grant")) == (10, ["held"] * 10)

    async def test_one_shopper_ten_times_at_once(self, acme: Store) -> None:
        ten, shelf = await coupon(acme, per_shopper_max=2), Shelf(acme)
        answers = await asyncio.gather(*(told_of(acme, ten.id, shelf.shopper("ann")) for _ in range(10)))
        assert sorted(answers) == ["claimed"] * 2 + ["had_enough"] * 8

    async def test_without_the_lock_a_row_of_its_own_number_refuses(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin: two who have both counted his pieces. The second gets the same number, which is there already."""
        ten, shelf, met = await coupon(acme), Shelf(acme), asyncio.Event()
        monkeypatch.setattr(grants, "_LOCK", grants._LOOK)
        counted, seen = grants._has, []

        async def has(*args: Any) -> Any:
            found = await counted(*args)
            seen.append(1)
            if len(seen) == 2:
                met.set()
            await asyncio.wait_for(met.wait(), 2)
            return found

        monkeypatch.setattr(grants, "_has", has)
        both = await asyncio.gather(*(told_of(acme, ten.id, shelf.shopper("ann")) for _ in range(2)), return_exceptions=True)
        assert sorted(type(each).__name__ for each in both) == ["UniqueViolationError", "str"]

    async def test_days_after_it_was_claimed(self, acme: Store) -> None:
        ten = await coupon(acme, valid_days=7)
        piece = await claim(acme, ten.id, Shelf(acme).shopper("ann"))
        assert piece.valid_until is not None
        assert piece.valid_until - piece.valid_from == dt.timedelta(days=7)
        assert await sweep(acme, ten.id) == 0
        await sql(acme, "UPDATE coupon_grant SET valid_until = now() WHERE tenant_id = $1")
        await sql(acme, "UPDATE coupon SET next_try_at = now() WHERE tenant_id = $1")
        assert await sweep(acme, ten.id) == 1
        assert await rows(acme, "SELECT next_try_at FROM coupon WHERE tenant_id = $1") == [(None,)]

    async def test_ended_in_parts(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(grants, "CHUNK", 2)
        ten, shelf = await coupon(acme), Shelf(acme)
        for n in range(3):
            await claim(acme, ten.id, shelf.shopper(f"{n}"))
        await act(acme, ten.id, "end")
        assert await sweep(acme, ten.id) == 2
        await sql(acme, "UPDATE coupon SET next_try_at = now() WHERE tenant_id = $1")
        assert await sweep(acme, ten.id) == 1
        assert await states(acme, "coupon_grant") == ["void"] * 3
