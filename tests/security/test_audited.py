"""Each sensitive act is on record exactly once: every state-changing route a merchant may call, and what it writes into the audit.

A new route without a row fails. Each is called as the merchant, with what the matrix sends, and must then have written just that.
"""

import datetime as dt
from typing import NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest

from api.guards import Needs, PersonOnly, ShopperOr, SignedIn
from api.process import Process
from checkout_core.ids import decode
from tenants import delivery
from tenants.db import TenantTx, tenant_tx
from tenants.privacy import duty
from tests.security.api_rows import API, NAMES
from tests.security.routes import Route, routes
from tests.security.world import Browser, World, session
from tests.shop import Store


class Act(NamedTuple):
    """`writes`: the actions that go on record, each once; none needs a reason. `needs` is what must have happened before."""

    writes: tuple[str, ...]
    reason: str = ""
    needs: str = ""


ACTS = {
    "DELETE /v1/sessions/current": Act((), "who signs out changes nothing of the store"),
    "POST /v1/api-keys": Act(("api_key.created",)),
    "DELETE /v1/api-keys/{key_id}": Act(("api_key.revoked",)),
    "POST /v1/api-keys/{key_id}/rotate": Act(("api_key.rotated",)),
    "DELETE /v1/sessions": Act(("sessions.revoked",)),
    "DELETE /v1/sessions/{session_id}": Act(("session.revoked",)),
    "POST /v1/profile/password": Act(("password.changed",)),
    "POST /v1/profile/mail": Act((), "nothing changes before the new address confirms; tried in tests/api/test_profile.py"),
    "POST /v1/profile/totp": Act((), "it does nothing before it is confirmed"),
    "POST /v1/profile/totp/confirm": Act((), "there is none to confirm; tried in tests/api/test_profile.py"),
    "POST /v1/profile/totp/disable": Act((), "there is none; tried in tests/api/test_profile.py"),
    "POST /v1/roles": Act(("role.created",)),
    "PUT /v1/roles/{role_id}": Act(("role.changed",)),
    "DELETE /v1/roles/{role_id}": Act(("role.deleted",)),
    "PATCH /v1/staff/{user_id}": Act(("staff.role_changed",)),
    "DELETE /v1/staff/{user_id}": Act(("staff.removed",)),
    "POST /v1/invitations": Act(("invitation.created",)),
    "POST /v1/invitations/{invitation_id}/resend": Act((), "it was sent a moment ago; tried in tests/api/test_invitations.py"),
    "DELETE /v1/invitations/{invitation_id}": Act(("invitation.revoked",)),
    "PATCH /v1/store": Act(("store.changed",)),
    "PUT /v1/store/images/{kind}": Act(("store.image_set",)),
    "DELETE /v1/store/images/{kind}": Act((), "there is none; tried in tests/api/test_stores.py"),
    "PUT /v1/store/address": Act(("store.moved",)),
    "PUT /v1/store/address/primary": Act((), "the store has no such host; tried in tests/api/test_domains.py"),
    "POST /v1/domains": Act(("domain.added",)),
    "POST /v1/domains/{domain_id}/verify": Act(("domain.check_asked",)),
    "DELETE /v1/domains/{domain_id}": Act(("domain.removed",)),
    "PUT /v1/channels/{code}": Act(("channel.set",)),
    "PUT /v1/sales/{sale_id}/channels": Act(("visibility.set",)),
    "PUT /v1/products/{product_id}/channels": Act(("visibility.set",)),
    "PUT /v1/translations/{subject_id}/{locale}": Act(("translation.set",)),
    "DELETE /v1/translations/{subject_id}/{locale}": Act(("translation.removed",)),
    "POST /v1/sandbox": Act(("sandbox.entered",)),
    "POST /v1/webhook-endpoints": Act(("webhook_endpoint.created",)),
    "PATCH /v1/webhook-endpoints/{endpoint_id}": Act(("webhook_endpoint.changed",)),
    "DELETE /v1/webhook-endpoints/{endpoint_id}": Act(("webhook_endpoint.deleted",)),
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret": Act(("webhook_endpoint.secret_rotated",)),
    "POST /v1/webhook-endpoints/{endpoint_id}/test": Act(("webhook_endpoint.tested",)),
    "POST /v1/webhook-endpoints/{endpoint_id}/redeliver": Act(("webhook_endpoint.redelivered",)),
    "POST /v1/webhook-deliveries/{delivery_id}/redeliver": Act(("webhook_delivery.redelivered",)),
    "POST /v1/webhook-deliveries/{delivery_id}/cancel": Act((), "it does not wait; tried in tests/api/test_webhooks.py"),
    "POST /v1/qualifications": Act(("qualification.created",)),
    "POST /v1/qualifications/{qualification_id}/particulars": Act(("qualification.corrected",)),
    "POST /v1/qualifications/{qualification_id}/submit": Act(("qualification.submitted",)),
    "POST /v1/qualifications/{qualification_id}/withdraw": Act(("qualification.withdrawn",)),
    "POST /v1/qualifications/{qualification_id}/documents": Act(("qualification_document.added",)),
    "DELETE /v1/qualifications/{qualification_id}/documents/{document_id}": Act(("qualification_document.removed",)),
    "POST /v1/categories": Act(("category.created",)),
    "PATCH /v1/categories/{category_id}": Act(("category.changed",)),
    "DELETE /v1/categories/{category_id}": Act(("category.removed",)),
    "POST /v1/products": Act(("product.created",)),
    "PATCH /v1/products/{product_id}": Act(("product.changed",)),
    "POST /v1/products/{product_id}/images": Act((), "it is there already; tried in tests/api/catalog/test_images.py"),
    "PUT /v1/products/{product_id}/images/order": Act((), "one picture is in order; tried in tests/api/catalog/test_images.py"),
    "DELETE /v1/products/{product_id}/images/{image_id}": Act(("product.image_removed",)),
    "POST /v1/skus": Act(("sku.created",)),
    "POST /v1/skus/{sku_id}/units": Act((), "its codes come from files; tried in tests/tenants/types/test_manual.py"),
    "PATCH /v1/skus/{sku_id}": Act(("sku.changed",)),
    "POST /v1/skus/changes": Act(("sku.changed",)),
    "POST /v1/skus/edits": Act(("skus.edited",)),
    "POST /v1/catalog/imports": Act(("catalog.imported",)),
    "POST /v1/catalog/previews": Act((), "nothing is kept"),
    "PATCH /v1/skus/{sku_id}/picks": Act(("picks.changed",)),
    "POST /v1/types/ticket/check_in": Act((), "there is no such ticket; tried in tests/tenants/types/test_ticket.py"),
    "POST /v1/types/ticket/undo_check_in": Act((), "there is no such ticket; tried in tests/tenants/types/test_ticket.py"),
    "POST /v1/types/ticket/status": Act((), "it only reads"),
    "POST /v1/types/booking/check_in": Act((), "there is no such stay; tried in tests/tenants/types/test_booking.py"),
    "POST /v1/types/booking/check_out": Act((), "there is no such stay; tried in tests/tenants/types/test_booking.py"),
    "POST /v1/vault/imports": Act(("vault.import",)),
    "POST /v1/vault/imports/{import_id}/resume": Act((), "the same import goes on, which is on record since its beginning"),
    "POST /v1/vault/lookups": Act(("code.looked_up",)),
    "POST /v1/vault/units/{unit_id}/reveal": Act(("unit.revealed",)),
    "POST /v1/vault/exports": Act(("export.requested",)),
    "POST /v1/vault/exports/{code_export_id}/approve": Act(("export.approved",)),
    "POST /v1/vault/exports/{code_export_id}/refuse": Act(("export.refused",)),
    "POST /v1/vault/exports/{code_export_id}/download": Act((), "nobody approved it; tried in tests/api/test_exports.py"),
    "PUT /v1/vault/stock-watches/{sku_id}": Act(("stock_watch.set",)),
    "DELETE /v1/vault/stock-watches/{sku_id}": Act(("stock_watch.removed",)),
    "POST /v1/vault/rotations": Act(("keys.rotation_begun",)),
    "POST /v1/vault/previews": Act((), "nothing is kept"),
    "POST /v1/vault/units/lock": Act(("units.locked",)),
    "POST /v1/vault/units/unlock": Act(("units.unlocked",)),
    "POST /v1/vault/units/void": Act(("units.voided",)),
    "POST /v1/vault/units/{unit_id}/replacement": Act(("unit.replaced",), needs="delivered unit"),
    "PUT /v1/vault/batches/{batch_id}": Act(("batch.changed",)),
    "POST /v1/vault/batches/{batch_id}/recall": Act(("batch.recalled",)),
    "POST /v1/vault/batches/{batch_id}/restore": Act(("batch.restored",)),
    "PUT /v1/skus/{sku_id}/issue": Act(("sku.issue_changed",)),
    "POST /v1/sales": Act(("sale.created",)),
    "PUT /v1/skus/{sku_id}/shelf": Act((), "it is there already; tried in tests/api/test_carts.py"),
    "DELETE /v1/skus/{sku_id}/shelf": Act(("sale.ended",)),
    "POST /v1/sales/{sale_id}/pause": Act(("sale.paused",)),
    "POST /v1/sales/{sale_id}/resume": Act((), "it runs: nothing changes"),
    "POST /v1/sales/{sale_id}/end": Act(("sale.ended",)),
    "POST /v1/sales/{sale_id}/limit": Act(("sale.limit_changed",)),
    "POST /v1/sales/{sale_id}/stock": Act(("sale.stock_withdrawn",)),
    "POST /v1/orders/{order_id}/cancel": Act(("order.cancelled",)),
    "POST /v1/orders/{order_id}/refund": Act(("order.refund_requested",), needs="delivered"),
    "POST /v1/fulfilments/{fulfilment_id}/complete": Act(("fulfilment.completed",), needs="paid"),
    "POST /v1/fulfilments/{fulfilment_id}/fail": Act(("order.refund_requested", "fulfilment.failed"), needs="paid"),
    "POST /v1/exceptions/{exception_id}/retry": Act((), "nothing of it can be tried again; see tests/api/test_exceptions.py"),
    "POST /v1/exceptions/{exception_id}/resolve": Act(("exception.resolved",)),
    "POST /v1/exceptions/{exception_id}/withdraw": Act((), "nobody asked to close it; see tests/api/test_exceptions.py"),
    "POST /v1/entitlements/{entitlement_id}/prolong": Act((), "it is for ever; see tests/api/test_entitlements.py"),
    "POST /v1/entitlements/{entitlement_id}/revoke": Act(("entitlement.revoked",)),
    "PUT /v1/provider-accounts/{account_id}/credentials": Act((), "of another merchant number; see tests/api/test_receipts.py"),
    "POST /v1/provider-accounts/{account_id}/state": Act(("provider_account.disabled",)),
    "PUT /v1/orders/{order_id}/tags": Act(("order.tagged",)),
    "POST /v1/orders/{order_id}/notes": Act(("order.noted",)),
    "POST /v1/orders/{order_id}/resend": Act(("order.mailed",), needs="delivered"),
    "POST /v1/orders/acts": Act(("order.tagged",)),
    "POST /v1/order-tags": Act(("tag.created",)),
    "PUT /v1/order-tags/{tag_id}": Act(("tag.renamed",)),
    "DELETE /v1/order-tags/{tag_id}": Act(("tag.removed",)),
    "POST /v1/coupons": Act(("coupon.created",)),
    "PATCH /v1/coupons/{coupon_id}": Act(("coupon.changed",)),
    "POST /v1/coupons/{coupon_id}/start": Act((), "it runs: nothing changes"),
    "POST /v1/coupons/{coupon_id}/pause": Act(("coupon.paused",)),
    "POST /v1/coupons/{coupon_id}/resume": Act((), "it runs: nothing changes"),
    "POST /v1/coupons/{coupon_id}/end": Act(("coupon.ended",)),
    "POST /v1/coupons/{coupon_id}/grants": Act(("coupon.issued",)),
    "POST /v1/coupon-grants/{grant_id}/void": Act(("coupon.voided",)),
    "POST /v1/price-lists": Act(("price_list.created",)),
    "POST /v1/price-lists/previews": Act((), "nothing is kept"),
    "POST /v1/price-lists/imports": Act((), "its list is not there; tried in tests/api/test_price_files.py"),
    "PATCH /v1/price-lists/{list_id}": Act(("price_list.changed",)),
    "DELETE /v1/price-lists/{list_id}": Act(("price_list.removed",)),
    "PUT /v1/price-lists/{list_id}/entries": Act(("price_entries.set",)),
    "POST /v1/buyer-groups": Act(("buyer_group.created",)),
    "PATCH /v1/buyer-groups/{group_id}": Act(("buyer_group.changed",)),
    "DELETE /v1/buyer-groups/{group_id}": Act(("buyer_group.removed",)),
    "PUT /v1/buyer-groups/{group_id}/members/{shopper_id}": Act((), "he is in it already; tried in tests/api/test_buyer_groups.py"),
    "DELETE /v1/buyer-groups/{group_id}/members/{shopper_id}": Act(("buyer_group.left",)),
    "PUT /v1/points/program": Act(("points.program_changed",)),
    "POST /v1/shoppers/{shopper_id}/points/entries": Act(("points.adjusted",)),
    "POST /v1/order-exports": Act(("data.order_export",)),
    "POST /v1/provider-accounts": Act(("provider_account.created",)),
    "POST /v1/provider-accounts/test": Act((), "the store is no sandbox; tried in tests/api/test_payments.py"),
    "POST /v1/shoppers/search": Act((), "it reads figures; what is handed out is on record"),
    "POST /v1/shoppers/{shopper_id}/exports": Act(("data.shopper_export",), needs="nothing asked"),
    "POST /v1/shoppers/{shopper_id}/erasure": Act(("data.shopper_erasure",), needs="delivered"),
    "POST /v1/data-requests/store-exports": Act(("data.store_export",)),
    "PUT /v1/retention": Act(("retention.changed",)),
    "POST /v1/off-boarding": Act((), "a program is refused; the owner's is tried in tests/api/test_retention.py"),
    "DELETE /v1/off-boarding": Act((), "nobody leaves; tried in tests/api/test_retention.py"),
    "POST /v1/types/licence/inspect": Act((), "it reads, and never a key"),
    "POST /v1/types/licence/suspend": Act((), "there is no licence; tried in tests/tenants/types/test_licence.py"),
    "POST /v1/types/licence/reinstate": Act((), "there is no licence; tried in tests/tenants/types/test_licence.py"),
    "POST /v1/types/licence/free": Act((), "there is no licence; tried in tests/tenants/types/test_licence.py"),
    "POST /v1/types/membership/check": Act((), "it reads whether somebody is a member"),
    "POST /v1/types/reusable/change": Act((), "a SKU of another type; tried in tests/tenants/types/test_reusable.py"),
    "POST /v1/types/reusable/history": Act((), "it reads, and never a code"),
    "POST /v1/types/topup/claim": Act((), "it is no top-up; tried in tests/tenants/types/test_topup.py"),
    "POST /v1/types/topup/send_back": Act((), "it is no top-up; tried in tests/tenants/types/test_topup.py"),
    # These only read, and are on record all the same.
    "GET /v1/orders/{order_id}/codes": Act(("codes.revealed",), needs="delivered"),
    "GET /v1/order-exports/{export_id}/file": Act(("data.downloaded",), needs="order export"),
    "GET /v1/data-requests/{request_id}/archive": Act(("data.downloaded",), needs="archive"),
    "GET /v1/audit/export/csv": Act(("audit.exported",)),
    "GET /v1/audit/export/jsonl": Act(("audit.exported",)),
}
READ_ON_RECORD = {name for name in ACTS if name.startswith("GET ")}


