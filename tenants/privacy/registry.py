"""Every column that can hold text, whose data it holds, and what erasing a shopper does there. A column without a line here fails a test.

A shopper is a random id that only his token carries. It stays, as the pseudonym of who bought: books, units and limits refer to it, and
once everything below is erased nothing leads from it to a person.
"""

from typing import NamedTuple


class Erase(NamedTuple):
    """The column of a shopper's row becomes `to`, an SQL expression."""

    to: str


class Search(NamedTuple):
    """Free text, in which a shopper's words may stand: rows that hold one are looked for, and what is found is dealt with (`SEARCHED`)."""


class Keep(NamedTuple):
    """Nothing of a shopper, because of what is said in `why`."""

    why: str


OURS = Keep("made by us: a state, a kind, a number, a name of a file")
GOODS = Keep("the merchant's own words and goods")
STAFF = Keep("the merchant's people, who leave with the store")
PLATFORM = Keep("the platform's people, and their words about a merchant")
SECRET = Keep("a key or a hash of one")
FOUND_BY = Keep("what an order is found by: goes with the order's own, by the duty that indexes it")
RECORD = Keep("who acted, by pseudonym; ids and figures")

COLUMNS: dict[str, Erase | Search | Keep] = {
    "api_key.key_hash": SECRET,
    "api_key.name": GOODS,
    "api_key.old_hash": SECRET,
    "api_key.prefix": OURS,
    "api_key.scopes": OURS,
    "audit.action": RECORD,
    "audit.actor": RECORD,
    "audit.detail": RECORD,
    "audit.subject": RECORD,
    "audit_head.hash": RECORD,
    "audit_link.hash": RECORD,
    "buyer_group.kind": OURS,
    "buyer_group.name": GOODS,
    # What he meant to buy goes with him.
    "cart.lines": Erase("'[]'"),
    "category.name": GOODS,
    "channel.code": GOODS,
    "channel.name": GOODS,
    "code_export.asked_by": RECORD,
    "code_export.decided_by": RECORD,
    "code_export.kind": OURS,
    "code_export.reason": GOODS,
    "code_export.state": OURS,
    "content_version.content": GOODS,
    "code.fingerprint": GOODS,
    "code.sealed": GOODS,
    "data_part.name": OURS,
    "data_part.sealed": Keep("archives; a shopper's own and the store's are removed when he is erased"),
    "data_request.asked": Keep("what an export was asked for; a contact it was asked by goes when the export's archive does"),
    "data_request.asked_by": RECORD,
    "data_request.kind": OURS,
    "data_request.progress": OURS,
    "data_request.state": OURS,
    "data_request.words": Keep("sealed; removed when the erasure is done"),
    "delivery.replace_actor": STAFF,
    "delivery.replace_reason": GOODS,
    "entitlement.data": Keep("what a type must know of a unit: figures, and names of its own making"),
    "entitlement.state": OURS,
    "entitlement.type": OURS,
    # A device, as its owner calls it. The digest goes on counting as the one use that it was.
    "entitlement_use.actor": RECORD,
    "entitlement_use.name": Erase("CASE WHEN name ~ '^[0-9a-f]{32}$' THEN name ELSE md5(entitlement_id::text || name) END"),
    "exception_case.asked_by": RECORD,
    "exception_case.detail": Search(),
    "exception_case.kind": OURS,
    "exception_case.reference": OURS,
    "exception_case.resolution": Search(),
    "exception_case.resolved_by": RECORD,
    "exception_case.state": OURS,
    "fulfilment.problem": Erase("NULL"),
    "fulfilment.sealed": Erase("NULL"),
    "fulfilment.state": OURS,
    "give_back.reason": OURS,
    "idempotent_reply.body": Search(),
    "idempotent_reply.key": OURS,
    "idempotent_reply.request_hash": SECRET,
    "invitation.locale": OURS,
    "invitation.mail": STAFF,
    "invitation.role": OURS,
    "invitation.token_hash": SECRET,
    "ledger_entry.account": OURS,
    "ledger_tx.currency": OURS,
    "ledger_tx.kind": OURS,
    "mail.content": Keep("values of our own words, removed when the mail is sent"),
    "mail.locale": OURS,
    "mail.recipient": Search(),
    "mail.refused": Search(),
    "mail.template": OURS,
    "membership.role": OURS,
    "order_entry.contact": FOUND_BY,
    "order_entry.state": OURS,
    "order_mail.asked_by": RECORD,
    "order_minute.currency": OURS,
    "order_note.author": RECORD,
    "order_note.words": Erase("NULL"),
    "order_reminder.contact": Keep("gone within seconds, with the mail"),
    "order_reminder.locale": OURS,
    "order_reminder.shop_url": OURS,
    "sale_tally.state": OURS,
    "search_gram.gram": FOUND_BY,
    "search_gram.kind": OURS,
    "search_text.kind": OURS,
    "search_text.text": FOUND_BY,
    "merchant_place.address": STAFF,
    "merchant_recovery_code.code_hash": SECRET,
    "merchant_session.address": STAFF,
    "merchant_session.token_hash": SECRET,
    "merchant_session.user_agent": STAFF,
    "merchant_totp.sealed": SECRET,
    "merchant_user.locale": OURS,
    "merchant_user.mail": STAFF,
    "merchant_user.password_hash": STAFF,
    "merchant_user.scopes": STAFF,
    "migration.checksum": OURS,
    "migration.name": OURS,
    "off_boarding.audit_hash": RECORD,
    "off_boarding.state": OURS,
    "order_line.input": Erase("NULL"),
    # A hash of contact and password as well: whoever guesses them could tell that he is right.
    "orders.body_hash": Erase("decode(repeat('00', 16), 'hex')"),
    "orders.channel": OURS,
    "orders.contact": Erase("NULL"),
    "orders.currency": OURS,
    "orders.ends_as": OURS,
    "orders.lookup_hash": Erase("NULL"),
    "orders.state": OURS,
    "outbox.payload": Search(),
    "outbox.topic": OURS,
    "payment.currency": OURS,
    "payment.disposition": OURS,
    "payment.txn_id": Keep("the provider's number, by which the books are compared"),
    "payment_attempt.currency": OURS,
    "payment_attempt.notify_url": OURS,
    "payment_attempt.out_trade_no": OURS,
    "payment_attempt.pay_url": Erase("NULL"),
    "payment_attempt.return_url": Erase("''"),
    "payment_attempt.state": OURS,
    "payment_inbox.event_id": OURS,
    "payment_inbox.notice": Search(),
    "payment_inbox.outcome": OURS,
    "payment_inbox.raw": Search(),
    "payment_inbox.state": OURS,
    "platform_audit.action": RECORD,
    "platform_audit.actor": RECORD,
    "platform_audit.detail": RECORD,
    "platform_audit.subject": RECORD,
    "platform_session.token_hash": SECRET,
    "platform_staff.enrolment_hash": PLATFORM,
    "platform_staff.mail": PLATFORM,
    "platform_staff.password_hash": PLATFORM,
    "platform_staff.role": PLATFORM,
    "platform_staff.totp_secret": PLATFORM,
    "points_entry.kind": OURS,
    "points_entry.note": Erase("NULL"),
    "points_entry.once": OURS,
    "points_level.name": GOODS,
    "points_level_change.name": GOODS,
    "points_program.expiry": OURS,
    "price_list.channel": GOODS,
    "price_list.name": GOODS,
    "price_list.state": OURS,
    "product.category": OURS,
    "product.description": GOODS,
    "product.moderation": OURS,
    "product.name": GOODS,
    "product.options": GOODS,
    "product.reference": GOODS,
    "product.shown": GOODS,
    "product.state": OURS,
    "product_image.content": GOODS,
    "product_image.medium": GOODS,
    "product_image.small": GOODS,
    "product_image.digest": OURS,
    "product_image.media_type": OURS,
    "product_review.content": GOODS,
    "product_review.reasons": PLATFORM,
    "product_review.reviewer": PLATFORM,
    "product_review.state": OURS,
    "proof.content": STAFF,
    "proof.mail": STAFF,
    "proof.purpose": OURS,
    "proof.token_hash": SECRET,
    "provider_account.credentials": SECRET,
    "provider_account.mch_id": GOODS,
    "provider_account.provider": OURS,
    "provider_account.state": OURS,
    "qualification.kind": OURS,
    "qualification.particulars": STAFF,
    "qualification.reasons": PLATFORM,
    "qualification.reviewer": PLATFORM,
    "qualification.state": OURS,
    "qualification_document.content": STAFF,
    "qualification_document.media_type": OURS,
    "qualification_document.sha256": OURS,
    "qualification_document.shows": OURS,
    "refund.currency": OURS,
    "refund.out_refund_no": OURS,
    "refund.reason": OURS,
    "refund.state": OURS,
    "reserved_slug.reason": PLATFORM,
    "reserved_slug.slug": GOODS,
    "review_rule.mode": OURS,
    "sale_reminder.contact": Search(),
    "sale_reminder.kind": OURS,
    "sale_reminder.locale": OURS,
    "sale_reminder.shop_url": OURS,
    "sale.currency": OURS,
    "sale.door": OURS,
    "sale.name": GOODS,
    "sale.state": OURS,
    "sale.waiting_room": OURS,
    "sku.choices": GOODS,
    "sku.code_pattern": GOODS,
    "sku.config": GOODS,
    "sku.currency": OURS,
    "sku.issue_order": OURS,
    "sku.name": GOODS,
    "sku.stock": OURS,
    "sku.type": OURS,
    "sku.face_value": GOODS,
    "sku.reference": GOODS,
    "sku.state": OURS,
    "sku.usage_note": GOODS,
    "staff_role.name": GOODS,
    "staff_role.permissions": OURS,
    "store.accent_color": OURS,
    "store.accent_color_dark": OURS,
    "store.banner": GOODS,
    "store.contact": GOODS,
    "store.currency": OURS,
    "store.footer": GOODS,
    "store.locale": OURS,
    "store.locales": OURS,
    "store.mode": OURS,
    "store.name": GOODS,
    "store.notice": GOODS,
    "store.primary_color": OURS,
    "store.primary_color_dark": OURS,
    "store.privacy_policy": GOODS,
    "store.refund_policy": GOODS,
    "store.seo_description": GOODS,
    "store.seo_title": GOODS,
    "store.slug": GOODS,
    "store.terms": GOODS,
    "store.zone": OURS,
    "pick.label": GOODS,
    "pick.pick": GOODS,
    "store_domain.domain": GOODS,
    "store_domain.problem": OURS,
    "store_domain.state": OURS,
    "store_host.host": GOODS,
    "store_image.content": GOODS,
    "store_image.digest": OURS,
    "store_image.kind": OURS,
    "store_image.media_type": OURS,
    "tag.name": GOODS,
    "tenant.primary_host": GOODS,
    "tenant.slug": GOODS,
    "tenant.suspended_for": PLATFORM,
    "key_rotation.asked_by": RECORD,
    "key_rotation.progress": OURS,
    "key_rotation.purposes": OURS,
    "key_rotation.state": OURS,
    "tenant_key.purpose": OURS,
    "tenant_key.wrapped": SECRET,
    "throttle.key": SECRET,
    "translation.description": GOODS,
    "translation.locale": OURS,
    "translation.name": GOODS,
    "unit.pick": GOODS,
    "unit.state": OURS,
    "unit_event.act": OURS,
    "unit_event.actor": STAFF,
    "unit_event.from_state": OURS,
    "unit_event.reason": GOODS,
    "unit_event.to_state": OURS,
    "vault_batch.digest": GOODS,
    "vault_batch.failure": OURS,
    "vault_batch.filename": GOODS,
    "vault_batch.idempotency_key": GOODS,
    "vault_batch.kind": OURS,
    "vault_batch.layout": GOODS,
    "vault_batch.note": GOODS,
    "vault_batch.operator": STAFF,
    "vault_batch.recall_reason": GOODS,
    "vault_batch.recalled_as": OURS,
    "vault_batch.source": GOODS,
    "vault_batch.state": OURS,
    "vault_line.kind": OURS,
    "vault_line.reason": OURS,
    "visibility.channels": GOODS,
    "webhook_attempt.answer": Search(),
    "webhook_attempt.failure": OURS,
    "webhook_delivery.state": OURS,
    "webhook_delivery.type": OURS,
    "webhook_endpoint.description": GOODS,
    "webhook_endpoint.disabled_because": OURS,
    "webhook_endpoint.event_types": OURS,
    "webhook_endpoint.old_secret": SECRET,
    "webhook_endpoint.secret": SECRET,
    "webhook_endpoint.url": GOODS,
    "webhook_event.body": Search(),
    "webhook_event.type": OURS,
}

