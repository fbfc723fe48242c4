"""What is asked of a shopper for a line: the fields as a page shows them, with what he typed and what is wrong with it; and the answers to
an order that is there already.

Before the order the fields stand in the form that places it (`checkout`, `shop`). After it they stand on the order's page until it is paid,
and again when a top-up is sent back.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from api.storefront import facts, orders
from api.storefront import visit as visits
from api.storefront.language import Words
from api.storefront.rendering import Notice
from api.storefront.visit import AVisit, Visit
from checkout_core.errors import Conflict
from checkout_core.ids import decode, encode
from tenants import inputs
from tenants import orders as placed
from tenants.catalog import kinds
from tenants.catalog.kinds import Asked
from tenants.db import TenantTx, tenant_tx
from tenants.types import Asking
from tenants.types.fields import AGAIN, Fault, Field, faults
from tenants.types.topup import acts as topups

AT_STORE = {"visit": visits.at_store}
PREFIX = "in."
FIELDS_MAX = 400  # of a form that asks for several lines
_TYPES = {"mail": "email", "phone": "tel", "date": "date", "secret": "password"}
_MODES = {"digits": "numeric", "phone": "tel", "mail": "email"}
_FILL = {"mail": "email", "phone": "tel"}


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """`type` and `mode` are those of an input; a `choice` has none, but values to choose from."""

    id: str
    label: str
    type: str
    mode: str
    fill: str
    required: bool
    length_max: int
    choices: tuple[str, ...]
    hint: str
    value: str
    fault: str


class AskView(msgspec.Struct, frozen=True):
    """What is asked for one SKU."""

    name: str
    fields: tuple[FieldView, ...]

    @property
    def is_wrong(self) -> bool:
        return any(field.fault for field in self.fields)


class OrderAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What an order's page asks for one of its lines. `reason` is why it is asked again, `given` that it was answered before."""

    sale_ref: str
    ask: AskView
    given: bool
    reason: str | None


class OrderAsks(msgspec.Struct, frozen=True):
    """For an order's page: `missing` when something is to be said before it can be paid."""

    order_ref: str
    lines: tuple[OrderAsk, ...]
    missing: bool


def said(fields: Mapping[str, str], sku_id: UUID) -> dict[str, str]:
    """What a form says of one SKU, by field; nothing of what was left empty."""
    prefix = f"{PREFIX}{sku_id.hex}."
    return {name[len(prefix) :]: value for name, value in fields.items() if name.startswith(prefix) and value}


def speaks(fields: Mapping[str, str]) -> bool:
    """Whether the form had any such field: one that had none is told on the order's page what is missing."""
    return any(name.startswith(PREFIX) for name in fields)


def wrong(asked: Sequence[Asked], fields: Mapping[str, str]) -> dict[UUID, dict[str, Fault]]:
    """By SKU, what cannot be taken of what a form says; empty when all of it can."""
    found = {each.sku_id: faults(each.fields, said(fields, each.sku_id)) for each in asked}
    return {sku_id: each for sku_id, each in found.items() if each}


def view(asked: Asked, t: Words, given: Mapping[str, str], found: Mapping[str, Fault]) -> AskView:
    """The fields with what was typed; what is secret is typed anew."""
    shown: list[FieldView] = []
    for field in asked.fields:
        shown.append(_field(asked.sku_id, field, t, given, found))
        if field.confirm:
            shown.append(_field(asked.sku_id, field, t, given, found, again=True))
    return AskView(asked.name, tuple(shown))


async def give(tx: TenantTx, visit: Visit, order_id: UUID, shopper_id: UUID, fields: Mapping[str, str]) -> None:
    """Keep what a form says of the lines of an order that was just made of it."""
    for form in await inputs.forms(tx, order_id):
        if answers := said(fields, form.sku_id):
            await inputs.give(tx, visit.process.keyring, order_id, form.sale_id, answers, shopper_id=shopper_id)


async def of_order(visit: Visit, tenant_id: UUID, order_id: UUID) -> OrderAsks:
    """What the order's page asks for: all that is to be said while it awaits its payment, and what was sent back."""
    async with tenant_tx(visit.process.app_pool, tenant_id) as tx:
        return await _asks(visit, tx, order_id, {}, {})


@get("/orders/{order:str}/inputs/{sale:str}", dependencies=AT_STORE)
async def show(visit: AVisit, order: FromPath[str], sale: FromPath[str]) -> Response[bytes]:
    """The form of one line by itself."""
    return await _page(visit, await orders.owner_of(visit, order), decode("sal", sale), {}, {})


