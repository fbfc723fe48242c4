"""What the templates see: plain values, already decided. A template chooses words and places, never rules."""

import datetime as dt
from uuid import UUID

import msgspec

from checkout_core import ids
from tenants.images import Image
from tenants.orders.receipt import Entitled

QUANTITY_MAX = 100  # of one order
# A policy's page, and the field of the store's settings that it shows.
POLICIES = {"refund": "refund_policy", "privacy": "privacy_policy", "terms": "terms"}


class StoreView(msgspec.Struct, frozen=True, kw_only=True):
    """What every page of a store shows of it. `policies` are those it has."""

    name: str
    slug: str
    banner: str = ""
    notice: str = ""
    footer: str = ""
    contact: str = ""
    seo_title: str = ""
    seo_description: str = ""
    policies: tuple[str, ...] = ()
    logo: Image | None = None
    hero: Image | None = None
    favicon: Image | None = None
    has_colors: bool = False
    color: str | None = None
    color_dark: str | None = None
    is_test: bool = False
    closed: bool = False
    closed_notice: str = ""
    opens_at: dt.datetime | None = None


class ChoiceView(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit is chosen by."""

    name: str
    label: str
    surcharge_minor: int


class SaleView(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as a shopper may know it.

    `left` is units free now; `held` whether others have some reserved and not paid, None when nobody looked.
    """

    id: UUID
    name: str
    product: str
    sku: str
    description: str
    state: str
    price_minor: int
    currency: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    limit_per_shopper: int
    hold_s: int
    left: int
    held: bool | None
    now: dt.datetime
    waiting_room: str = "off"
    choices: tuple[ChoiceView, ...] = ()  # of a picked one, those that are free

    @property
    def ref(self) -> str:
        return ids.encode("sal", self.id)

    @property
    def status(self) -> str:
        """open · soon · ended · paused · gone (none is free now) · reserved (some of them not paid yet: one may come back) · sold_out."""
        if self.state == "ended" or (self.ends_at and self.ends_at <= self.now):
            return "ended"
        if self.state == "paused":
            return "paused"
        if self.state == "not_started" or self.starts_at > self.now:
            return "soon"
        if self.left > 0:
            return "open"
        return {None: "gone", True: "reserved", False: "sold_out"}[self.held]

    @property
    def quantity_max(self) -> int:
        return min(self.limit_per_shopper or QUANTITY_MAX, QUANTITY_MAX)


class CodeView(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit is to its buyer. One that is neither a code nor a note was delivered all the same."""

    code: str | None
    secret: str | None = None
    valid_until: str | None = None
    face_value: str | None = None
    note: str | None = None


class CodesView(msgspec.Struct, frozen=True, kw_only=True):
    """What a line is to its buyer, and how it is used."""

    name: str
    items: tuple[CodeView, ...]
    usage_note: str = ""


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a paid order: what became of its units, what was chosen, and what it entitles to."""

    name: str
    quantity: int
    amount_minor: int
    part_of_bundle: bool
    delivered: int
    refunded: int
    waits: bool
    picks: tuple[str, ...]
    entitled: tuple[Entitled, ...]

    @property
    def state(self) -> str:
        """delivered · waiting (somebody has to fulfil it) · refunded · partly (of it was refunded)."""
        if self.refunded >= self.quantity:
            return "refunded"
        return "waiting" if self.waits or not self.delivered else "partly" if self.refunded else "delivered"


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as its owner may know it.

    `pay_until` is when the provider stops taking money for it, a little before the hold ends. `paying` is that the reader comes from
    the provider's page, and the payment is not known yet.
    """

    id: UUID
    state: str
    refusal: str | None
    sale_id: UUID
    name: str
    quantity: int
    items: tuple[tuple[str, int], ...]  # name and quantity of each line
    amount_minor: int
    currency: str
    created_at: dt.datetime
    hold_until: dt.datetime | None
    pay_until: dt.datetime | None
    now: dt.datetime
    paying: bool = False
    recoverable: bool = False  # there is a contact or a password to look it up with
    refunded_minor: int = 0  # went back, or is on its way
    coupons: tuple[tuple[str, int], ...] = ()  # by name, what each took off
    mailable: bool = False  # its contact is a mail address
    lines: tuple[LineView, ...] = ()  # of a paid one

    @property
    def showable(self) -> bool:
        """Whether there are codes to show: of some lines, perhaps, while others wait."""
        return self.state in ("paid", "delivered") and (any(line.delivered for line in self.lines) or self.state == "delivered")

    @property
    def ref(self) -> str:
        return ids.encode("ord", self.id)

    @property
    def sale_ref(self) -> str:
        return ids.encode("sal", self.sale_id)

    @property
    def over(self) -> bool:
        """Whether it can no longer be paid."""
        return self.pay_until is None or self.pay_until <= self.now

    @property
    def face(self) -> str:
        """Which of the page's faces is true now."""
        if self.state == "awaiting":
            return "closing" if self.over else "confirming" if self.paying else "awaiting"
        if self.state == "closing" and self.hold_until and self.hold_until > self.now:
            return "cancelling"
        return self.state

    @property
    def version(self) -> str:
        """Changes when the page does."""
        return f"{self.state}-over" if self.state == "awaiting" and self.over else self.state

    @property
    def changing(self) -> bool:
        """Whether the page may change without the reader doing anything."""
        return self.state in ("awaiting", "closing", "paid", "refunding")

    @property
    def step(self) -> int:
        """How many of reserved, paid, delivered are behind us."""
        return {"awaiting": 1, "closing": 1, "paid": 2, "delivered": 3}.get(self.state, 0)

    @property
    def left_s(self) -> float:
        return max(0.0, (self.pay_until - self.now).total_seconds()) if self.pay_until else 0.0