# Which rows of a table with an `Erase` are a shopper's ($2), as a condition on the table.
_HIS = "SELECT id FROM orders WHERE tenant_id = $1 AND shopper_id = $2"
# What is still to be fulfilled needs what he said.
_HIS_ENDED = f"order_id = ANY({_HIS} AND state NOT IN ('awaiting', 'closing', 'paid'))"
OWNED = {
    "cart": "shopper_id = $2",
    "entitlement_use": "entitlement_id = ANY(SELECT id FROM entitlement WHERE tenant_id = $1 AND shopper_id = $2)",
    "fulfilment": _HIS_ENDED,
    "order_line": _HIS_ENDED,
    "orders": "shopper_id = $2",
    "order_note": f"order_id = ANY({_HIS})",
    "payment_attempt": f"order_id = ANY({_HIS})",
    "points_entry": "shopper_id = $2",
}
# Tables of which a shopper's rows ($2) go whole: in which groups of buyers he was, and of what he wanted to be told.
GONE = {"group_member": "shopper_id = $2", "sale_reminder": "shopper_id = $2"}


class Searched(NamedTuple):
    """`key`, as the primary key has it, orders the rows of a tenant; `content` is what is searched, as bytes; `found` is what becomes of a
    row in which a word is found.

    A row that is not `ready` is still needed; the erasure comes back for it.
    """

    key: str
    content: str
    found: str
    ready: str = "true"


