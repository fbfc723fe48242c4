"""What can be done with licences: by whoever holds the key, and by the merchant, who names the unit instead."""

import datetime as dt
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import decode, encode
from tenants import entitlements
from tenants.types.base import Act, Asking
from tenants.types.licence import licences
from tenants.types.licence.keys import LENGTH_MAX
from tenants.types.licence.licences import Licence, Verdict

DETAILS: Final[dict[Verdict, str]] = {
    "VALID": "The licence is good.",
    "NOT_FOUND": "There is no such licence. Look for a typing mistake.",
    "PRODUCT_SCOPE_MISMATCH": "The licence is for another product.",
    "REVOKED": "The licence was taken back, as its order was refunded.",
    "SUSPENDED": "The merchant has suspended the licence.",
    "EXPIRED": "The licence has come to its end.",
    "TOO_MANY_MACHINES": "The licence is on as many devices as it may be: deactivate one of them.",
    "NO_MACHINES": "The licence is not activated on any device.",
    "FINGERPRINT_SCOPE_MISMATCH": "The licence is not activated on this device.",
}
NUMBER: Final = 4711

Key = Annotated[str, Meta(min_length=1, max_length=LENGTH_MAX, examples=["ACME-7F3K9-QXM2D-8HVEP-3MRYA-0B5TC-J6NW1"])]
Device = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", examples=["9b1c6d0e-studio-mac"])]
Unit = Annotated[int, Meta(ge=1, le=(1 << 63) - 1, examples=[NUMBER])]
Sku = Annotated[str, Meta(max_length=64)]


class LicenceOnDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`device` is what your program calls it: a fingerprint that stays, or a name."""

    key: Key
    device: Device


class LicenceToValidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With `device`, whether it is activated there; with `sku_id`, whether it is for that product: a key of your other one is not."""

    key: Key
    device: Device | None = None
    sku_id: Sku | None = None


class LicenceKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: Key


class LicencesOfOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order_id: Annotated[str, Meta(max_length=64)]


class LicenceUnit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    unit: Unit


class LicenceUnitOnDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    unit: Unit
    device: Device


class LicenceStanding(msgspec.Struct, frozen=True):
    """`code` is for programs: `VALID`, or why it is not. `devices` of `devices_max` are activated."""

    valid: Annotated[bool, Meta(examples=[True])]
    code: Annotated[Verdict, Meta(examples=["VALID"])]
    detail: Annotated[str, Meta(examples=[DETAILS["VALID"]])]
    sku_id: str | None = None
    expires_at: dt.datetime | None = None
    devices: Annotated[int, Meta(examples=[1])] = 0
    devices_max: Annotated[int, Meta(examples=[3])] = 0


class LicenceDevice(msgspec.Struct, frozen=True):
    device: Device
    activated_at: Annotated[dt.datetime, Meta(examples=["2026-11-11T10:05:00Z"])]


class LicenceDevices(msgspec.Struct, frozen=True):
    """Those that it is activated on, the first one first."""

    licence: LicenceStanding
    devices: list[LicenceDevice]


class LicenceOfOrder(msgspec.Struct, frozen=True):
    unit: Unit
    licence: LicenceStanding
    devices: list[LicenceDevice]


class LicenceList(msgspec.Struct, frozen=True):
    licences: list[LicenceOfOrder]


async def activate(asking: Asking, on: LicenceOnDevice) -> LicenceStanding:
    """Raises `NotFound`, and `Conflict` with the verdict in small letters. Activated again on the same device, it stays the one time."""
    tx = asking.tx
    licence = await licences.find(tx, asking.keyring, on.key)
    _must_be_usable(licence)
    licence = await licences.begin(tx, licence)
    _must_be_usable(licence)
    granted = licence.entitlement
    assert granted is not None, "it is sold, so it has begun"
    if not await entitlements.use(tx, granted.id, on.device, actor=asking.actor, most=licence.config.devices_max):
        raise _refused("TOO_MANY_MACHINES")
    if granted.valid_until is None and licence.config.days is not None:
        await entitlements.save(tx, msgspec.structs.replace(granted, valid_until=licence.first_end(licence.now)))
    return _standing(await licences.of_unit(tx, licence.unit))


async def validate(asking: Asking, question: LicenceToValidate) -> LicenceStanding:
    """Answers whatever the key is: a program asks this each time it starts. Nothing is written."""
    try:
        licence = await licences.find(asking.tx, asking.keyring, question.key)
    except NotFound:
        return LicenceStanding(valid=False, code="NOT_FOUND", detail=DETAILS["NOT_FOUND"])
    sku_id = decode("sku", question.sku_id) if question.sku_id is not None else None
    verdict = licence.verdict(device=question.device, sku_id=sku_id)
    return _standing(licence, verdict)


