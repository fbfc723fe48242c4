"""Every JSON body of the API, field by field: the wrong type is refused, whatever the framework would have made of it.

The table is made from the routes: a new one without a sample fails. Who asks may do it, so that the body is all that is wrong.
"""

import json
from typing import Any

import httpx
import msgspec
import pytest

from api.guards import PersonOnly
from tests.platform import signed_in
from tests.security.routes import Route, routes
from tests.security.world import World, begun
from tests.shop import Store

ZEROS = "0" * 32
PRODUCT = {
    "name": "n", "description": "d", "category": "general", "category_id": f"cat_{ZEROS}", "reference": "r", "state": "draft",
    "publish_at": "2030-01-01T00:00:00Z", "unpublish_at": "2030-01-02T00:00:00Z", "options": [{"name": "n", "values": ["v"]}],
}  # fmt: skip
SKU = {
    "name": "n", "price_minor": 1, "code_pattern": "x", "reference": "r", "state": "draft", "choices": {"n": "v"}, "cost_minor": 1,
    "face_value": "f", "usage_note": "u",
}  # fmt: skip
LIST = {
    "name": "n", "group_id": f"grp_{ZEROS}", "channel": "web", "starts_at": "2030-01-01T00:00:00Z", "ends_at": "2030-01-02T00:00:00Z",
    "state": "on",
}  # fmt: skip
LINE = {"sku_id": f"sku_{ZEROS}", "quantity": 1, "picks": ["gala.stalls"]}
ORDER = {"lines": [LINE], "contact": "a@example.org", "lookup_password": "secret", "coupons": [f"cpg_{ZEROS}"]}
COUPON = {
    "name": "n", "kind": "fixed", "off_minor": 1, "off_bp": 0, "cap_minor": 1, "threshold_minor": 1, "scope": "only",
    "sku_ids": [f"sku_{ZEROS}"], "product_ids": [f"prd_{ZEROS}"], "category_ids": [f"cat_{ZEROS}"], "channels": ["web"], "claim": "code",
    "code": "SPRING", "claim_from": "2030-01-01T00:00:00Z", "claim_until": "2030-01-02T00:00:00Z", "valid_from": "2030-01-01T00:00:00Z",
    "valid_until": "2030-01-02T00:00:00Z", "valid_days": 1, "per_shopper_max": 1, "claims_max": 1, "uses_max": 1, "budget_minor": 1,
    "stack_group": "x", "exclusive": True, "returned_on_refund": True,
}  # fmt: skip
SAMPLES: dict[str, dict[str, Any]] = {
    "connectTestAccount": {},
    "signUp": {"store": "S", "slug": "some-slug", "mail": "a@example.org", "locale": "en"},
    "signIn": {"mail": "a@example.org", "password": "0123456789", "code": "000000", "tenant_id": f"ten_{ZEROS}"},
    "confirmSignUp": {"token": "t", "password": "0123456789"},
    "askPasswordReset": {"mail": "a@example.org", "locale": "en"},
    "resetPassword": {"token": "t", "password": "0123456789"},
    "changePassword": {"password": "0123456789", "new_password": "0123456789"},
    "changeMail": {"password": "0123456789", "mail": "a@example.org"},
    "confirmMail": {"token": "t"},
    "enrolTotp": {"password": "0123456789"},
    "confirmTotp": {"code": "000000"},
    "disableTotp": {"password": "0123456789", "code": "000000"},
    "createApiKey": {"name": "n", "scopes": ["orders:read"], "expires_at": "2100-01-01T00:00:00Z"},
    "rotateApiKey": {"overlap_s": 0},
    "createRole": {"name": "n", "permissions": ["orders:read"]},
    "changeRole": {"name": "n", "permissions": ["orders:read"]},
    "changeStaffRole": {"role": "support"},
    "invite": {"mail": "a@example.org", "role": "support", "locale": "en"},
    "resendInvitation": {},
    "acceptInvitation": {"token": "t", "password": "0123456789"},
    "changeStore": {
        "name": "n", "currency": "CNY", "zone": "UTC", "locale": "en", "locales": ["en"], "contact": "c", "primary_color": "#000000",
        "primary_color_dark": "#000000", "accent_color": "#000000", "accent_color_dark": "#ffffff", "banner": "b", "notice": "n",
        "footer": "f", "seo_title": "t", "seo_description": "d", "refund_policy": "r", "privacy_policy": "p", "terms": "t", "closed": True,
        "closed_notice": "n", "opens_at": "2030-01-01T00:00:00Z",
    },
    "addDomain": {"domain": "shop.example.com"}, "verifyDomain": {}, "moveStore": {"slug": "some-slug"},
    "setPrimaryHost": {"host": "shop.example.com"},
    "createProduct": PRODUCT, "changeProduct": PRODUCT,
    "createSku": {"product_id": f"prd_{ZEROS}", "currency": "CNY", "type": "code", **SKU}, "changeSku": SKU,
    "editSkus": {"sku_ids": [f"sku_{ZEROS}"], "state": "draft", "price_minor": 1, "cost_minor": 1, "category_id": f"cat_{ZEROS}"},
    "changeSkus": {"rows": [{"sku_id": f"sku_{ZEROS}", "etag": "*", "limit_per_shopper": 1, **SKU}]},
    "createCategory": {"name": "n", "parent_id": f"cat_{ZEROS}", "position": 1},
    "changeCategory": {"name": "n", "parent_id": f"cat_{ZEROS}", "position": 1},
    "orderProductImages": {"image_ids": [f"pic_{ZEROS}"]},
    "approveProduct": {}, "refuseProduct": {"reasons": ["r"]}, "setProductReviewRule": {"mode": "before"},
    "giveInput": {"values": {"account": "x"}},
    "completeFulfilment": {"contents": []}, "failFulfilment": {"problem": "p"},
    "makeUnits": {
        "quantity": 1, "note": "n", "cost_minor": 1, "picks": [{"pick": "gala.stalls"}],
        "span": {"first": "2026-12-24", "last": "2026-12-25"},
    },
    "changePicks": {"picks": [{"pick": "gala.stalls", "is_on": True}]},
    "checkInTicket": {"code": "x", "session": "gala"}, "undoCheckInTicket": {"code": "x", "reason": "r"},
    "statusTicket": {"code": "x", "session": "gala"},
    "transferTicket": {"order_id": f"ord_{ZEROS}", "sale_id": f"sal_{ZEROS}", "values": {"holder": "Ann"}},
    "checkInBooking": {"code": "x"}, "checkOutBooking": {"code": "x"},
    "nightsBooking": {"sku_id": f"sku_{ZEROS}", "check_in": "2026-12-24", "check_out": "2026-12-26"},
    "createSale": {
        "sku_id": f"sku_{ZEROS}", "name": "n", "units": 1, "limit_per_shopper": 1, "price_minor": 1, "hold_s": 900,
        "starts_at": "2030-01-01T00:00:00Z", "ends_at": "2030-01-02T00:00:00Z", "door": "direct",
    },
    "changeSaleStock": {"add": 1},
    "putOnShelf": {"units": 1, "limit_per_shopper": 1, "hold_s": 900, "takes_new_stock": True},
    "createOrder": ORDER, "createQuote": ORDER, "putCart": {"lines": [LINE]},
    "createCoupon": COUPON, "changeCoupon": COUPON, "issueCoupon": {"shopper_ids": [f"shp_{ZEROS}"]}, "claimCouponByCode": {"code": "x"},
    "startCoupon": {}, "pauseCoupon": {}, "resumeCoupon": {}, "endCoupon": {}, "voidCouponGrant": {}, "claimCoupon": {},
    "joinWaitingRoom": {},
    "lockUnits": {"units": [1], "reason": "r"}, "unlockUnits": {"units": [1], "reason": "r"}, "voidUnits": {"units": [1], "reason": "r"},
    "replaceUnit": {"reason": "r"}, "recallBatch": {"fate": "locked", "reason": "r"}, "restoreBatch": {"reason": "r"},
    "setBatch": {"priority": 1, "valid_from": "2030-01-01T00:00:00Z", "valid_until": "2031-01-01T00:00:00Z"},
    "setIssueTerms": {"issue_order": "fifo", "sell_until_days": 1},
    "setSaleLimit": {"limit_per_shopper": 1},
    "pauseSale": {}, "resumeSale": {}, "endSale": {}, "createShopperToken": {"channel": "douyin"},
    "putTranslation": {"name": "n", "description": "d"}, "enterSandbox": {},
    "putChannel": {"name": "n", "is_enabled": True}, "setSaleChannels": {"channels": ["web"]}, "setProductChannels": {"channels": ["web"]},
    "createCheckout": {"sale_id": f"sal_{ZEROS}", "quantity": 1, "contact": "a@example.org", "lookup_password": "secret"},
    "startPayment": {"provider": "sandbox"},
    "createQualification": {"kind": "company", "legal_name": "n", "registration_number": "1"},
    "correctQualification": {"legal_name": "n", "registration_number": "1"},
    "submitQualification": {}, "withdrawQualification": {}, "takeQualification": {},
    "approveQualification": {"valid_until": "2099-01-01T00:00:00Z"},
    "rejectQualification": {"reasons": ["r"]}, "askMoreOfQualification": {"reasons": ["r"]}, "revokeQualification": {"reasons": ["r"]},
    "suspendMerchant": {"reason": "r"}, "liftSuspension": {"reason": "r"}, "reserveSlug": {"slug": "some-slug", "reason": "r"},
    "enrolPlatformStaff": {"enrolment": "pe_x", "password": "0123456789"},
    "signInPlatformStaff": {"mail": "a@example.org", "password": "0123456789", "totp": "000000"},
    "addPlatformStaff": {"mail": "a@example.org", "role": "support"},
    "putRetention": {"contact_days": 60, "reply_days": 7, "event_days": 7, "notice_days": 60, "cart_days": 7},
    "startOffBoarding": {"password": "x"},
    "searchShoppers": {"contact": "a@example.org"},
    "exportShopper": {}, "eraseShopper": {}, "exportStore": {},
    "cancelOrder": {"reason": "other"},
    "refundOrder": {"units": [1]}, "resendOrder": {"mail": "a@example.org"}, "addOrderNote": {"words": "w"},
    "createOrderTag": {"name": "n"}, "renameOrderTag": {"name": "n"}, "putOrderTags": {"tag_ids": [f"tag_{ZEROS}"]},
    "createPriceList": LIST, "changePriceList": LIST,
    "putPrices": {"entries": [{"sku_id": f"sku_{ZEROS}", "least_quantity": 1, "unit_minor": 1}]},
    "createBuyerGroup": {"name": "n", "kind": "level"}, "changeBuyerGroup": {"name": "n", "kind": "level"},
    "putPointsProgram": {
        "enabled": True, "earn_points": 1, "earn_minor": 100, "hold_days": 1, "expiry": "days", "expiry_count": 1, "sign_in_points": 1,
        "growth_points": 1, "growth_minor": 100, "period_days": 1, "grace_days": 1, "levels": [{"name": "n", "growth": 1}],
    },
    "adjustPoints": {"amount": 1, "reason": "r"},
    "actOnOrders": {"act": "tag", "order_ids": [f"ord_{ZEROS}"], "tag_id": f"tag_{ZEROS}", "reason": None},
    "exportOrders": {
        "format": "csv", "q": "x", "state": "paid", "channel": "web", "sale_id": f"sal_{ZEROS}", "tag_id": f"tag_{ZEROS}",
        "shopper_id": None, "since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z",
    },
    "remindOfOrders": {"contact": "a@example.org", "locale": "en"},
    "lookUpOrder": {"order_id": f"ord_{ZEROS}", "contact": "a@example.org"},
    "connectProviderAccount": {
        "provider": "sandbox", "mch_id": "m", "serial_no": "s", "private_key_pem": "x" * 64, "api_v3_key": "k",
        "provider_serial": "s", "provider_public_key_pem": "x" * 64,
    },
    "rotateProviderAccount": {
        "mch_id": "m", "serial_no": "s", "private_key_pem": "x" * 64, "api_v3_key": "k",
        "provider_serial": "s", "provider_public_key_pem": "x" * 64,
    },
    "switchProviderAccount": {"active": True},
    "resolveException": {"reason": "r"}, "retryException": {}, "withdrawResolution": {},
    "prolongEntitlement": {"days": 1, "reason": "r"}, "revokeEntitlement": {"reason": "r"},
    "activateLicence": {"key": "k", "device": "d"}, "validateLicence": {"key": "k", "device": "d", "sku_id": f"sku_{ZEROS}"},
    "deactivateLicence": {"key": "k", "device": "d"}, "activationsLicence": {"key": "k"}, "inspectLicence": {"order_id": f"ord_{ZEROS}"},
    "suspendLicence": {"unit": 1}, "reinstateLicence": {"unit": 1}, "freeLicence": {"unit": 1, "device": "d"},
    "statusMembership": {"sku_id": f"sku_{ZEROS}"}, "historyReusable": {"sku_id": f"sku_{ZEROS}"},
    "checkMembership": {"shopper_id": f"shp_{ZEROS}", "contact": "a@example.org", "sku_id": f"sku_{ZEROS}"},
    "changeReusable": {"sku_id": f"sku_{ZEROS}", "code": "K1-0000", "secret": "s", "valid_until": "2030", "note": "n"},
    "claimTopup": {"fulfilment_id": f"ful_{ZEROS}"}, "sendBackTopup": {"fulfilment_id": f"ful_{ZEROS}", "reason": "r"},
    "correctTopup": {"order_id": f"ord_{ZEROS}", "sale_id": f"sal_{ZEROS}", "values": {"account": "x"}},
    "statusTopup": {"order_id": f"ord_{ZEROS}"},
    "createWebhookEndpoint": {"url": "https://example.com/x", "event_types": ["*"], "description": "d"},
    "changeWebhookEndpoint": {"url": "https://example.com/x", "event_types": ["*"], "description": "d", "enabled": True},
    "redeliverFailedWebhooks": {"since": "2026-01-01T00:00:00Z"},
    "findCode": {"code": "c"}, "revealUnit": {}, "rotateKeys": {"purposes": ["seal"]}, "watchStock": {"low_stock_at": 1},
    "requestExport": {"reason": "r", "sku_id": f"sku_{ZEROS}", "units": 1}, "approveExport": {}, "refuseExport": {}, "downloadExport": {},
    "rotateWebhookSecret": {}, "testWebhookEndpoint": {}, "redeliverWebhook": {}, "cancelWebhookDelivery": {},
}  # fmt: skip
# The JSON types that a type of ours is written in.
WRITTEN_AS = {
    msgspec.inspect.IntType: int, msgspec.inspect.StrType: str, msgspec.inspect.DateTimeType: str, msgspec.inspect.LiteralType: str,
    msgspec.inspect.ListType: list, msgspec.inspect.DictType: dict, msgspec.inspect.NoneType: type(None), msgspec.inspect.BoolType: bool,
    msgspec.inspect.StructType: dict,
}  # fmt: skip
VALUES = ["1", 1, 1.0, 1.5, True, None, [], {}, [1], {"a": 1}]
# Documents that are no body at all. The deep one would exhaust a recursive parser.
BROKEN = {
    "array": b"[]", "string": b'"x"', "number": b"1", "null": b"null", "nan": b"NaN", "infinity": b'{"a": Infinity}', "cut": b'{"a": 1',
    "two": b"{}{}", "not utf-8": b'{"a": "\xff"}', "utf-16": "{}".encode("utf-16"), "byte order mark": b"\xef\xbb\xbf{}",
    "comment": b"{} //", "deep": b"[" * 20_000, "deep object": b'{"a":' * 10_000, "text": b"hello", "form": b"a=1",
}  # fmt: skip
OTHER_TYPES = ["", "text/plain", "text/json", "application/jsonp", "application/x-www-form-urlencoded", "multipart/form-data"]
JSON = {"Content-Type": "application/json"}

