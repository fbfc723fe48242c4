"""Recurring membership (周期会员): a unit is a period by the store's calendar; bought again, it begins where the last one ends."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from checkout_core.errors import NotFound, Unprocessable
from checkout_core.ids import encode
from tenants import entitlements, mails
from tenants.db import TenantTx
from tenants.entitlements import Entitlement
from tenants.keys import Keyring
from tenants.types.base import Done, Failed, Job, Later, ProductType, Shown, Stock
from tenants.types.membership import acts, members, words
from tenants.types.membership.periods import Config
from tenants.vault import Content


class MembershipType(ProductType):
    name = members.NAME
    label: ClassVar = {"zh-CN": "周期会员", "en": "Membership"}
    summary: ClassVar = {
        "zh-CN": "按天、月或年计的会员资格，再次购买自动顺延，到期前邮件提醒。",
        "en": "Days, months or years of membership. Bought again it is prolonged, and before it ends a mail reminds.",
    }
    Config = Config
    stock: ClassVar[Stock] = "made"
    acts = acts.ACTS

    async def check(self, tx: TenantTx, config: Any) -> None:
        # A period that is bought in the grace of the one before must not be over already; nor should one be reminded of what begins.
        if max(config.grace_days, config.remind_days) >= config.span.days_min:
            raise Unprocessable("grace_days and remind_days are less than a period has. Nothing was saved.", code="bad_config")

    async def fulfil(self, tx: TenantTx, keyring: Keyring, job: Job) -> Done | Later | Failed:
        await members.alone(tx, job.shopper_id)
        try:
            await members.extend(tx, job)
        except (ValueError, OverflowError):
            return Failed("So many periods last longer than there are calendars.")
        return Done()

    async def revoke(self, tx: TenantTx, order_id: UUID, units: Sequence[int]) -> None:
        sql = "SELECT shopper_id FROM orders WHERE tenant_id = $1 AND id = $2"
        shopper_id = await tx.conn.fetchval(sql, tx.tenant_id, order_id)
        await members.alone(tx, shopper_id)
        await members.shorten(tx, shopper_id, units)

    async def prolong(self, tx: TenantTx, entitlement: Entitlement, days: int) -> None:
        await members.alone(tx, entitlement.shopper_id)
        await members.prolong(tx, entitlement, days)

    async def show(self, tx: TenantTx, keyring: Keyring, units: Sequence[int], told: Sequence[Content]) -> list[Shown]:
        shown = []
        for unit in units:
            try:
                period = await entitlements.of_unit(tx, unit)
            except NotFound:  # a person has fulfilled it otherwise
                shown += await super().show(tx, keyring, [unit], told)
                continue
            shown.append(Shown(unit, valid_until=_local(period).isoformat(timespec="seconds")))
        return shown

    async def tend(self, tx: TenantTx, entitlement: Entitlement) -> dt.datetime | None:
        """Remind of the end of the last period, if that is due; a later one will do so otherwise."""
        config = await members.config_of(tx, entitlement.sku_id)
        at = members.reminded_at(members.place(entitlement), config)
        if at is None or not await members.is_last(tx, entitlement):
            return None
        if await tx.conn.fetchval("SELECT now() < $1::timestamptz", at):
            return at
        await self._remind(tx, entitlement)
        await members.note_reminder(tx, entitlement)
        return None

    async def expired(self, tx: TenantTx, entitlement: Entitlement) -> None:
        if await members.is_last(tx, entitlement):
            await super().expired(tx, entitlement)

    async def _remind(self, tx: TenantTx, period: Entitlement) -> None:
        """To the contact of the order, if that is a mail address: who left a telephone number gets nothing."""
        sql = """SELECT (SELECT contact FROM orders WHERE tenant_id = $1 AND id = $2),
                        (SELECT name FROM sku WHERE tenant_id = $1 AND id = $3),
                        (SELECT sale_id FROM order_line WHERE tenant_id = $1 AND order_id = $2 AND sku_id = $3 LIMIT 1), name, slug, locale
                 FROM store WHERE tenant_id = $1"""
        row = await tx.conn.fetchrow(sql, tx.tenant_id, period.order_id, period.sku_id)
        contact, sku, sale_id, store, slug, locale = row
        if contact is not None and mails.is_address(contact):
            await mails.send(
                tx, contact, words.ENDING, locale="zh-CN" if locale.startswith("zh") else "en", sku=sku, store=store, slug=slug,
                sale=encode("sal", sale_id), until=f"{_local(period):%Y-%m-%d %H:%M}",
            )  # fmt: skip


def _local(period: Entitlement) -> dt.datetime:
    return members.end(period).astimezone(ZoneInfo(members.place(period).zone))


TYPE = MembershipType()
