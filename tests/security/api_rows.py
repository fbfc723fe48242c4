"""The rows of the isolation matrix: of each route of the API what is addressed, and what the rightful one is answered."""

import itertools
from typing import Any
from uuid import uuid4

from tests.documents import PDF
from tests.pictures import picture
from tests.security.row import Row, body
from tests.security.world import provider_account
from tests.shop import PASSWORD

TEXT = {"Content-Type": "text/plain"}
A_PICTURE = picture()


PDF_FILE = {"content": lambda _: {"content": PDF}, "headers": {"Content-Type": "application/pdf"}}
REASON, REASONS = body(reason="x"), body(reasons=["x"])
PARTICULARS = body(legal_name="x", registration_number="1")
REVIEWED = "/v1/platform/merchants/{merchant_id}/qualifications/{qualification_id}"
LOOKED_AT = "/v1/platform/merchants/{merchant_id}/product-reviews/{review_id}"

# What paths name besides ids of the world.
NOBODYS = "0" * 32
NAMES = {
    "provider": "sandbox", "kind": "logo", "code": "tmall", "locale": "en", "slug": "nobodys", "unit_id": str(2**63 - 1),
    "staff_id": f"pst_{NOBODYS}", "qualification_id": f"qua_{NOBODYS}", "document_id": f"doc_{NOBODYS}",
}  # fmt: skip
A_KIND = itertools.cycle(("individual", "sole_trader", "company", "game_topup"))  # of each, a merchant has one under way

CATALOG = {
    "content": lambda _: {"content": b"reference,product_reference,product_name,price\nR1,P1,x,1.00\n"},
    "headers": {"Content-Type": "text/csv"},
}
PRICES = {"content": lambda _: {"content": b"list,reference,price\nnobodys,R1,1.00\n"}, "headers": {"Content-Type": "text/csv"}}
FILE = {"content": lambda _: {"content": b"AAAA-0001\n"}, "headers": TEXT}


def cart(ids: dict[str, str]) -> dict[str, Any]:
    return {"json": {"lines": [{"sku_id": ids["sku_id"], "quantity": 1}]}}


def coupon(ids: dict[str, str]) -> dict[str, Any]:
    return {"json": {"name": "x", "kind": "fixed", "off_minor": 1, "scope": "only", "sku_ids": [ids["sku_id"]]}}


def rows(ids: dict[str, str]) -> dict[str, Any]:
    return {"json": {"rows": [{"sku_id": ids["sku_id"], "etag": "*", "price_minor": 5}]}}


def units(ids: dict[str, str]) -> dict[str, Any]:
    return {"json": {"units": [int(ids["unit_id"])], "reason": "x"}}


def points(ids: dict[str, str]) -> dict[str, Any]:
    return {"json": {"enabled": True, "sign_in_points": 5, "levels": [{"name": "x", "growth": 1, "group_id": ids["group_id"]}]}}