WITH_BODY = [route for route in routes() if route.path.startswith("/v1") and "data" in route.handler.parsed_fn_signature.parameters]


def body_type(route: Route) -> Any:
    assert route.handler.parsed_data_field is not None
    return route.handler.parsed_data_field.annotation


def sample(route: Route) -> dict[str, Any]:
    return SAMPLES[str(route.handler.operation_id)]


def wrongs(route: Route) -> list[tuple[str, Any]]:
    """(field, value) of every type that the field is not written in."""
    info = msgspec.inspect.type_info(body_type(route))
    assert isinstance(info, msgspec.inspect.StructType)
    table = []
    for field in info.fields:
        types = field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
        allowed = {WRITTEN_AS[type(each.type if isinstance(each, msgspec.inspect.Metadata) else each)] for each in types}
        table += [(field.encode_name, value) for value in VALUES if type(value) not in allowed]
        if int in allowed:
            table += [(field.encode_name, "1"), (field.encode_name, 10**40)]
    return table


async def headers_for(route: Route, acme: Store) -> dict[str, str]:
    security = [name for guard in route.guards for name in guard.security]
    if any(isinstance(guard, PersonOnly) for guard in route.guards):
        return (await begun(acme, "test"))[0]
    if "platform" in security:
        return await signed_in(acme.process) | {"Idempotency-Key": "k"}
    who = acme.merchant if "merchant" in security else await acme.guest() if "shopper" in security else acme.at
    return who | {"Idempotency-Key": "k", "If-Match": "*"}