@post("/orders/{order:str}/inputs/{sale:str}", dependencies=AT_STORE, status_code=200)
async def answered(visit: AVisit, order: FromPath[str], sale: FromPath[str]) -> Response[bytes]:
    """Keep it, and back to the order; what cannot be taken is said at its field."""
    fields = await visit.form()
    owner, sale_id = await orders.owner_of(visit, order), decode("sal", sale)
    async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
        known = await placed.get(tx, owner.order_id, shopper_id=owner.shopper_id)
        form = next((each for each in await inputs.forms(tx, owner.order_id) if each.sale_id == sale_id), None)
        if form is None:
            return visit.go(f"/orders/{order}")  # nothing is asked there
        answers = said(fields, form.sku_id)
        found = faults(form.fields, answers)
        if not found:
            with suppress(Conflict):  # it is too late to change this: the order's page tells how far it is
                await _keep(visit, tx, known.shopper_id, known.state, owner.order_id, sale_id, answers)
    if found:
        return await _page(visit, owner, sale_id, {form.sku_id: answers}, {form.sku_id: found}, status=400)
    return visit.go(f"/orders/{order}")


async def _keep(visit: Visit, tx: TenantTx, shopper_id: UUID, state: str, order_id: UUID, sale_id: UUID, answers: dict[str, str]) -> None:
    if state != "paid":
        await inputs.give(tx, visit.process.keyring, order_id, sale_id, answers, shopper_id=shopper_id)
        return
    asking = Asking(tx, visit.process.keyring, encode("shp", shopper_id), shopper_id)
    request = topups.TopUpCorrection(order_id=encode("ord", order_id), sale_id=encode("sal", sale_id), values=answers)
    await topups.correct(asking, request)


async def _page(
    visit: Visit, owner: "orders.Owner", sale_id: UUID, given: Mapping[UUID, Mapping[str, str]], found: Mapping[UUID, Mapping[str, Fault]],
    *, status: int = 200,
) -> Response[bytes]:  # fmt: skip
    async with tenant_tx(visit.process.app_pool, owner.tenant_id) as tx:
        await placed.get(tx, owner.order_id, shopper_id=owner.shopper_id)
        asks = await _asks(visit, tx, owner.order_id, given, found)
    line = next((each for each in asks.lines if each.sale_ref == encode("sal", sale_id)), None)
    if line is None:
        return visit.go(f"/orders/{asks.order_ref}")
    t = visit.words
    notice = Notice(t("inputs.wrong.title"), t("inputs.wrong.text"), "bad") if found else None
    visit.page.path = f"/orders/{asks.order_ref}/inputs/{line.sale_ref}"
    return visit.render("inputs_page.html", status=status, asks=asks, line=line, notice=notice)


async def _asks(
    visit: Visit, tx: TenantTx, order_id: UUID, given: Mapping[UUID, Mapping[str, str]], found: Mapping[UUID, Mapping[str, Fault]]
) -> OrderAsks:
    order = await placed.get(tx, order_id)
    forms = await inputs.forms(tx, order_id) if order.state in ("awaiting", "paid") else []
    back: dict[str, str | None] = {}
    if forms and order.state == "paid":
        asking = Asking(tx, visit.process.keyring, encode("shp", order.shopper_id), order.shopper_id)
        told = await topups.status(asking, topups.TopUpsOfOrder(order_id=encode("ord", order_id)))
        back = {each.sale_id: each.reason for each in told.topups if each.state == "sent_back"}
    names = await kinds.asked(tx, [form.sku_id for form in forms], visit.locale)
    lines = []
    for form in forms:
        ref = encode("sal", form.sale_id)
        if order.state == "awaiting" or ref in back:
            [asked] = names[form.sku_id]
            ask = view(asked, visit.words, given.get(form.sku_id, {}), found.get(form.sku_id, {}))
            lines.append(OrderAsk(sale_ref=ref, ask=ask, given=form.given, reason=back.get(ref)))
    missing = order.state == "awaiting" and any(not form.given and any(field.required for field in form.fields) for form in forms)
    return OrderAsks(encode("ord", order_id), tuple(lines), missing)


def _field(sku_id: UUID, field: Field, t: Words, given: Mapping[str, str], found: Mapping[str, Fault], *, again: bool = False) -> FieldView:
    name = field.name + (AGAIN if again else "")
    called = facts.label(field, t)
    fault = found.get(name)
    return FieldView(
        id=f"{PREFIX}{sku_id.hex}.{name}", label=t("inputs.again", label=called) if again else called,
        type=_TYPES.get(field.kind, "text"), mode=_MODES.get(field.kind, ""), fill="off" if again else _FILL.get(field.kind, "off"),
        required=field.required, length_max=field.max_length, choices=tuple(field.choices), hint="" if again else field.hint,
        value="" if field.kind == "secret" else given.get(name, ""), fault=_fault(fault, t) if fault else "",
    )  # fmt: skip


def _fault(fault: Fault, t: Words) -> str:
    return t(f"inputs.fault.{fault.code}", **{"least": 0, "most": 0, "hint": ""} | fault.told).strip()
