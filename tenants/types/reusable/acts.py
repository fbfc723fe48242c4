"""What can be done with a reusable code: changed, by who may write into the vault, and seen when it was."""

import datetime as dt
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from checkout_core.errors import Unprocessable
from checkout_core.ids import decode
from tenants.types.base import Act, Asking
from tenants.types.reusable import versions
from tenants.vault import Content, codes

Sku = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=codes.LENGTH_MAX, pattern=r"\S")]


class ReusableCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`note` is for your own records."""

    sku_id: Sku
    code: Text
    secret: Text | None = None
    valid_until: Text | None = None
    note: Annotated[str, Meta(max_length=200)] = ""


class ReusableSku(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sku_id: Sku


class ReusableVersion(msgspec.Struct, frozen=True):
    """The code itself is in the vault, at `unit`."""

    unit: Annotated[int, Meta(examples=[4711])]
    operator: str
    note: str
    since: dt.datetime


class ReusableHistory(msgspec.Struct, frozen=True):
    """Newest first; the first is what is sold now. At most 100."""

    versions: list[ReusableVersion]


async def change(asking: Asking, to: ReusableCode) -> ReusableHistory:
    """Changed to what it is, nothing changes. Raises `NotFound`, `Conflict` as `versions.change`, `Unprocessable` (`bad_code`)."""
    content = Content(_read(to.code), _read(to.secret, secret=True) if to.secret else None, to.valid_until and codes.trim(to.valid_until))
    sku_id = decode("sku", to.sku_id)
    if await versions.change(asking.tx, asking.keyring, sku_id, content, actor=asking.actor, note=to.note):
        await asking.tx.audit(asking.actor, "reusable.code_changed", to.sku_id)
    return await _history(asking, sku_id)


async def history(asking: Asking, of: ReusableSku) -> ReusableHistory:
    """Raises `NotFound`, and `Conflict` (`not_reusable`)."""
    sku_id = decode("sku", of.sku_id)
    await versions.check(asking.tx, sku_id)
    return await _history(asking, sku_id)


async def _history(asking: Asking, sku_id: UUID) -> ReusableHistory:
    found = await versions.history(asking.tx, sku_id)
    return ReusableHistory([ReusableVersion(each.unit, each.operator, each.note, each.since) for each in found])


def _read(text: str, *, secret: bool = False) -> str:
    trimmed = codes.trim(text)
    if reason := codes.fault(trimmed, secret=secret):
        what = "secret" if secret else "code"
        raise Unprocessable(f"{what}: {codes.SENTENCES[reason]} Nothing was changed.", code="bad_code", reason=reason)
    return trimmed


ACTS: Final = (
    Act("change", "vault:write", "Change a reusable code: who buys from now on gets the new one", ReusableCode, ReusableHistory, change),
    Act("history", "vault:read", "When a reusable code was changed, and by whom", ReusableSku, ReusableHistory, history),
)