def url(route: Route) -> str:
    ids = {name: f"{'ten' if name == 'merchant_id' else name[:3]}_{ZEROS}" for name in route.names}
    return route.path.format(**ids | {"unit_id": "1"})


@pytest.fixture
def acme(settled: tuple[World, World]) -> Store:
    """One for all tests of this file: what is refused changes nothing."""
    return settled[0].store


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.name)
class TestBody:
    def test_has_a_sample_that_is_well_formed(self, route: Route) -> None:
        assert msgspec.json.decode(json.dumps(sample(route)), type=body_type(route)) is not None

    def test_refuses_unknown_fields_by_its_type(self, route: Route) -> None:
        assert body_type(route).__struct_config__.forbid_unknown_fields

    async def test_takes_no_type_for_another(self, client: httpx.AsyncClient, acme: Store, route: Route) -> None:
        headers = await headers_for(route, acme)
        for field, value in wrongs(route):
            response = await client.request(route.method, url(route), json=sample(route) | {field: value}, headers=headers)
            assert (response.status_code, response.json()["code"]) == (400, "bad_request"), (field, value, response.text)
            assert response.headers["content-type"] == "application/problem+json"

    async def test_takes_no_unknown_field(self, client: httpx.AsyncClient, acme: Store, route: Route) -> None:
        body = sample(route) | {"surprise": 1}
        response = await client.request(route.method, url(route), json=body, headers=await headers_for(route, acme))
        assert (response.status_code, response.json()["code"]) == (400, "bad_request")

    async def test_takes_no_broken_document(self, client: httpx.AsyncClient, acme: Store, route: Route) -> None:
        headers = await headers_for(route, acme) | JSON
        for name, content in BROKEN.items():
            response = await client.request(route.method, url(route), content=content, headers=headers)
            # A deep document that is too large for the route is refused for that.
            assert response.status_code in ((400, 413) if name.startswith("deep") else (400,)), (name, response.text)

    async def test_takes_no_empty_body_where_one_is_needed(self, client: httpx.AsyncClient, acme: Store, route: Route) -> None:
        response = await client.request(route.method, url(route), content=b"", headers=await headers_for(route, acme) | JSON)
        needed = not route.handler.parsed_fn_signature.parameters["data"].has_default
        assert (response.status_code == 400) == needed, response.text

    async def test_takes_no_other_content_type(self, client: httpx.AsyncClient, acme: Store, route: Route) -> None:
        headers = await headers_for(route, acme)
        content = json.dumps(sample(route)).encode()
        for other in [{"Content-Type": type_} for type_ in OTHER_TYPES] + [JSON | {"Content-Encoding": "gzip"}]:
            response = await client.request(route.method, url(route), content=content, headers=headers | other)
            assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type"), other

    async def test_takes_no_huge_body(self, client: httpx.AsyncClient, acme: Store, route: Route) -> None:
        limit = route.handler.resolve_request_max_body_size()
        assert isinstance(limit, int)
        content = b'{"a":"' + b"x" * limit + b'"}'
        response = await client.request(route.method, url(route), content=content, headers=await headers_for(route, acme) | JSON)
        assert (response.status_code, response.json()["code"]) == (413, "too_large")


async def test_text_with_a_nul_is_refused_not_stored(client: httpx.AsyncClient, acme: Store) -> None:
    response = await client.post("/v1/products", content=b'{"name": "a\\u0000b"}', headers=acme.merchant | JSON)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


async def test_half_a_surrogate_pair_is_refused(client: httpx.AsyncClient, acme: Store) -> None:
    response = await client.post("/v1/products", content=b'{"name": "\\ud800"}', headers=acme.merchant | JSON)
    assert response.status_code == 400


async def test_a_charset_beside_the_content_type_is_fine(client: httpx.AsyncClient, acme: Store) -> None:
    headers = acme.merchant | {"Content-Type": "application/json; charset=utf-8"}
    assert (await client.post("/v1/products", content=b'{"name": "x"}', headers=headers)).status_code == 201