API = {
    "GET /healthz": Row(),
    "GET /readyz": Row(),
    "GET /openapi.json": Row(),
    "POST /v1/merchants": Row(ok=400, content=body(slug="-")),
    "POST /v1/merchants/confirm": Row(ok=404, content=body(token="nobody's", password="correct horse")),
    "POST /v1/password-resets": Row(ok=202, content=body(mail="nobody@example.org")),
    "POST /v1/password-resets/confirm": Row(ok=404, content=body(token="nobody's", password="correct horse")),
    "POST /v1/sessions": Row(ok=401, content=lambda _: {"json": {"mail": f"{uuid4().hex}@example.org", "password": "no password"}}),
    "DELETE /v1/sessions/current": Row(ok=(204, 400)),  # 400: an API key is no session; see tests/api/test_sessions.py
    "GET /v1/sessions": Row(),
    "DELETE /v1/sessions": Row(ok=204),
    "DELETE /v1/sessions/{session_id}": Row(ok=204),
    "GET /v1/profile": Row(),
    "POST /v1/profile/password": Row(ok=204, content=body(password=PASSWORD, new_password=PASSWORD)),
    "POST /v1/profile/mail": Row(ok=202, content=body(password=PASSWORD, mail="nobody@example.org")),
    "POST /v1/profile/mail/confirm": Row(ok=404, content=body(token="nobody's")),
    "POST /v1/profile/totp": Row(ok=201, content=body(password=PASSWORD)),
    "POST /v1/profile/totp/confirm": Row(ok=409, content=body(code="000000")),
    "POST /v1/profile/totp/disable": Row(ok=422, content=body(password=PASSWORD, code="000000")),
    "GET /v1/api-keys": Row(),
    "POST /v1/api-keys": Row(ok=201, content=body(name="x", scopes=["orders:read"])),
    "DELETE /v1/api-keys/{key_id}": Row(ok=204),
    "POST /v1/api-keys/{key_id}/rotate": Row(content=body(overlap_s=60)),
    "GET /v1/roles": Row(),
    "POST /v1/roles": Row(ok=201, content=lambda _: {"json": {"name": uuid4().hex, "permissions": ["orders:read"]}}),
    "PUT /v1/roles/{role_id}": Row(content=body(name="x", permissions=["orders:read"])),
    "DELETE /v1/roles/{role_id}": Row(ok=204),
    "GET /v1/staff": Row(),
    "PATCH /v1/staff/{user_id}": Row(ok=204, content=body(role="{role_id}"), names_ids=True),
    "DELETE /v1/staff/{user_id}": Row(ok=204),
    "GET /v1/invitations": Row(),
    "POST /v1/invitations": Row(
        ok=201, content=lambda ids: {"json": {"mail": f"{uuid4().hex}@example.org", "role": ids["role_id"]}}, names_ids=True
    ),
    "POST /v1/invitations/{invitation_id}/resend": Row(ok=429),  # it was sent a moment ago
    "DELETE /v1/invitations/{invitation_id}": Row(ok=204),
    "POST /v1/invitations/accept": Row(ok=404, content=body(token="nobody's", password="no password")),
    "GET /v1/store": Row(),
    "PATCH /v1/store": Row(content=body(notice="x"), headers={"If-Match": "*"}),
    "PUT /v1/store/images/{kind}": Row(content=lambda _: {"content": A_PICTURE}, headers={"Content-Type": "image/png"}),
    "DELETE /v1/store/images/{kind}": Row(ok=204),
    "GET /v1/store/address": Row(),
    "PUT /v1/store/address": Row(content=lambda _: {"json": {"slug": f"m-{uuid4().hex[:12]}"}}),
    "PUT /v1/store/address/primary": Row(ok=404, content=body(host="elsewhere.example.com")),
    "GET /v1/domains": Row(),
    "POST /v1/domains": Row(ok=201, content=lambda _: {"json": {"domain": f"{uuid4().hex}.example.com"}}),
    "GET /v1/domains/{domain_id}": Row(),
    "POST /v1/domains/{domain_id}/verify": Row(ok=202),
    "DELETE /v1/domains/{domain_id}": Row(ok=204),
    "GET /v1/channels": Row(),
    "PUT /v1/channels/{code}": Row(content=body(name="x")),
    "GET /v1/sales/{sale_id}/channels": Row(),
    "PUT /v1/sales/{sale_id}/channels": Row(content=body(channels=None)),
    "GET /v1/products/{product_id}/channels": Row(),
    "PUT /v1/products/{product_id}/channels": Row(content=body(channels=None)),
    "POST /v1/sandbox": Row(ok=201),
    "GET /v1/translations/{subject_id}": Row(),
    "PUT /v1/translations/{subject_id}/{locale}": Row(content=body(name="x")),
    "DELETE /v1/translations/{subject_id}/{locale}": Row(ok=204),
    "GET /v1/tls/may-issue": Row(query="?domain=localhost"),
    "GET /v1/categories": Row(),
    "POST /v1/categories": Row(ok=201, content=body(name="x", parent_id="{category_id}"), names_ids=True),
    "GET /v1/categories/{category_id}": Row(),
    "PATCH /v1/categories/{category_id}": Row(content=body(position=2), headers={"If-Match": "*"}),
    "DELETE /v1/categories/{category_id}": Row(ok=204),
    "GET /v1/products": Row(query="?category_id={category_id}", names_ids=True),
    "POST /v1/products": Row(ok=201, content=body(name="x", category_id="{category_id}"), names_ids=True),
    "GET /v1/products/{product_id}": Row(),
    "PATCH /v1/products/{product_id}": Row(content=body(name="x"), headers={"If-Match": "*"}),
    "GET /v1/products/{product_id}/reviews": Row(),
    "POST /v1/products/{product_id}/images": Row(ok=201, content=lambda _: {"content": A_PICTURE}, headers={"Content-Type": "image/png"}),
    "PUT /v1/products/{product_id}/images/order": Row(content=lambda ids: {"json": {"image_ids": [ids["image_id"]]}}, names_ids=True),
    "DELETE /v1/products/{product_id}/images/{image_id}": Row(ok=204),
    "POST /v1/skus/edits": Row(content=lambda ids: {"json": {"sku_ids": [ids["sku_id"]], "price_minor": 5}}, names_ids=True),
    "POST /v1/skus/changes": Row(content=rows, names_ids=True),
    "PATCH /v1/skus/{sku_id}": Row(content=body(name="x"), headers={"If-Match": "*"}),
    "POST /v1/catalog/previews": Row(**CATALOG),  # type: ignore[arg-type]
    "POST /v1/catalog/imports": Row(**CATALOG),  # type: ignore[arg-type]
    "POST /v1/skus": Row(ok=201, content=body(product_id="{product_id}", name="x", price_minor=1, currency="CNY"), names_ids=True),
    "GET /v1/skus": Row(),
    "GET /v1/skus/{sku_id}": Row(),
    "POST /v1/skus/{sku_id}/units": Row(ok=409, content=body(quantity=1)),  # its codes come from files
    "GET /v1/types": Row(),
    "GET /v1/skus/{sku_id}/picks": Row(),
    "PATCH /v1/skus/{sku_id}/picks": Row(content=lambda _: {"json": {"picks": [{"pick": "gala.stalls", "is_on": True}]}}),
    "GET /v1/storefront/skus/{sku_id}/picks": Row(ok=404),  # nobody chooses among card codes; tried in tests/api/test_picks.py
    "GET /v1/orders/{order_id}/refundable": Row(private=True),
    # What is done with a code is tried with codes there are in tests/tenants/types.
    "POST /v1/types/ticket/check_in": Row(ok=404, content=body(code="nobody's")),
    "POST /v1/types/ticket/undo_check_in": Row(ok=404, content=body(code="nobody's", reason="x")),
    "POST /v1/types/ticket/status": Row(ok=404, content=body(code="nobody's")),
    "POST /v1/types/ticket/transfer": Row(ok=404, content=body(order_id="{order_id}", sale_id="{sale_id}", values={}), names_ids=True),
    "POST /v1/types/booking/check_in": Row(ok=404, content=body(code="nobody's")),
    "POST /v1/types/booking/check_out": Row(ok=404, content=body(code="nobody's")),
    "POST /v1/types/booking/nights": Row(ok=404, content=body(sku_id="{sku_id}", check_in="2026-12-24", check_out="2026-12-26")),
    "POST /v1/vault/lookups": Row(content=body(code="{known_code}"), names_ids=True),
    "POST /v1/vault/units/{unit_id}/reveal": Row(),
    "POST /v1/vault/exports": Row(ok=(201, 403), content=body(reason="x", sku_id="{sku_id}"), names_ids=True),
    "GET /v1/vault/exports": Row(),
    "GET /v1/vault/exports/{code_export_id}": Row(),
    "POST /v1/vault/exports/{code_export_id}/approve": Row(ok=(200, 409)),
    "POST /v1/vault/exports/{code_export_id}/refuse": Row(ok=(200, 409)),
    "POST /v1/vault/exports/{code_export_id}/download": Row(ok=409),  # nobody approved it
    "GET /v1/vault/stock-watches": Row(),
    "PUT /v1/vault/stock-watches/{sku_id}": Row(content=body(low_stock_at=1)),
    "DELETE /v1/vault/stock-watches/{sku_id}": Row(ok=204),
    "POST /v1/vault/rotations": Row(ok=(202, 409), content=body(purposes=["seal"])),
    "GET /v1/vault/rotations": Row(),
    "GET /v1/vault/rotations/{rotation_id}": Row(),
    "GET /v1/vault/imports": Row(),
    "POST /v1/vault/imports": Row(ok=201, query="?sku_id={sku_id}", names_ids=True, **FILE),  # type: ignore[arg-type]
    "POST /v1/vault/previews": Row(query="?sku_id={sku_id}", names_ids=True, **FILE),  # type: ignore[arg-type]
    "GET /v1/vault/imports/{import_id}": Row(),
    "POST /v1/vault/imports/{import_id}/resume": Row(ok=(200, 409, 422), **FILE),  # type: ignore[arg-type]
    "GET /v1/vault/units": Row(query="?sku_id={sku_id}", names_ids=True),
    "GET /v1/vault/units/{unit_id}": Row(),
    "POST /v1/vault/units/lock": Row(content=units, names_ids=True),
    "POST /v1/vault/units/unlock": Row(content=units, names_ids=True),
    "POST /v1/vault/units/void": Row(content=units, names_ids=True),
    "POST /v1/vault/units/{unit_id}/replacement": Row(ok=409, content=body(reason="x")),  # it was never delivered
    "GET /v1/vault/batches": Row(),
    "GET /v1/vault/batches/{batch_id}": Row(),
    "PUT /v1/vault/batches/{batch_id}": Row(content=body(priority=1)),
    "POST /v1/vault/batches/{batch_id}/recall": Row(content=body(fate="locked", reason="x")),
    "POST /v1/vault/batches/{batch_id}/restore": Row(content=body(reason="x")),
    "GET /v1/skus/{sku_id}/issue": Row(),
    "PUT /v1/skus/{sku_id}/issue": Row(content=body(issue_order="fifo")),
    "POST /v1/sales": Row(ok=201, content=body(sku_id="{sku_id}", name="x", units=1, limit_per_shopper=0), names_ids=True),
    "GET /v1/sales": Row(),
    "GET /v1/sales/{sale_id}": Row(),
    "GET /v1/sales/{sale_id}/reminders": Row(),
    "GET /v1/sales/{sale_id}/feed": Row(query="?seconds=1"),
    "GET /v1/sales/{sale_id}/funnel": Row(),
    "GET /v1/sales/{sale_id}/seconds": Row(),
    "GET /v1/events": Row(query="?seconds=1"),
    "GET /v1/overview": Row(),
    "POST /v1/sales/{sale_id}/pause": Row(),
    "POST /v1/sales/{sale_id}/resume": Row(),
    "POST /v1/sales/{sale_id}/end": Row(),
    "POST /v1/sales/{sale_id}/limit": Row(content=body(limit_per_shopper=1)),
    "POST /v1/sales/{sale_id}/stock": Row(content=body(withdraw=1)),
    "PUT /v1/skus/{sku_id}/shelf": Row(content=body(units=1)),
    "DELETE /v1/skus/{sku_id}/shelf": Row(ok=204),
    "GET /v1/storefront": Row(),
    "GET /v1/storefront/sales/{sale_id}": Row(at_store=True),
    "GET /v1/storefront/products": Row(query="?category_id={category_id}", at_store=True),
    "GET /v1/storefront/products/{product_id}": Row(at_store=True),
    "GET /v1/storefront/categories": Row(),
    "POST /v1/shopper-tokens": Row(ok=201),
    "POST /v1/checkouts": Row(ok=201, content=body(sale_id="{sale_id}", quantity=1), names_ids=True),
    # Its sale has no waiting room; tried with one in tests/api/test_waiting_room.py.
    **{f"{method} /v1/waiting-rooms/{{sale_id}}": Row(ok=404) for method in ("GET", "POST", "DELETE")},
    "POST /v1/orders": Row(ok=201, content=cart, names_ids=True),
    "POST /v1/quotes": Row(content=cart),
    "GET /v1/cart": Row(),
    "PUT /v1/cart": Row(content=cart),
    "DELETE /v1/cart": Row(ok=204),
    "GET /v1/orders": Row(),
    "GET /v1/orders/{order_id}": Row(private=True),
    "POST /v1/orders/{order_id}/cancel": Row(private=True),
    "POST /v1/orders/{order_id}/payments": Row(ok=503, content=body(provider="sandbox"), private=True),  # no provider runs here
    "GET /v1/orders/{order_id}/codes": Row(ok=409, private=True),  # it is not paid
    "POST /v1/orders/{order_id}/refund": Row(ok=409),
    "GET /v1/orders/{order_id}/inputs": Row(private=True),
    "PUT /v1/orders/{order_id}/inputs/{sale_id}": Row(ok=404, content=body(values={}), private=True),  # a line that asks nothing
    "GET /v1/fulfilments": Row(),
    "GET /v1/fulfilments/{fulfilment_id}": Row(),
    "POST /v1/fulfilments/{fulfilment_id}/complete": Row(ok=(200, 409), content=body(contents=[])),
    "POST /v1/fulfilments/{fulfilment_id}/fail": Row(ok=409, content=body(problem="x")),  # it is not paid
    "GET /v1/my-orders": Row(),
    "PUT /v1/orders/{order_id}/tags": Row(content=lambda ids: {"json": {"tag_ids": [ids["tag_id"]]}}, names_ids=True),
    "GET /v1/orders/{order_id}/notes": Row(),
    "POST /v1/orders/{order_id}/notes": Row(ok=201, content=body(words="x")),
    "GET /v1/orders/{order_id}/timeline": Row(),
    "POST /v1/orders/{order_id}/resend": Row(ok=409, content=body(mail="nobody@example.org")),  # it is not delivered
    # A foreign order is one of the results; see tests/api/test_order_acts.py.
    "POST /v1/orders/acts": Row(content=lambda ids: {"json": {"act": "tag", "order_ids": [ids["order_id"]], "tag_id": ids["tag_id"]}}),
    "GET /v1/orders/{order_id}/snapshot": Row(private=True),
    **dict.fromkeys(("GET /v1/coupons", "GET /v1/coupon-claims", "GET /v1/coupon-claims/open"), Row()),
    "POST /v1/coupon-grants/{grant_id}/void": Row(),
    **{f"GET /v1/coupons/{{coupon_id}}{part}": Row() for part in ("", "/grants", "/figures")},
    **{f"POST /v1/coupons/{{coupon_id}}/{act}": Row() for act in ("start", "pause", "resume", "end")},
    "POST /v1/coupons": Row(ok=201, content=coupon, names_ids=True),
    "PATCH /v1/coupons/{coupon_id}": Row(content=lambda _: {"json": {"name": uuid4().hex}}, headers={"If-Match": "*"}),
    "POST /v1/coupons/{coupon_id}/grants": Row(ok=201, content=lambda ids: {"json": {"shopper_ids": [ids["shopper_id"]]}}),
    "POST /v1/coupon-claims/open/{coupon_id}": Row(ok=201),
    "POST /v1/coupon-claims/codes": Row(ok=404, content=body(code="NOBODYS")),
    "GET /v1/price-lists": Row(),
    "POST /v1/price-lists": Row(ok=201, content=lambda ids: {"json": {"name": uuid4().hex, "group_id": ids["group_id"]}}, names_ids=True),
    "POST /v1/price-lists/previews": Row(**PRICES),  # type: ignore[arg-type]
    "POST /v1/price-lists/imports": Row(ok=422, **PRICES),  # type: ignore[arg-type]
    "GET /v1/price-lists/{list_id}": Row(),
    "PATCH /v1/price-lists/{list_id}": Row(content=lambda _: {"json": {"name": uuid4().hex}}, headers={"If-Match": "*"}),
    "DELETE /v1/price-lists/{list_id}": Row(ok=204),
    "GET /v1/price-lists/{list_id}/entries": Row(),
    "PUT /v1/price-lists/{list_id}/entries": Row(content=lambda ids: {"json": {"entries": [{"sku_id": ids["sku_id"], "unit_minor": 1}]}}),
    "GET /v1/skus/{sku_id}/prices": Row(),
    "GET /v1/buyer-groups": Row(),
    "POST /v1/buyer-groups": Row(ok=201, content=lambda _: {"json": {"name": uuid4().hex, "kind": "level"}}),
    "GET /v1/buyer-groups/{group_id}": Row(),
    "PATCH /v1/buyer-groups/{group_id}": Row(content=lambda _: {"json": {"name": uuid4().hex}}, headers={"If-Match": "*"}),
    "DELETE /v1/buyer-groups/{group_id}": Row(ok=204),
    "GET /v1/buyer-groups/{group_id}/members": Row(),
    "PUT /v1/buyer-groups/{group_id}/members/{shopper_id}": Row(),
    "DELETE /v1/buyer-groups/{group_id}/members/{shopper_id}": Row(ok=204),
    "GET /v1/points/program": Row(),
    "PUT /v1/points/program": Row(content=points, names_ids=True, headers={"If-Match": "*"}),
    "GET /v1/points": Row(),
    "GET /v1/points/entries": Row(),
    "POST /v1/points/sign-ins": Row(),
    "GET /v1/shoppers/{shopper_id}/points": Row(),
    "GET /v1/shoppers/{shopper_id}/points/entries": Row(),
    "POST /v1/shoppers/{shopper_id}/points/entries": Row(ok=201, content=body(amount=-1, reason="x")),
    "GET /v1/order-tags": Row(),
    "POST /v1/order-tags": Row(ok=201, content=lambda _: {"json": {"name": uuid4().hex}}),
    "PUT /v1/order-tags/{tag_id}": Row(content=lambda _: {"json": {"name": uuid4().hex}}),
    "DELETE /v1/order-tags/{tag_id}": Row(ok=204),
    "GET /v1/order-exports": Row(),
    "POST /v1/order-exports": Row(ok=202, content=body(format="xlsx")),
    "GET /v1/order-exports/{export_id}": Row(),
    "GET /v1/order-exports/{export_id}/file": Row(ok=409),  # no worker makes it here
    "POST /v1/order-lookups/reminders": Row(ok=202, content=body(contact="nobody@example.org")),
    "POST /v1/order-lookups": Row(ok=404, content=body(order_id="{order_id}", contact="nobody@example.org")),
    "GET /v1/provider-accounts": Row(),
    "PUT /v1/provider-accounts/{account_id}/credentials": Row(
        ok=409, content=lambda _: {"json": {name: value for name, value in provider_account().items() if name != "provider"}}
    ),  # of another merchant number
    "POST /v1/provider-accounts/{account_id}/state": Row(content=body(active=False)),
    "POST /v1/provider-accounts/test": Row(ok=409),  # the world's stores are no sandboxes
    "POST /v1/provider-accounts": Row(ok=201, content=lambda _: {"json": provider_account()}),
    "POST /v1/payment-notices/{provider}/{tenant}/{account}": Row(ok=(401, 404), content=lambda _: {"content": b"{}"}),
    "GET /v1/ledger/balances": Row(),
    # Of licences, codes and members that are there: tests/tenants/types.
    "POST /v1/types/licence/activate": Row(ok=404, content=body(key="x", device="x")),
    "POST /v1/types/licence/validate": Row(content=body(key="x")),
    "POST /v1/types/licence/deactivate": Row(ok=404, content=body(key="x", device="x")),
    "POST /v1/types/licence/activations": Row(ok=404, content=body(key="x")),
    "POST /v1/types/licence/inspect": Row(ok=404, content=body(order_id="{order_id}"), names_ids=True),
    "POST /v1/types/licence/suspend": Row(ok=404, content=body(unit=1)),
    "POST /v1/types/licence/reinstate": Row(ok=404, content=body(unit=1)),
    "POST /v1/types/licence/free": Row(ok=404, content=body(unit=1, device="x")),
    "POST /v1/types/membership/status": Row(content=body()),
    "POST /v1/types/membership/check": Row(content=body(shopper_id="{shopper_id}")),  # of no member, as of nobody
    "POST /v1/types/reusable/change": Row(ok=409, content=body(sku_id="{sku_id}", code="K1-0000"), names_ids=True),
    "POST /v1/types/reusable/history": Row(ok=409, content=body(sku_id="{sku_id}"), names_ids=True),
    # The fulfilments and orders of this world are of other types. Of a top-up that waits: tests/tenants/types/test_topup.py.
    "POST /v1/types/topup/claim": Row(ok=404, content=body(fulfilment_id="{fulfilment_id}"), names_ids=True),
    "POST /v1/types/topup/send_back": Row(ok=404, content=body(fulfilment_id="{fulfilment_id}", reason="x"), names_ids=True),
    "POST /v1/types/topup/correct": Row(ok=404, content=body(order_id="{order_id}", sale_id="{sale_id}", values={}), names_ids=True),
    "POST /v1/types/topup/status": Row(content=body(order_id="{order_id}"), names_ids=True, private=True),
    "GET /v1/exceptions": Row(),
    "GET /v1/exceptions/{exception_id}": Row(),
    "POST /v1/exceptions/{exception_id}/retry": Row(ok=409),  # nothing of it can be tried again; see tests/api/test_exceptions.py
    "POST /v1/exceptions/{exception_id}/resolve": Row(ok=(200, 409), content=REASON),
    "POST /v1/exceptions/{exception_id}/withdraw": Row(ok=409),  # nobody asked to close it
    "GET /v1/payments": Row(),
    "GET /v1/refunds": Row(),
    "GET /v1/orders/{order_id}/standing": Row(),
    "GET /v1/entitlements": Row(query="?order_id={order_id}"),  # a foreign order has none, as nobody's
    "GET /v1/entitlements/{entitlement_id}": Row(),
    "POST /v1/entitlements/{entitlement_id}/prolong": Row(ok=409, content=body(days=1, reason="x")),  # it is for ever
    "POST /v1/entitlements/{entitlement_id}/revoke": Row(ok=(200, 409), content=REASON),
    "GET /v1/webhook-events": Row(),
    "GET /v1/webhook-endpoints": Row(),
    "POST /v1/webhook-endpoints": Row(ok=201, content=body(url="https://example.com/x", event_types=["*"])),
    "GET /v1/webhook-endpoints/{endpoint_id}": Row(),
    "PATCH /v1/webhook-endpoints/{endpoint_id}": Row(content=body(description="x")),
    "DELETE /v1/webhook-endpoints/{endpoint_id}": Row(ok=204),
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret": Row(),
    "POST /v1/webhook-endpoints/{endpoint_id}/test": Row(),
    "POST /v1/webhook-endpoints/{endpoint_id}/redeliver": Row(ok=202, content=body(since="2026-01-01T00:00:00Z")),
    "GET /v1/webhook-deliveries": Row(query="?endpoint_id={endpoint_id}"),
    "GET /v1/webhook-deliveries/{delivery_id}": Row(),
    "POST /v1/webhook-deliveries/{delivery_id}/redeliver": Row(ok=202),
    "POST /v1/webhook-deliveries/{delivery_id}/cancel": Row(ok=409),  # it does not wait
    "GET /v1/capabilities": Row(),
    "GET /v1/qualifications": Row(qualification="submitted"),
    "POST /v1/qualifications": Row(
        ok=201, content=lambda _: {"json": {"kind": next(A_KIND), "legal_name": "x", "registration_number": "1"}}
    ),
    "GET /v1/qualifications/{qualification_id}": Row(qualification="submitted"),
    "POST /v1/qualifications/{qualification_id}/particulars": Row(content=PARTICULARS, qualification="draft"),
    "POST /v1/qualifications/{qualification_id}/submit": Row(qualification="draft"),
    "POST /v1/qualifications/{qualification_id}/withdraw": Row(qualification="draft"),
    "POST /v1/qualifications/{qualification_id}/documents": Row(ok=201, query="?shows=other", qualification="draft", **PDF_FILE),  # type: ignore[arg-type]
    "GET /v1/qualifications/{qualification_id}/documents/{document_id}": Row(qualification="submitted"),
    "DELETE /v1/qualifications/{qualification_id}/documents/{document_id}": Row(ok=204, qualification="draft"),
    "POST /v1/platform/enrolments": Row(ok=401, content=body(enrolment="pe_x", password="0123456789")),
    "POST /v1/platform/sessions": Row(ok=401, content=body(mail="nobody@example.org", password="no password", totp="000000")),
    "DELETE /v1/platform/sessions/current": Row(ok=204),
    "GET /v1/platform/staff": Row(),
    "POST /v1/platform/staff": Row(ok=(201, 409), content=body(mail="matrix@tessera.test", role="support")),
    "DELETE /v1/platform/staff/{staff_id}": Row(ok=404),  # tried with one who is there in tests/api/platform/test_sessions.py
    "GET /v1/platform/merchants": Row(),
    "GET /v1/platform/merchants/{merchant_id}": Row(),
    "POST /v1/platform/merchants/{merchant_id}/suspend": Row(content=REASON),
    "POST /v1/platform/merchants/{merchant_id}/lift-suspension": Row(content=REASON),
    "GET /v1/platform/qualifications": Row(),
    f"GET {REVIEWED}": Row(qualification="submitted"),
    f"GET {REVIEWED}/documents/{{document_id}}": Row(qualification="submitted"),
    f"POST {REVIEWED}/take": Row(qualification="submitted"),
    f"POST {REVIEWED}/approve": Row(content=body(valid_until="2099-01-01T00:00:00Z"), qualification="in_review"),
    f"POST {REVIEWED}/reject": Row(content=REASONS, qualification="in_review"),
    f"POST {REVIEWED}/ask-more": Row(content=REASONS, qualification="in_review"),
    f"POST {REVIEWED}/revoke": Row(content=REASONS, qualification="approved"),
    "GET /v1/platform/product-reviews": Row(),
    f"GET {LOOKED_AT}": Row(),
    f"POST {LOOKED_AT}/approve": Row(ok=(200, 409)),  # one admin decides before the next
    f"POST {LOOKED_AT}/refuse": Row(ok=(200, 409), content=REASONS),
    "GET /v1/platform/merchants/{merchant_id}/product-review-rule": Row(),
    "PUT /v1/platform/merchants/{merchant_id}/product-review-rule": Row(content=body(mode="after")),
    "GET /v1/platform/reserved-slugs": Row(),
    "POST /v1/platform/reserved-slugs": Row(ok=(201, 409), content=body(slug="matrix", reason="x")),
    "DELETE /v1/platform/reserved-slugs/{slug}": Row(ok=404),  # tried with one that is there in tests/api/platform/test_merchants.py
    "GET /v1/platform/records": Row(),
    "GET /v1/shoppers": Row(),
    "POST /v1/shoppers/search": Row(content=body(contact="nobody@example.org")),
    "GET /v1/shoppers/{shopper_id}": Row(),
    "POST /v1/shoppers/{shopper_id}/exports": Row(ok=202),
    "POST /v1/shoppers/{shopper_id}/erasure": Row(ok=409),  # his order has not ended
    "GET /v1/data-requests": Row(),
    "GET /v1/data-requests/{request_id}": Row(),
    "GET /v1/data-requests/{request_id}/archive": Row(ok=409),  # no worker makes it here
    "POST /v1/data-requests/store-exports": Row(ok=202),
    "GET /v1/retention": Row(),
    "PUT /v1/retention": Row(content=body(contact_days=60)),
    "GET /v1/off-boarding": Row(ok=404),  # nobody leaves
    "POST /v1/off-boarding": Row(ok=403, content=body(password="x")),  # no program may; owners are tried in tests/api/test_retention.py
    "DELETE /v1/off-boarding": Row(ok=404),
    "GET /v1/audit": Row(),
    "GET /v1/audit/export/csv": Row(),
    "GET /v1/audit/export/jsonl": Row(),
}
