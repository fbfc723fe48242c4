"""Files of prices: a price a line, for a SKU by its reference on a list by its name. All are checked first; nothing is half saved."""

from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from checkout_core.ids import encode
from tenants.catalog.imports.lines import NAMES as CATALOG_NAMES
from tenants.catalog.imports.lines import PROBLEMS_MAX, File, Line, LineProblem, Sheet, refused
from tenants.db import TenantTx
from tenants.money import minor_units
from tenants.prices import entries, lists
from tenants.prices.entries import Wanted

PRICE_MAX: Final = 100_000_000_000  # minor units, as the schema has it
QUANTITY_MAX: Final = 1_000
SHEET: Final = Sheet(
    {name: column for name, column in CATALOG_NAMES.items() if column in ("reference", "price")}
    | dict.fromkeys(["list", "pricelist", "价格表", "价目表"], "list")
    | dict.fromkeys(["leastquantity", "quantity", "起购数量", "最低数量", "数量"], "least_quantity"),
    {"list": "a price stands on a list", "reference": "a SKU is known by its reference", "price": "it is what the file is for"},
)


class PriceReport(msgspec.Struct, frozen=True, kw_only=True):
    """`lines` without the header and blank ones; how many prices are new, and how many were so already. `wrong` is how many problems there
    are; the first 100 are told."""

    columns: list[str]
    lines: int
    set: int
    unchanged: int
    wrong: int
    problems: list[LineProblem]


class Plan(NamedTuple):
    """By list what is written there."""

    lists: dict[UUID, entries.Planned]
    problems: list[LineProblem]


async def preview(tx: TenantTx, file: File) -> PriceReport:
    """What `load` would do. Nothing is kept."""
    await tx.unhurried()
    return _report(file, await _plan(tx, file))


async def load(tx: TenantTx, file: File, *, filename: str, actor: str) -> PriceReport:
    """Set what the file says: all of it, or nothing. What it does not name stays.

    Raises `Unprocessable` (`import_refused`) with what is wrong in which lines, `Conflict` (`too_many_entries`).
    """
    await tx.unhurried()
    plan = await _plan(tx, file)
    if plan.problems:
        raise refused(plan.problems)
    for list_id, planned in plan.lists.items():
        await entries.write(tx, list_id, planned)
    report = _report(file, plan)
    told = {"filename": filename[:200], "lines": report.lines, "set": report.set, "unchanged": report.unchanged}
    await tx.audit(actor, "prices.imported", encode("ten", tx.tenant_id), lists=[encode("prl", each) for each in plan.lists], **told)
    return report


def _report(file: File, plan: Plan) -> PriceReport:
    return PriceReport(
        columns=file.columns, lines=len(file.lines), set=sum(len(each.new) for each in plan.lists.values()),
        unchanged=sum(each.unchanged for each in plan.lists.values()), wrong=len(plan.problems), problems=plan.problems[:PROBLEMS_MAX],
    )  # fmt: skip


async def _plan(tx: TenantTx, file: File) -> Plan:
    problems = list(file.problems)
    # Of a file whose header is wrong no line says what it seems to.
    wanted = {} if problems and problems[0].line == 1 else await _wanted(tx, file, problems)
    # One list after the other in one order: of two files at once the second waits at its first list.
    planned = {list_id: await entries.plan(tx, list_id, [each for _, each in wanted[list_id]]) for list_id in sorted(wanted)}
    for list_id, plan in planned.items():
        problems += [LineProblem(wanted[list_id][each.place][0], "", each.why) for each in plan.problems]
    return Plan(planned, sorted(problems, key=lambda problem: problem.line))


async def _wanted(tx: TenantTx, file: File, problems: list[LineProblem]) -> dict[UUID, list[tuple[int, Wanted]]]:
    """By list: each line's number and price. What is wrong with a line by itself is added to `problems`."""
    currency = await tx.conn.fetchval("SELECT currency FROM store WHERE tenant_id = $1", tx.tenant_id)
    there = {each.name.strip().lower(): each.id for each in await lists.all_of(tx)}
    references = sorted({line.cells["reference"] for line in file.lines if "reference" in line.cells})
    sql = "SELECT reference, id FROM sku WHERE tenant_id = $1 AND reference = ANY($2)"
    skus = dict(await tx.conn.fetch(sql, tx.tenant_id, references))
    wanted: dict[UUID, list[tuple[int, Wanted]]] = {}
    for line in file.lines:
        list_id = there.get(line.cells.get("list", "").strip().lower())
        sku_id = skus.get(line.cells.get("reference", ""))
        least, minor = _quantity(line), _price(line, currency)
        faults = {
            "list": None if list_id else "There is no price list of this name.",
            "reference": None if sku_id else "There is no SKU with this reference.",
            "least_quantity": None if least else f"It is a number from 1 to {QUANTITY_MAX:,}.",
            "price": None if minor else f"It is no amount in {currency}, such as 19.90, or too small or too large.",
        }
        problems += [LineProblem(line.number, field, why) for field, why in faults.items() if why]
        if list_id and sku_id and least and minor:
            wanted.setdefault(list_id, []).append((line.number, Wanted(sku_id, least, minor)))
    return wanted


def _quantity(line: Line) -> int:
    """One where nothing is said; 0 for what is no quantity."""
    text = line.cells.get("least_quantity", "1").strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(QUANTITY_MAX)) else 0
    return number if number <= QUANTITY_MAX else 0


def _price(line: Line, currency: str) -> int:
    """0 for what is no price."""
    try:
        amount = minor_units(line.cells.get("price", ""), currency)
    except ValueError:
        return 0
    return amount if amount <= PRICE_MAX else 0
