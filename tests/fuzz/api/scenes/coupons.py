"""Coupons, the pieces that shoppers have of them, and what ends either."""

from uuid import uuid4

from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes.scene import ALWAYS, Given, Scene, always

ANY = {"If-Match": "*"}
PLAIN = {
    "kind": "fixed", "off_minor": 1, "off_bp": 0, "cap_minor": None, "scope": "all", "sku_ids": [], "product_ids": [], "category_ids": [],
    "channels": [], "claim": "public", "code": None, "claim_from": None, "claim_until": None, "valid_from": None, "valid_until": None,
    "valid_days": None, "per_shopper_max": 100, "claims_max": None, "uses_max": None, "budget_minor": None,
}  # fmt: skip


def coupons(place: Place) -> dict[str, Scene]:
    ask, shopper = place.ask, place.ids["shopper_id"][0]

    def coupon(*acts: str, **terms: object) -> str:
        made = str(ask("POST", "/v1/coupons", {"name": uuid4().hex, **PLAIN, **terms})["id"])
        for act in acts:
            ask("POST", f"/v1/coupons/{made}/{act}")
        return made

    def piece(_: str) -> Given:
        made = coupon("start")
        ask("POST", f"/v1/coupons/{made}/grants", {"shopper_ids": [shopper]})
        return Given({"grant_id": ask("GET", f"/v1/coupons/{made}/grants")["grants"][0]["id"]})

    def fresh(*acts: str) -> Scene:
        return Scene(lambda _: Given({"coupon_id": coupon(*acts)}), ALWAYS)

    coupon("start", claim="code", code="FUZZ")
    place.ids |= {"coupon_id": [coupon("start")], "grant_id": [str(piece("").values["grant_id"])]}
    return {
        "createCoupon": Scene(lambda _: Given({"name": uuid4().hex, **PLAIN}), ALWAYS),
        "changeCoupon": Scene(lambda _: Given({"coupon_id": coupon(), "name": uuid4().hex, **PLAIN, **ANY}), ALWAYS),
        "startCoupon": fresh(),
        "pauseCoupon": fresh("start"),
        "resumeCoupon": fresh("start", "pause"),
        "endCoupon": fresh("start"),
        "issueCoupon": Scene(lambda _: Given({"coupon_id": coupon("start"), "shopper_ids": [shopper]}), ALWAYS),
        "voidCouponGrant": Scene(piece, ALWAYS),
        "claimCoupon": fresh("start"),
        "claimCouponByCode": Scene(always(code="FUZZ")),
    }
