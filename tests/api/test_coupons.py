"""Coupons over HTTP: who may, what is refused, what shoppers claim and are told, and what it does to their orders."""

from typing import Any

import httpx
import pytest

from api.limits import POLICIES
from checkout_core.ids import decode
from tests.api.test_carts import line, order, shelved
from tests.paying import pay
from tests.shop import Store

PATH = "/v1/coupons"
ANY = {"If-Match": "*"}
TEN = {"name": "Ten off", "kind": "fixed", "off_minor": 1000}


async def made(store: Store, *, start: bool = True, **terms: Any) -> str:
    coupon = (await store.ask("POST", PATH, store.merchant, TEN | terms))["id"]
    if start:
        await store.ask("POST", f"{PATH}/{coupon}/start", store.merchant)
    return str(coupon)


async def claimed(store: Store, who: dict[str, str], coupon: str) -> str:
    return str((await store.ask("POST", f"/v1/coupon-claims/open/{coupon}", who))["id"])


async def shopper_of(store: Store, who: dict[str, str], coupon: str) -> str:
    grants = (await store.ask("GET", f"{PATH}/{coupon}/grants", store.merchant))["grants"]
    return str(grants[0]["shopper_id"])


class TestStaff:
    async def test_anonymous_and_without_the_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get(PATH, headers=acme.at)).status_code == 401
        assert (await client.get(PATH, headers=await acme.guest())).status_code == 401
        reader = await acme.key_with("coupons:read")
        assert (await client.get(PATH, headers=reader)).status_code == 200
        refused = await client.post(PATH, json=TEN, headers=reader)
        assert (refused.status_code, refused.json()["permission"]) == (403, "coupons:write")

    async def test_another_merchants_are_not_there(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        coupon, who = await made(acme), await acme.guest()
        grant = await claimed(acme, who, coupon)
        sku, theirs = (await shelved(globex))[0], await globex.guest()
        assert (await acme.ask("GET", PATH, globex.merchant))["coupons"] == []
        for method, path, body in (
            ("GET", f"{PATH}/{coupon}", None), ("PATCH", f"{PATH}/{coupon}", {"name": "x"}), ("POST", f"{PATH}/{coupon}/pause", {}),
            ("POST", f"{PATH}/{coupon}/grants", {"shopper_ids": ["shp_" + "0" * 32]}), ("GET", f"{PATH}/{coupon}/grants", None),
            ("GET", f"{PATH}/{coupon}/figures", None), ("POST", f"/v1/coupon-grants/{grant}/void", {}),
        ):  # fmt: skip
            assert (await client.request(method, path, json=body, headers=globex.merchant | ANY)).status_code == 404, (method, path)
        assert (await client.post(f"/v1/coupon-claims/open/{coupon}", json={}, headers=theirs)).status_code == 404
        assert (await order(globex, theirs, line(sku), coupons=[grant])).json()["code"] == "coupon_unusable"

    async def test_made_shown_changed_and_ended(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku()
        new = TEN | {
            "kind": "percent", "off_minor": 0, "off_bp": 1500, "cap_minor": 3000, "threshold_minor": 5000, "scope": "only",
            "sku_ids": [sku], "channels": ["web"], "claims_max": 10,
            "budget_minor": 9999, "valid_days": 7, "stack_group": "shop", "exclusive": True,
            "returned_on_refund": False, "per_shopper_max": 2, "claim_until": "2030-01-01T00:00:00Z",
        }  # fmt: skip
        coupon = await acme.ask("POST", PATH, acme.merchant, new)
        assert {name: coupon[name] for name in new} == new
        assert (coupon["state"], coupon["currency"], coupon["claimed"], coupon["spent_minor"]) == ("draft", "CNY", 0, 0)
        path = f"{PATH}/{coupon['id']}"
        read = await client.get(path, headers=acme.merchant)
        assert read.json() == coupon
        changed = await client.patch(
            path, json={"off_bp": 2000, "cap_minor": None}, headers=acme.merchant | {"If-Match": read.headers["etag"]}
        )
        assert (changed.json()["off_bp"], changed.json()["cap_minor"]) == (2000, None)
        late = await client.patch(path, json={"name": "x"}, headers=acme.merchant | {"If-Match": read.headers["etag"]})
        assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
        assert (await client.patch(path, json={"name": "x"}, headers=acme.merchant)).status_code == 428
        for act, state in (
            ("start", "active"),
            ("start", "active"),
            ("pause", "paused"),
            ("resume", "active"),
            ("end", "ended"),
            ("end", "ended"),
        ):
            assert (await acme.ask("POST", f"{path}/{act}", acme.merchant))["state"] == state
        again = await client.post(f"{path}/start", json={}, headers=acme.merchant)
        assert (again.status_code, again.json()["code"]) == (409, "coupon_not_so")
        over = await client.patch(path, json={"name": "y"}, headers=acme.merchant | ANY)
        assert (over.status_code, over.json()["code"]) == (409, "coupon_over")
        assert [each["id"] for each in (await acme.ask("GET", f"{PATH}?state=ended", acme.merchant))["coupons"]] == [coupon["id"]]
        assert (await acme.ask("GET", f"{PATH}?state=draft", acme.merchant))["coupons"] == []
        done = [f"coupon.{each}" for each in ("created", "changed", "started", "paused", "resumed", "ended")]
        assert [each for each in await acme.audited() if each.startswith("coupon.")] == done

    async def test_what_shoppers_have_claimed_keeps_its_worth(self, client: httpx.AsyncClient, acme: Store) -> None:
        coupon = await made(acme, claims_max=5)
        for _ in range(2):
            await claimed(acme, await acme.guest(), coupon)
        for change, code in (
            ({"off_minor": 1}, "coupon_fixed"),
            ({"exclusive": True}, "coupon_fixed"),
            ({"claims_max": 1}, "below_what_is_gone"),
        ):
            refused = await client.patch(f"{PATH}/{coupon}", json=change, headers=acme.merchant | ANY)
            assert (refused.status_code, refused.json()["code"]) == (409, code)
        changed = await client.patch(f"{PATH}/{coupon}", json={"claims_max": 2, "name": "Nine"}, headers=acme.merchant | ANY)
        assert (changed.status_code, changed.json()["claims_max"]) == (200, 2)

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"off_minor": 0}, 422, "bad_coupon"),
            ({"off_bp": 5}, 422, "bad_coupon"),
            ({"cap_minor": 5}, 422, "bad_coupon"),
            ({"kind": "percent"}, 422, "bad_coupon"),
            ({"scope": "only"}, 422, "bad_coupon"),
            ({"sku_ids": ["sku_" + "0" * 32]}, 422, "bad_coupon"),
            ({"claim": "code"}, 422, "bad_coupon"),
            ({"code": "SPRING"}, 422, "bad_coupon"),
            ({"valid_days": 1, "valid_until": "2030-01-01T00:00:00Z"}, 422, "bad_coupon"),
            ({"scope": "only", "sku_ids": ["sku_" + "0" * 32]}, 404, "not_found"),
            ({"scope": "except", "category_ids": ["cat_" + "0" * 32]}, 404, "not_found"),
            ({"channels": ["nowhere"]}, 422, "unknown_channel"),
            ({"claim_from": "2030-01-02T00:00:00Z", "claim_until": "2030-01-01T00:00:00Z"}, 422, "bad_window"),
            ({"claim": "code", "code": "TAKEN"}, 409, "coupon_code_taken"),
            ({"off_bp": 10_000}, 400, "bad_request"),
            ({"name": " "}, 400, "bad_request"),
            ({"claim": "code", "code": "spring"}, 400, "bad_request"),
        ],
    )
    async def test_refused(self, client: httpx.AsyncClient, acme: Store, body: dict[str, Any], status: int, code: str) -> None:
        await made(acme, claim="code", code="TAKEN", start=False)
        refused = await client.post(PATH, json=TEN | body, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        plain = await made(acme, start=False)
        changed = await client.patch(f"{PATH}/{plain}", json=body, headers=acme.merchant | ANY)
        assert (changed.status_code, changed.json()["code"]) == (status, code)

    async def test_issued_to_some(self, client: httpx.AsyncClient, acme: Store) -> None:
        coupon, ann = await made(acme, claim="staff", claims_max=3), await acme.guest()
        shoppers = [f"shp_{n:032x}" for n in range(2)]
        path = f"{PATH}/{coupon}/grants"
        keyed = acme.merchant | {"Idempotency-Key": "once"}
        assert await acme.ask("POST", path, keyed, {"shopper_ids": [*shoppers, shoppers[0]]}) == {"issued": 2, "skipped": 1}
        assert await acme.ask("POST", path, keyed, {"shopper_ids": [*shoppers, shoppers[0]]}) == {"issued": 2, "skipped": 1}
        more = {"shopper_ids": [f"shp_{n:032x}" for n in range(2, 4)]}
        refused = await client.post(path, json=more, headers=acme.merchant)
        assert (refused.status_code, refused.json()["code"], refused.json()["left"]) == (409, "none_left", 1)
        found = await acme.ask("GET", f"{path}?limit=1", acme.merchant)
        assert (len(found["grants"]), found["grants"][0]["source"]) == (1, "staff")
        assert len((await acme.ask("GET", f"{path}?cursor={found['next_cursor']}", acme.merchant))["grants"]) == 1
        assert (await client.post(f"/v1/coupon-claims/open/{coupon}", json={}, headers=ann)).status_code == 404
        grant = found["grants"][0]["id"]
        for _ in range(2):
            assert (await acme.ask("POST", f"/v1/coupon-grants/{grant}/void", acme.merchant))["state"] == "void"


class TestShoppers:
    async def test_without_a_token(self, client: httpx.AsyncClient, acme: Store) -> None:
        for method, path, body in (
            ("GET", "/v1/coupon-claims", None), ("GET", "/v1/coupon-claims/open", None),
            ("POST", f"/v1/coupon-claims/open/{await made(acme)}", {}), ("POST", "/v1/coupon-claims/codes", {"code": "X"}),
        ):  # fmt: skip
            assert (await client.request(method, path, json=body, headers=acme.at)).status_code == 401

    async def test_the_claim_centre(self, client: httpx.AsyncClient, acme: Store) -> None:
        coupon, ann = await made(acme, claims_max=1), await acme.guest()
        await made(acme, claim="staff")
        await made(acme, start=False)
        await made(acme, claim_from="2099-01-01T00:00:00Z")
        await made(acme, channels=["live_room"])
        [shown] = (await acme.ask("GET", "/v1/coupon-claims/open", ann))["coupons"]
        assert (shown["id"], shown["terms"]["off_minor"], shown["has"], shown["claimable"]) == (coupon, 1000, 0, True)
        grant = await claimed(acme, ann, coupon)
        for who, code in ((ann, "none_left"), (await acme.guest(), "none_left")):
            refused = await client.post(f"/v1/coupon-claims/open/{coupon}", json={}, headers=who)
            assert (refused.status_code, refused.json()["code"]) == (409, code)
        [shown] = (await acme.ask("GET", "/v1/coupon-claims/open", ann))["coupons"]
        assert (shown["has"], shown["claimable"]) == (1, False)
        [own] = (await acme.ask("GET", "/v1/coupon-claims", ann))["coupons"]
        assert (own["grant"]["id"], own["grant"]["state"], own["terms"]["name"]) == (grant, "held", "Ten off")

    async def test_asked_again_with_its_key(self, client: httpx.AsyncClient, acme: Store) -> None:
        coupon, ann = await made(acme, per_shopper_max=3), await acme.guest()
        keys = ("one", "one", "two", "one")
        ids = [await claimed(acme, ann | {"Idempotency-Key": key}, coupon) for key in keys]
        assert (ids[0], len(set(ids))) == (ids[1], 2)
        assert ids[3] == ids[0]
        await acme.ask("POST", f"{PATH}/{coupon}/end", acme.merchant)
        assert await claimed(acme, ann | {"Idempotency-Key": "two"}, coupon) == ids[2]

    async def test_by_code_in_any_case(self, client: httpx.AsyncClient, acme: Store) -> None:
        coupon, ann = await made(acme, claim="code", code="SPRING-10"), await acme.guest()
        one, other = [await acme.ask("POST", "/v1/coupon-claims/codes", ann, {"code": code}) for code in (" spring-10", "SPRING-10")]
        assert (one["coupon_id"], one["id"]) == (coupon, other["id"]), "typed again it is the same"
        unknown = await client.post("/v1/coupon-claims/codes", json={"code": "SUMMER"}, headers=ann)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_code")
        await acme.ask("POST", f"{PATH}/{coupon}/end", acme.merchant)
        refused = await client.post("/v1/coupon-claims/codes", json={"code": "SPRING-10"}, headers=await acme.guest())
        assert (refused.status_code, refused.json()["code"]) == (409, "not_claimable")

    async def test_guessing_is_slowed(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(acme.process.limits, "_factor", 1)
        ann = await acme.guest()
        codes = [await client.post("/v1/coupon-claims/codes", json={"code": f"GUESS{n}"}, headers=ann) for n in range(11)]
        assert [each.status_code for each in codes] == [404] * POLICIES["coupon-codes"].quota + [429]


class TestOrders:
    async def test_from_quote_to_refund(self, acme: Store) -> None:
        sku, _ = await shelved(acme)
        coupon, far, ann = await made(acme), await made(acme, name="Far", threshold_minor=99_900), await acme.guest()
        grant, other = await claimed(acme, ann, coupon), await claimed(acme, ann, far)
        told = await acme.ask("POST", "/v1/quotes", ann, {"lines": [line(sku, 2)]})
        assert (told["amount_minor"], told["discount_minor"], told["lines"][0]["amount_minor"]) == (18_800, 1000, 19_800)
        assert [(each["id"], each["discount_minor"], each["why"], each["missing_minor"]) for each in told["coupons"]] == [
            (grant, 1000, None, 0), (other, 0, "threshold", 80_100),
        ]  # fmt: skip
        without = await acme.ask("POST", "/v1/quotes", ann, {"lines": [line(sku, 2)], "coupons": []})
        assert (without["amount_minor"], without["coupons"]) == (19_800, [])
        await acme.ask("PUT", "/v1/cart", ann, {"lines": [line(sku, 2)]})
        assert (await acme.ask("GET", "/v1/cart", ann))["discount_minor"] == 1000
        bought = (await order(acme, ann, line(sku, 2))).json()
        assert (bought["amount_minor"], bought["discount_minor"], bought["lines"][0]["discount_minor"]) == (18_800, 1000, 1000)
        assert [(each["id"], each["coupon_id"], each["name"], each["state"]) for each in bought["coupons"]] == [
            (grant, coupon, "Ten off", "locked")
        ]
        assert await pay(acme, bought["id"]) == "applied"
        figures = await acme.ask("GET", f"{PATH}/{coupon}/figures", acme.merchant)
        assert (figures["claimed"], figures["used"], figures["spent_minor"], figures["paid_minor"]) == (1, 1, 1000, 18_800)
        listed = (await acme.ask("GET", "/v1/orders", acme.merchant))["items"]
        assert [(each["discount_minor"], each["coupons"][0]["state"]) for each in listed] == [(1000, "used")]
        refund = await acme.ask("POST", f"/v1/orders/{bought['id']}/refund", acme.merchant)
        assert refund["refunded_minor"] == 18_800

    async def test_named(self, acme: Store) -> None:
        sku, _ = await shelved(acme)
        coupon, ann = await made(acme), await acme.guest()
        grant = await claimed(acme, ann, coupon)
        refused = (await order(acme, ann, line(sku), coupons=["cpg_" + "0" * 32])).json()
        assert (refused["code"], refused["coupon"], refused["why"]) == ("coupon_unusable", "cpg_" + "0" * 32, "not_held")
        assert (await order(acme, ann, line(sku), coupons=[grant])).json()["discount_minor"] == 1000
        assert (await order(acme, ann, line(sku), coupons=[])).json()["discount_minor"] == 0
        assert decode("cpg", grant)
