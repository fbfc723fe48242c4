"""Channels: where an order came from, and where a sale or product is shown.

A channel is known by its code, which orders carry for ever: it is disabled, never removed. Showing is no lock: who knows the id of a sale
that his channel does not show can still buy of it.
"""

import re
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, Unprocessable
from checkout_core.ids import encode
from tenants import catalog, sales
from tenants.db import TenantTx

# What every store has. The first three are what an order carries that names none: its page's, or the API's.
BUILT_IN = {
    "web": "Web", "h5": "Mobile web (H5)", "api": "API", "app": "App", "mini_program": "Mini-program", "douyin": "Douyin",
    "kuaishou": "Kuaishou", "xiaohongshu": "Xiaohongshu", "live_room": "Live room", "reseller": "Reseller",
}  # fmt: skip
ALWAYS = frozenset({"web", "h5", "api"})
CHANNELS_MAX = 100
_CODE = re.compile(r"[a-z][a-z0-9_]{0,14}")  # `tokens.CHANNEL_MAX` bytes


class Channel(msgspec.Struct, frozen=True):
    code: str
    name: str
    is_built_in: bool
    is_enabled: bool


def is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


async def all_of(tx: TenantTx) -> list[Channel]:
    """What everybody has, then the store's own by code."""
    rows = await tx.conn.fetch("SELECT code, name, is_enabled FROM channel WHERE tenant_id = $1 ORDER BY code", tx.tenant_id)
    own = {row["code"]: Channel(row["code"], row["name"], row["code"] in BUILT_IN, row["is_enabled"]) for row in rows}
    built_in = [own.pop(code, Channel(code, name, True, True)) for code, name in BUILT_IN.items()]
    return [*built_in, *own.values()]


async def enabled(tx: TenantTx) -> frozenset[str]:
    """The codes that new orders may carry."""
    return frozenset(channel.code for channel in await all_of(tx) if channel.is_enabled)


async def put(tx: TenantTx, code: str, *, name: str, is_enabled: bool, actor: str) -> Channel:
    """Add a channel, or give one another name, or switch it. Raises `Unprocessable` for one that must stay, `Conflict` for too many."""
    if code in ALWAYS and not is_enabled:
        raise Unprocessable(f"Orders that name no channel carry {code}: it stays enabled.", code="channel_is_needed")
    await tx.in_line()
    known = {channel.code for channel in await all_of(tx)}
    if code not in known and len(known) >= CHANNELS_MAX:
        raise Conflict(f"A store has at most {CHANNELS_MAX} channels. Rename one that is not used.", code="too_many_channels")
    sql = """INSERT INTO channel (tenant_id, code, name, is_enabled) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, code) DO UPDATE SET name = $3, is_enabled = $4"""
    await tx.conn.execute(sql, tx.tenant_id, code, name, is_enabled)
    await tx.audit(actor, "channel.set", code, name=name, is_enabled=is_enabled)
    return Channel(code, name, code in BUILT_IN, is_enabled)


async def shown_in(tx: TenantTx, kind: Literal["sal", "prd"], subject_id: UUID) -> list[str] | None:
    """The channels that alone show the sale or product; None for all. Raises `NotFound`."""
    await _exists(tx, kind, subject_id)
    sql = "SELECT channels FROM visibility WHERE tenant_id = $1 AND subject_id = $2"
    found: list[str] | None = await tx.conn.fetchval(sql, tx.tenant_id, subject_id)
    return found


async def show_in(
    tx: TenantTx, kind: Literal["sal", "prd"], subject_id: UUID, channels: Sequence[str] | None, *, actor: str
) -> list[str] | None:
    """Show the sale or product in these channels only, in none when empty, in all when None. Raises `NotFound`, `Unprocessable`."""
    await _exists(tx, kind, subject_id)
    if channels is None:
        await tx.conn.execute("DELETE FROM visibility WHERE tenant_id = $1 AND subject_id = $2", tx.tenant_id, subject_id)
        chosen = None
    else:
        chosen = sorted(set(channels))
        check(frozenset(channel.code for channel in await all_of(tx)), *chosen)
        sql = """INSERT INTO visibility (tenant_id, subject_id, channels) VALUES ($1, $2, $3)
                 ON CONFLICT (tenant_id, subject_id) DO UPDATE SET channels = $3"""
        await tx.conn.execute(sql, tx.tenant_id, subject_id, chosen)
    await tx.audit(actor, "visibility.set", encode(kind, subject_id), channels=chosen)
    return chosen


def check(known: frozenset[str], *codes: str) -> None:
    """Raises `Unprocessable` for a code that is not `known`."""
    if unknown := [code for code in codes if code not in known]:
        raise Unprocessable(f"The store has no channel {unknown[0]!r}, or has disabled it.", code="unknown_channel", channels=sorted(known))


async def _exists(tx: TenantTx, kind: str, subject_id: UUID) -> None:
    await (sales.get(tx, subject_id) if kind == "sal" else catalog.get_product(tx, subject_id))


async def tells_apart(tx: TenantTx, one: str, other: str) -> bool:
    """Whether the store shows or asks anything else in one channel than in the other."""
    sql = """SELECT EXISTS (SELECT 1 FROM visibility WHERE tenant_id = $1 AND ($2 = ANY (channels)) <> ($3 = ANY (channels)))
                 OR EXISTS (SELECT 1 FROM price_list WHERE tenant_id = $1 AND state = 'on' AND channel IN ($2, $3))"""
    return bool(await tx.conn.fetchval(sql, tx.tenant_id, one, other))