async def deactivate(asking: Asking, on: LicenceOnDevice) -> LicenceStanding:
    """Deactivated again, or where it never was, nothing changes. Raises `NotFound`."""
    licence = await licences.find(asking.tx, asking.keyring, on.key)
    return _standing((await _freed(asking, licence, on.device))[0])


async def activations(asking: Asking, of: LicenceKey) -> LicenceDevices:
    """Raises `NotFound`."""
    licence = await licences.find(asking.tx, asking.keyring, of.key)
    return LicenceDevices(_standing(licence), _devices(licence))


async def inspect(asking: Asking, of: LicencesOfOrder) -> LicenceList:
    """What was sold with an order, also after its refund; never the keys. Raises `NotFound` when there is no licence in it."""
    found = await licences.of_order(asking.tx, decode("ord", of.order_id))
    if not found:
        raise NotFound("There is no such order, or no licence was delivered with it.")
    return LicenceList([LicenceOfOrder(licence.unit, _standing(licence), _devices(licence)) for licence in found])


async def suspend(asking: Asking, of: LicenceUnit) -> LicenceStanding:
    """Raises `NotFound`, and `Conflict` (`revoked`) for one that was taken back."""
    return await _suspend(asking, of.unit, suspended=True)


async def reinstate(asking: Asking, of: LicenceUnit) -> LicenceStanding:
    """Raises as `suspend`."""
    return await _suspend(asking, of.unit, suspended=False)


async def free(asking: Asking, of: LicenceUnitOnDevice) -> LicenceStanding:
    """A device that is lost can deactivate nothing itself. Raises `NotFound`."""
    licence, was_there = await _freed(asking, await licences.of_unit(asking.tx, of.unit), of.device)
    if was_there:
        await asking.tx.audit(asking.actor, "licence.device_freed", encode("ord", licence.order_id), unit=of.unit)
    return _standing(licence)


async def _suspend(asking: Asking, unit: int, *, suspended: bool) -> LicenceStanding:
    tx = asking.tx
    licence = await licences.begin(tx, await licences.of_unit(tx, unit))
    granted = licence.entitlement
    if granted is None or licence.verdict() == "REVOKED":
        raise _refused("REVOKED")
    if licence.is_suspended != suspended:
        await entitlements.save(tx, msgspec.structs.replace(granted, data={"suspended": True} if suspended else {}))
        action = "licence.suspended" if suspended else "licence.reinstated"
        await tx.audit(asking.actor, action, encode("ord", licence.order_id), unit=unit)
    return _standing(await licences.of_unit(tx, unit))


async def _freed(asking: Asking, licence: Licence, device: str) -> tuple[Licence, bool]:
    if licence.entitlement is None:
        return licence, False
    await entitlements.get(asking.tx, licence.entitlement.id, lock=True)
    was_there = await entitlements.give_back(asking.tx, licence.entitlement.id, device)
    return await licences.of_unit(asking.tx, licence.unit), was_there


def _must_be_usable(licence: Licence) -> None:
    verdict = licence.verdict()
    if verdict not in ("VALID", "TOO_MANY_MACHINES"):  # a device that it is on already may say so again
        raise _refused(verdict)


def _refused(verdict: Verdict) -> Conflict:
    return Conflict(f"{DETAILS[verdict]} Nothing was changed.", code=verdict.lower())


def _standing(licence: Licence, verdict: Verdict | None = None) -> LicenceStanding:
    code = verdict or licence.verdict()
    about = (encode("sku", licence.sku_id), licence.expires_at, len(licence.devices), licence.config.devices_max)
    return LicenceStanding(code == "VALID", code, DETAILS[code], *about)


def _devices(licence: Licence) -> list[LicenceDevice]:
    return [LicenceDevice(use.name, use.used_at) for use in licence.devices]


ACTS: Final = (
    Act("activate", "anyone", "Put a licence on a device", LicenceOnDevice, LicenceStanding, activate),
    Act("validate", "anyone", "Ask whether a licence is good, and on this device", LicenceToValidate, LicenceStanding, validate),
    Act("deactivate", "anyone", "Take a licence off a device", LicenceOnDevice, LicenceStanding, deactivate),
    Act("activations", "anyone", "The devices that a licence is on", LicenceKey, LicenceDevices, activations),
    Act("inspect", "orders:read", "The licences of an order, and the devices they are on", LicencesOfOrder, LicenceList, inspect),
    Act("suspend", "orders:write", "Suspend a licence until it is reinstated", LicenceUnit, LicenceStanding, suspend),
    Act("reinstate", "orders:write", "A suspended licence is good again", LicenceUnit, LicenceStanding, reinstate),
    Act("free", "orders:write", "Take a licence off a device that cannot do so itself", LicenceUnitOnDevice, LicenceStanding, free),
)