def is_an_act(route: Route) -> bool:
    by_merchant = any(isinstance(guard, Needs | SignedIn | ShopperOr) for guard in route.guards)
    return route.path.startswith("/v1") and by_merchant and (route.method != "GET" or route.name in READ_ON_RECORD)


ROUTES = [route for route in routes() if is_an_act(route)]


async def recorded(store: Store) -> list[tuple[str, str]]:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        rows = await tx.conn.fetch("SELECT actor, action FROM audit WHERE tenant_id = $1 ORDER BY id", tx.tenant_id)
    return [tuple(row) for row in rows]


async def delivered(world: World) -> None:
    """The order as a payment leaves it, with the money that paid for it."""
    store, order_id = world.store, decode("ord", world.ids["order_id"])
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        shopper, paid_at = await _money(world, tx)
        await tx.conn.execute("UPDATE fulfilment SET order_id = sku_id WHERE tenant_id = $1", tx.tenant_id)  # the world's own is in the way
        await delivery.deliver(tx, order_id, shopper, paid_at)


async def paid(world: World) -> None:
    """The same of what waits to be fulfilled."""
    async with tenant_tx(world.store.process.app_pool, world.store.tenant_id) as tx:
        order_id = decode("ord", world.ids["order_id"])
        _, paid_at = await _money(world, tx)
        await tx.conn.execute("UPDATE sku SET type = 'manual' WHERE tenant_id = $1", tx.tenant_id)  # what people do themselves
        await tx.conn.execute("UPDATE unit SET state = 'sold' WHERE tenant_id = $1 AND order_id = $2", tx.tenant_id, order_id)
        sql = "UPDATE orders SET state = 'paid', paid_at = $3, next_try_at = NULL WHERE tenant_id = $1 AND id = $2"
        await tx.conn.execute(sql, tx.tenant_id, order_id, paid_at)


