"""Product types. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Any, Literal

from msgspec import Struct

from loadtests.client.core import Call


class Arrival(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: str


class Stay(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`already`: the guest has come, or gone, at `at`. `guest` is what the buyer said of who comes, and is told with `checked_in` only."""

    result: Literal["already", "checked_in", "checked_out", "revoked", "too_early", "too_late"]
    check_in: str
    check_out: str
    rooms: int
    at: dt.datetime | None = None
    guest: dict[str, Any] | None = None


class Wish(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Two dates, as 2026-12-31. The day of the check-out is no night."""

    sku_id: str
    check_in: str
    check_out: str


class Night(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`available` rooms are free, counted up to 100."""

    pick: str
    surcharge_minor: int
    available: int


class StayNights(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The picks to buy, each once for each room; `rooms` are free in all of these nights."""

    nights: list[Night]
    rooms: int


class LicenceOnDevice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`device` is what your program calls it: a fingerprint that stays, or a name."""

    key: str
    device: str


class LicenceStanding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`code` is for programs: `VALID`, or why it is not. `devices` of `devices_max` are activated."""

    valid: bool
    code: Literal[
        "EXPIRED",
        "FINGERPRINT_SCOPE_MISMATCH",
        "NOT_FOUND",
        "NO_MACHINES",
        "PRODUCT_SCOPE_MISMATCH",
        "REVOKED",
        "SUSPENDED",
        "TOO_MANY_MACHINES",
        "VALID",
    ]
    detail: str
    sku_id: str | None = None
    expires_at: dt.datetime | None = None
    devices: int = 0
    devices_max: int = 0


class LicenceToValidate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """With `device`, whether it is activated there; with `sku_id`, whether it is for that product: a key of your other one is not."""

    key: str
    device: str | None = None
    sku_id: str | None = None


class LicenceKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    key: str


class LicenceDevice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    device: str
    activated_at: dt.datetime


class LicenceDevices(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Those that it is activated on, the first one first."""

    licence: LicenceStanding
    devices: list[LicenceDevice]


class LicencesOfOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    order_id: str


class LicenceOfOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    unit: int
    licence: LicenceStanding
    devices: list[LicenceDevice]


class LicenceList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    licences: list[LicenceOfOrder]


class LicenceUnit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    unit: int


class LicenceUnitOnDevice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    unit: int
    device: str


class MembershipQuestion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """With `sku_id` of one kind of membership only."""

    sku_id: str | None = None


class MembershipView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`standing`: active, grace (it has ended, and can still be renewed as if it had not) or ended. `periods` have not ended yet."""

    sku_id: str
    shopper_id: str
    standing: Literal["active", "ended", "grace"]
    since: dt.datetime
    until: str
    grace_until: str
    periods: int


class Memberships(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`member`: whether one of these is active, or in its grace."""

    member: bool
    memberships: list[MembershipView]


class MemberQuestion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of a shopper, or of whoever left `contact` with an order. Anybody may leave any: ask by it only of somebody who has shown that it is
    his.
    """

    shopper_id: str | None = None
    contact: str | None = None
    sku_id: str | None = None


class ReusableCode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`note` is for your own records."""

    sku_id: str
    code: str
    secret: str | None = None
    valid_until: str | None = None
    note: str = ""


class ReusableVersion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The code itself is in the vault, at `unit`."""

    unit: int
    operator: str
    note: str
    since: dt.datetime


class ReusableHistory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Newest first; the first is what is sold now. At most 100."""

    versions: list[ReusableVersion]


class ReusableSku(Struct, frozen=True, kw_only=True, omit_defaults=True):
    sku_id: str


class Scan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """With `session` only tickets of that one are let in at this door."""

    code: str
    session: str | None = None


class TicketScan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`admitted`: let them in, this once. `good`: they could be. `already`: somebody was, at `admitted_at`. `holder` is what the buyer said
    of who comes, and is told with `admitted` only.
    """

    result: Literal["admitted", "already", "good", "revoked", "too_early", "too_late", "wrong_session"]
    session: str
    seat: str
    opens_at: dt.datetime
    closes_at: dt.datetime | None
    admitted_at: dt.datetime | None = None
    holder: dict[str, Any] | None = None


class Undo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`reason` is for your own records."""

    code: str
    reason: str


class Transfer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`values`: what the ticket's form asks of its holder, anew."""

    order_id: str
    sale_id: str
    values: dict[str, Any]


class Transferred(Struct, frozen=True, kw_only=True, omit_defaults=True):
    order_id: str


class TopUpToClaim(Struct, frozen=True, kw_only=True, omit_defaults=True):
    fulfilment_id: str


class TopUpClaim(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Yours `until` then; claimed again, for longer."""

    fulfilment_id: str
    until: str


class TopUpToSendBack(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`reason` is for the shopper."""

    fulfilment_id: str
    reason: str


class TopUpView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line. `due_at` is when it should be done; of one that is `sent_back` (for `reason`), when the shopper should have corrected it.
    `corrections_left` is how often it can still be sent back.
    """

    sale_id: str
    credited: str
    state: Literal["done", "failed", "refunded", "sent_back", "waiting"]
    due_at: dt.datetime
    reason: str | None
    corrections_left: int


class TopUpCorrection(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`values` are all that the line asks for, by field."""

    order_id: str
    sale_id: str
    values: dict[str, Any]


class TopUpsOfOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    order_id: str


class TopUpList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    topups: list[TopUpView]


def check_in_booking(body: Arrival) -> Call[Stay]:
    """The guest of a stay has come."""
    return Call(method="POST", path="/v1/types/booking/check_in", answers={200: Stay}, body=body)


def check_out_booking(body: Arrival) -> Call[Stay]:
    """The guest of a stay has gone."""
    return Call(method="POST", path="/v1/types/booking/check_out", answers={200: Stay}, body=body)


def nights_booking(body: Wish) -> Call[StayNights]:
    """The nights of a stay, what each costs on top, and how many rooms are free."""
    return Call(method="POST", path="/v1/types/booking/nights", answers={200: StayNights}, body=body)


def activate_licence(body: LicenceOnDevice) -> Call[LicenceStanding]:
    """Put a licence on a device."""
    return Call(method="POST", path="/v1/types/licence/activate", answers={200: LicenceStanding}, body=body)


def validate_licence(body: LicenceToValidate) -> Call[LicenceStanding]:
    """Ask whether a licence is good, and on this device."""
    return Call(method="POST", path="/v1/types/licence/validate", answers={200: LicenceStanding}, body=body)


def deactivate_licence(body: LicenceOnDevice) -> Call[LicenceStanding]:
    """Take a licence off a device."""
    return Call(method="POST", path="/v1/types/licence/deactivate", answers={200: LicenceStanding}, body=body)


def activations_licence(body: LicenceKey) -> Call[LicenceDevices]:
    """The devices that a licence is on."""
    return Call(method="POST", path="/v1/types/licence/activations", answers={200: LicenceDevices}, body=body)


def inspect_licence(body: LicencesOfOrder) -> Call[LicenceList]:
    """The licences of an order, and the devices they are on."""
    return Call(method="POST", path="/v1/types/licence/inspect", answers={200: LicenceList}, body=body)


def suspend_licence(body: LicenceUnit) -> Call[LicenceStanding]:
    """Suspend a licence until it is reinstated."""
    return Call(method="POST", path="/v1/types/licence/suspend", answers={200: LicenceStanding}, body=body)


def reinstate_licence(body: LicenceUnit) -> Call[LicenceStanding]:
    """A suspended licence is good again."""
    return Call(method="POST", path="/v1/types/licence/reinstate", answers={200: LicenceStanding}, body=body)


def free_licence(body: LicenceUnitOnDevice) -> Call[LicenceStanding]:
    """Take a licence off a device that cannot do so itself."""
    return Call(method="POST", path="/v1/types/licence/free", answers={200: LicenceStanding}, body=body)


def status_membership(body: MembershipQuestion) -> Call[Memberships]:
    """What you are a member of, and until when."""
    return Call(method="POST", path="/v1/types/membership/status", answers={200: Memberships}, body=body)


def check_membership(body: MemberQuestion) -> Call[Memberships]:
    """Whether somebody is a member, by his shopper id or his contact."""
    return Call(method="POST", path="/v1/types/membership/check", answers={200: Memberships}, body=body)


def change_reusable(body: ReusableCode) -> Call[ReusableHistory]:
    """Change a reusable code: who buys from now on gets the new one."""
    return Call(method="POST", path="/v1/types/reusable/change", answers={200: ReusableHistory}, body=body)


def history_reusable(body: ReusableSku) -> Call[ReusableHistory]:
    """When a reusable code was changed, and by whom."""
    return Call(method="POST", path="/v1/types/reusable/history", answers={200: ReusableHistory}, body=body)


def check_in_ticket(body: Scan) -> Call[TicketScan]:
    """Let the holder of a ticket in, once."""
    return Call(method="POST", path="/v1/types/ticket/check_in", answers={200: TicketScan}, body=body)


def undo_check_in_ticket(body: Undo) -> Call[TicketScan]:
    """Somebody was let in by mistake: the ticket is good again."""
    return Call(method="POST", path="/v1/types/ticket/undo_check_in", answers={200: TicketScan}, body=body)


def status_ticket(body: Scan) -> Call[TicketScan]:
    """Whether a ticket would let its holder in."""
    return Call(method="POST", path="/v1/types/ticket/status", answers={200: TicketScan}, body=body)


def transfer_ticket(body: Transfer) -> Call[Transferred]:
    """Say who comes in the place of the holder, until the door opens."""
    return Call(method="POST", path="/v1/types/ticket/transfer", answers={200: Transferred}, body=body)


def claim_topup(body: TopUpToClaim) -> Call[TopUpClaim]:
    """You are at it: nobody else takes it for a while."""
    return Call(method="POST", path="/v1/types/topup/claim", answers={200: TopUpClaim}, body=body)


def send_back_topup(body: TopUpToSendBack) -> Call[TopUpView]:
    """The account is wrong: ask the shopper again."""
    return Call(method="POST", path="/v1/types/topup/send_back", answers={200: TopUpView}, body=body)


def correct_topup(body: TopUpCorrection) -> Call[TopUpView]:
    """Say another account, when you are asked again."""
    return Call(method="POST", path="/v1/types/topup/correct", answers={200: TopUpView}, body=body)


def status_topup(body: TopUpsOfOrder) -> Call[TopUpList]:
    """How far the top-ups of your order are."""
    return Call(method="POST", path="/v1/types/topup/status", answers={200: TopUpList}, body=body)
