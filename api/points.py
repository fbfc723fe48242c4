"""HTTP for points and levels: what the store says of them, an account as the store's people see it, and as its shopper does."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct, structs

from api.callers import Merchant
from api.etags import Tagged, if_match
from api.guards import needs, shopper, while_open
from api.idempotency import Once
from api.paging import Page
from api.process import Process
from api.wire import id_of
from checkout_core.errors import Unprocessable
from checkout_core.ids import decode, encode
from checkout_core.tokens import Shopper
from tenants.db import TenantTx
from tenants.points import acts, levels, program, read

AMOUNT_MAX = 1_000_000_000


class NewLevel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With an `id` the level that is there already; members keep it. `group_id` is a group of buyers, whose prices it has."""

    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\S")]
    growth: Annotated[int, Meta(ge=1, le=program.GROWTH_MAX)]
    earn_percent: Annotated[int, Meta(ge=100, le=1000)] = 100
    group_id: Annotated[str, id_of("grp")] | None = None
    id: Annotated[str, id_of("lvl")] | None = None


class NewPointsProgram(program.Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it: what is not named is as it is for a store that never said anything. `levels` from the lowest."""

    levels: Annotated[list[NewLevel], Meta(max_length=program.LEVELS_MAX)] = []


class PointsLevel(Struct, frozen=True):
    """From `growth` on; who has it earns `earn_percent` of the points, at the prices of the group."""

    id: str
    name: str
    growth: int
    earn_percent: int
    group_id: str | None

    @classmethod
    def of(cls, level: program.Level) -> "PointsLevel":
        group = encode("grp", level.group_id) if level.group_id else None
        return cls(encode("lvl", level.id), level.name, level.growth, level.earn_percent, group)


class PointsProgram(program.Rules, frozen=True, kw_only=True):
    """What the store says of points and levels."""

    levels: list[PointsLevel]


class PointsStanding(Struct, frozen=True):
    """`level` null is none yet. `until` is when it must have been earned again; null for one that is for ever. `missing` is the growth that
    `next` takes still."""

    level: PointsLevel | None
    growth: int
    since: dt.datetime | None
    until: dt.datetime | None
    in_grace: bool
    next: PointsLevel | None
    missing: int


class PointsAccount(Struct, frozen=True):
    """`balance` is what is `available` and what is `held` together. `owed` is taken from what comes next. `expiring` of them are over at
    `expires_at`. `sign_in_points` is what signing in brings today: 0 where it brings none, or did."""

    balance: int
    available: int
    held: int
    owed: int
    expiring: int
    expires_at: dt.datetime | None
    standing: PointsStanding
    signed_in_today: bool
    sign_in_points: int

    @classmethod
    def of(cls, found: read.Account) -> "PointsAccount":
        at = found.standing
        level = PointsLevel.of(at.level) if at.level else None
        coming = PointsLevel.of(at.next) if at.next else None
        standing = PointsStanding(level, at.growth, at.since, at.until, at.in_grace, coming, at.missing)
        return cls(
            found.balance, found.available, found.held, found.owed, found.expiring, found.expires_at, standing,
            found.signed_in_today, found.sign_in_points,
        )  # fmt: skip


class LevelChange(Struct, frozen=True):
    """`name` as the level was called then; null is no level any more."""

    name: str | None
    growth: int
    at: dt.datetime


class PointsAccountWithLevels(Struct, frozen=True):
    """`levels` are the last twenty changes, the last first."""

    account: PointsAccount
    levels: list[LevelChange]


class PointsEntry(Struct, frozen=True):
    """`kind`: order, sign_in, staff, refund, owed, expired. `number` counts the account's entries; `balance` is what there was after it."""

    number: int
    amount: int
    kind: str
    balance: int
    order_id: str | None
    reason: str | None
    at: dt.datetime

    @classmethod
    def of(cls, found: read.Entry) -> "PointsEntry":
        order_id = encode("ord", found.order_id) if found.order_id else None
        return cls(found.number, found.amount, found.kind, found.balance, order_id, found.note, found.at)


class PointsStatement(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    entries: list[PointsEntry]
    next_cursor: str | None


class Adjustment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many are given, or taken when `amount` is negative. The shopper reads the reason."""

    amount: Annotated[int, Meta(ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]


class SignedIn(Struct, frozen=True):
    """`points` is what it brought: 0 for who was there today already."""

    points: int
    account: PointsAccount


class PointsController(Controller):
    path = "/points"
    tags = ("Points",)

    @get("/program", guards=[needs("points:read")], operation_id="getPointsProgram", summary="What the store says of points and levels")
    async def program(self, tx: NamedDependency[TenantTx]) -> Tagged[PointsProgram]:
        return _program(await program.get(tx))

    @put(
        "/program",
        guards=[needs("points:write")],
        problems=[404, 412, 422, 428],
        opt={"if_match": True},
        operation_id="putPointsProgram",
        summary="Set all that the store says of points and levels; If-Match says which version was read",
    )
    async def change(
        self,
        data: JSONBody[NewPointsProgram],
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Tagged[PointsProgram]:
        rules = program.Rules(**{name: getattr(data, name) for name in program.Rules.__struct_fields__})
        wanted = [
            program.Wanted(
                decode("lvl", level.id) if level.id else None, level.name, level.growth, level.earn_percent,
                decode("grp", level.group_id) if level.group_id else None,
            )
            for level in data.levels
        ]  # fmt: skip
        return _program(await program.put(tx, rules, wanted, version=if_match(request), actor=merchant.actor))

    @get("/", guards=[shopper], operation_id="getMyPoints", summary="Your points and your level")
    async def mine(self, tx: NamedDependency[TenantTx], shopper: NamedDependency[Shopper]) -> PointsAccount:
        return PointsAccount.of(await read.account(tx, shopper.id))

    @get("/entries", guards=[shopper], operation_id="listMyPointsEntries", summary="Your statement of points, the last first")
    async def my_entries(
        self, tx: NamedDependency[TenantTx], shopper: NamedDependency[Shopper], page: NamedDependency[Page]
    ) -> PointsStatement:
        return await _statement(tx, shopper.id, page)

    @post(
        "/sign-ins",
        guards=[shopper, while_open],
        status_code=200,
        problems=[403, 409, 429],
        operation_id="signInForPoints",
        summary="Take today's points, once in a day of the store",
    )
    async def sign_in(
        self,
        request: Request[Any, Any, Any],
        process: NamedDependency[Process],
        tx: NamedDependency[TenantTx],
        shopper: NamedDependency[Shopper],
    ) -> SignedIn:
        await process.limits.check(("points", shopper.id.hex), connection=request)
        points = await acts.sign_in(tx, shopper.id)
        return SignedIn(points, PointsAccount.of(await read.account(tx, shopper.id)))


class ShopperPointsController(Controller):
    path = "/shoppers/{shopper_id:str}/points"
    tags = ("Points",)

    @get("/", guards=[needs("points:read")], operation_id="getPoints", summary="A shopper's points and level")
    async def account(self, shopper_id: FromPath[str], tx: NamedDependency[TenantTx]) -> PointsAccountWithLevels:
        who = decode("shp", shopper_id)
        await read.known(tx, who)
        changes = [LevelChange(each.name, each.growth, each.at) for each in await levels.history(tx, who)]
        return PointsAccountWithLevels(PointsAccount.of(await read.account(tx, who)), changes)

    @get("/entries", guards=[needs("points:read")], operation_id="listPointsEntries", summary="A shopper's statement, the last first")
    async def entries(self, shopper_id: FromPath[str], tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> PointsStatement:
        who = decode("shp", shopper_id)
        await read.known(tx, who)
        return await _statement(tx, who, page)

    @post(
        "/entries",
        guards=[needs("points:write")],
        problems=[409, 422],
        operation_id="adjustPoints",
        summary="Give a shopper points, or take some that he may spend",
    )
    async def adjust(
        self, shopper_id: FromPath[str], data: JSONBody[Adjustment], once: NamedDependency[Once], merchant: NamedDependency[Merchant]
    ) -> PointsEntry:
        who = decode("shp", shopper_id)
        if not data.amount:
            raise Unprocessable("Say how many: 0 points are neither given nor taken.", code="no_amount")

        async def adjust() -> PointsEntry:
            return PointsEntry.of(await acts.adjust(once.tx, who, data.amount, data.reason, actor=merchant.actor))

        return await once(adjust())


async def _statement(tx: TenantTx, who: UUID, page: Page) -> PointsStatement:
    found = await read.entries(tx, who, limit=page.rows, before=page.after(int))
    return PointsStatement(*page.cut([PointsEntry.of(each) for each in found], [each.number for each in found]))


def _program(found: program.Program) -> Tagged[PointsProgram]:
    answer = PointsProgram(**structs.asdict(found.rules), levels=[PointsLevel.of(level) for level in found.levels])
    return Tagged(answer, version=found.version)