async def _money(world: World, tx: TenantTx) -> tuple[UUID, dt.datetime]:
    """What pays for the order; its shopper, and when."""
    order_id = decode("ord", world.ids["order_id"])
    attempt_id, account_id = uuid4(), decode("acc", "acc_" + world.ids["account"])
    sql = """INSERT INTO payment_attempt (tenant_id, id, order_id, account_id, out_trade_no, state, amount_minor, currency, notify_url,
                                          return_url, expires_at) VALUES ($1, $2, $3, $4, $5, 'paid', 9900, 'CNY', '', '', now())"""
    await tx.conn.execute(sql, tx.tenant_id, attempt_id, order_id, account_id, attempt_id.hex)
    sql = """INSERT INTO payment (tenant_id, id, account_id, attempt_id, order_id, txn_id, amount_minor, currency, disposition, paid_at)
             VALUES ($1, $2, $3, $4, $5, $6, 9900, 'CNY', 'applied', now()) RETURNING paid_at"""
    paid_at = await tx.conn.fetchval(sql, tx.tenant_id, uuid4(), account_id, attempt_id, order_id, uuid4().hex)
    shopper = await tx.conn.fetchval("SELECT shopper_id FROM orders WHERE tenant_id = $1 AND id = $2", tx.tenant_id, order_id)
    return shopper, paid_at