SEARCHED = {
    "exception_case": Searched(
        "id", "convert_to(t.detail::text || coalesce(t.resolution, ''), 'UTF8')",
        "UPDATE exception_case SET detail = '{}', resolution = CASE WHEN resolution IS NOT NULL THEN '' END",
    ),
    "idempotent_reply": Searched("key", "t.body", "DELETE FROM idempotent_reply"),
    "mail": Searched(
        "id", "convert_to(jsonb_build_array(t.recipient, t.refused)::text, 'UTF8')", "DELETE FROM mail", "t.next_try_at IS NULL"
    ),
    "outbox": Searched("id", "convert_to(t.payload::text, 'UTF8')", "UPDATE outbox SET payload = '{}'", "t.next_try_at IS NULL"),
    "sale_reminder": Searched("id", "convert_to(to_jsonb(t.contact)::text, 'UTF8')", "DELETE FROM sale_reminder"),
    "webhook_attempt": Searched("delivery_id, id", "convert_to(t.answer, 'UTF8')", "UPDATE webhook_attempt SET answer = ''"),
    "webhook_event": Searched(
        "id", "convert_to(t.body, 'UTF8')", "UPDATE webhook_event SET body = '{}'",
        "NOT EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.tenant_id = t.tenant_id AND d.event_id = t.id AND d.state = 'waiting')",
    ),
    # A notice is known again by its event's id, and its payment by its own row: what was said in it is not needed once it is done.
    "payment_inbox": Searched(
        "id", "convert_to(t.notice::text, 'UTF8') || t.raw",
        "UPDATE payment_inbox SET notice = '{}', raw = ''", "t.state = 'done'",
    ),
}  # fmt: skip


def erased_columns(table: str) -> dict[str, str]:
    """Column → what it becomes."""
    prefix = f"{table}."
    return {name.removeprefix(prefix): then.to for name, then in COLUMNS.items() if name.startswith(prefix) and isinstance(then, Erase)}