async def delivered_unit(world: World) -> None:
    """The same, and it is the unit that is spoken of."""
    await delivered(world)
    async with tenant_tx(world.store.process.app_pool, world.store.tenant_id) as tx:
        sql = "SELECT unit_id FROM delivery WHERE tenant_id = $1 AND order_id = $2"
        world.ids["unit_id"] = str(await tx.conn.fetchval(sql, tx.tenant_id, decode("ord", world.ids["order_id"])))


async def archived(world: World) -> None:
    """The export of the shopper as the worker makes it."""
    process = world.store.process
    await duty.carry_out(process.app_pool, process.keyring, world.store.tenant_id, decode("dat", world.ids["request_id"]))


async def exported(world: World) -> None:
    """The export of orders as the worker makes it."""
    process = world.store.process
    await duty.carry_out(process.app_pool, process.keyring, world.store.tenant_id, decode("dat", world.ids["export_id"]))


async def no_matter(world: World) -> None:
    """It goes as it is."""


PREPARE = {
    "": no_matter, "delivered": delivered, "delivered unit": delivered_unit, "paid": paid, "archive": archived, "order export": exported,
    "nothing asked": archived,
}  # fmt: skip


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
class TestRoute:
    async def test_writes_what_its_row_says_and_once(self, client: httpx.AsyncClient, acme: Store, route: Route) -> None:
        assert route.name in ACTS, "a new route needs a row here"
        act, row, world = ACTS[route.name], API[route.name], await World.of(acme)
        assert bool(act.writes) != bool(act.reason)
        await PREPARE[act.needs](world)
        if row.qualification:
            world = await world.with_qualification(row.qualification)
        limited = await acme.key_with("catalog:read")
        before = await recorded(acme)
        if any(isinstance(guard, PersonOnly) for guard in route.guards):
            headers, actor = world.person, (await acme.ask("GET", "/v1/profile", world.person))["id"]
        else:
            keys = await acme.ask("GET", "/v1/api-keys", acme.merchant)
            headers, actor = acme.merchant, keys["api_keys"][-1]["id"]

        content = row.content(world.ids)

        async def call(who: dict[str, str] = headers, ids: dict[str, str] = world.ids) -> httpx.Response:
            path = (route.path + row.query).format(**NAMES | ids)
            return await client.request(route.method, path, headers=who | row.headers | {"Idempotency-Key": "k"}, **content)

        refused = [await call(limited)] if any(isinstance(guard, Needs | PersonOnly) for guard in route.guards) else []
        if any(name in world.ids for name in route.names):
            refused.append(await call(headers, world.missing()))
        assert [answer.status_code for answer in refused if answer.is_success] == []
        assert await recorded(acme) == before, "what was refused is no act"
        response = await call()
        assert response.is_success or act.reason, response.text
        # What is written in one millisecond is in no order.
        assert sorted((await recorded(acme))[len(before) :]) == sorted((actor, action) for action in act.writes)
        if act.writes and "once" in route.handler.parsed_fn_signature.parameters:
            assert (await call()).is_success
            assert len(await recorded(acme)) == len(before) + len(act.writes), "the same again is not another act"


def test_no_row_is_left_over() -> None:
    assert set(ACTS) == {route.name for route in ROUTES}


# What mails lead to holds the token of a mail, and does nothing without; what it does is the API's.
LETTERS = {
    "POST /merchant/forgotten": (200, {"mail": "nobody@example.org"}),
    "POST /merchant/confirm": (404, {"token": "x", "password": "correct horse"}),
    "POST /merchant/new-password": (404, {"token": "x", "password": "x" * 10}),
    "POST /merchant/new-mail": (404, {"token": "x"}),
    "POST /merchant/invitation": (404, {"token": "x", "password": "x" * 10}),
}


@pytest.mark.parametrize("name", LETTERS)
async def test_a_letters_page_without_its_token_is_no_act(client: httpx.AsyncClient, process: Process, acme: Store, name: str) -> None:
    status, fields = LETTERS[name]
    merchant = Browser.of(process, {}, session=await session(acme))
    before = await recorded(acme)
    response = await client.post(name.partition(" ")[2], headers=merchant.headers, data=fields | merchant.fields)
    assert response.status_code == status, response.text
    assert await recorded(acme) == before


def test_every_form_of_a_letter_has_a_row() -> None:
    assert set(LETTERS) == {route.name for route in routes() if route.path.startswith("/merchant") and route.method == "POST"}
