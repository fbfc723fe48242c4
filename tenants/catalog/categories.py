"""Categories: a store's own shelves, a tree of up to four levels. (A product's `category` is its kind of goods, and another matter.)"""

from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import Conflict, NotFound, PreconditionFailed, Unprocessable
from checkout_core.ids import encode, new_id
from tenants.db import TenantTx

LEVELS_MAX: Final = 4
CATEGORIES_MAX: Final = 500  # of a store, so that the tree is read whole


class Category(msgspec.Struct, frozen=True):
    """Siblings stand in the order of `position`, then of their making. `level` counts from 1."""

    id: UUID
    parent_id: UUID | None
    level: int
    position: int
    name: str
    version: int


_COLUMNS = ", ".join(Category.__struct_fields__)
# A category and all below it.
SUBTREE = """subtree AS (
    SELECT id FROM category WHERE tenant_id = $1 AND id = {of}
    UNION ALL SELECT c.id FROM subtree JOIN category c ON c.tenant_id = $1 AND c.parent_id = subtree.id)"""


async def all_of(tx: TenantTx, locale: str = "") -> list[Category]:
    """The whole tree, parents before their children, siblings in order; names in `locale` where they are translated."""
    sql = """SELECT c.id, parent_id, level, position, coalesce(t.name, c.name), version FROM category c
             LEFT JOIN translation t ON t.tenant_id = c.tenant_id AND t.subject_id = c.id AND t.locale = $2
             WHERE c.tenant_id = $1 ORDER BY level, position, c.id"""
    return [Category(*row) for row in await tx.conn.fetch(sql, tx.tenant_id, locale)]


async def get(tx: TenantTx, category_id: UUID) -> Category:
    """Raises `NotFound`."""
    if row := await tx.conn.fetchrow(f"SELECT {_COLUMNS} FROM category WHERE tenant_id = $1 AND id = $2", tx.tenant_id, category_id):
        return Category(*row)
    raise NotFound("There is no such category.")


async def create(tx: TenantTx, *, name: str, parent_id: UUID | None, position: int, actor: str) -> Category:
    """Raises `NotFound` for an unknown parent, `Unprocessable` (`too_deep`) below the fourth level, `Conflict` for too many."""
    await tx.in_line()
    if await tx.conn.fetchval("SELECT count(*) FROM category WHERE tenant_id = $1", tx.tenant_id) >= CATEGORIES_MAX:
        raise Conflict(f"A store has at most {CATEGORIES_MAX} categories. Remove one first.", code="too_many_categories")
    level = await _level_below(tx, parent_id)
    sql = f"INSERT INTO category (tenant_id, id, parent_id, level, position, name) VALUES ($1, $2, $3, $4, $5, $6) RETURNING {_COLUMNS}"
    category = Category(*await tx.conn.fetchrow(sql, tx.tenant_id, new_id(), parent_id, level, position, name))
    await tx.audit(actor, "category.created", encode("cat", category.id), name=name)
    return category


async def change(tx: TenantTx, category_id: UUID, changes: dict[str, Any], *, version: int | None, actor: str) -> Category:
    """Set `name`, `position`, or `parent_id`: all below comes along. `version` is the one that was read, None for whichever is current.

    Raises `NotFound`, `PreconditionFailed`, `Unprocessable` (`too_deep`, `below_itself`).
    """
    assert changes.keys() <= {"name", "position", "parent_id"}, changes.keys()
    await tx.in_line()
    before = await get(tx, category_id)
    if version not in (None, before.version):
        raise PreconditionFailed("The category was changed since you read it. Nothing was overwritten; read it again.")
    after = msgspec.structs.replace(before, **changes)
    if after == before:
        return before
    if after.parent_id != before.parent_id:
        await _move(tx, before, after.parent_id)
    sql = f"""UPDATE category SET name = $3, position = $4, parent_id = $5, version = version + 1
              WHERE tenant_id = $1 AND id = $2 RETURNING {_COLUMNS}"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, category_id, after.name, after.position, after.parent_id)
    await tx.audit(actor, "category.changed", encode("cat", category_id), fields=sorted(changes))
    return Category(*row)


async def delete(tx: TenantTx, category_id: UUID, *, actor: str) -> None:
    """Raises `NotFound`, and `Conflict` (`category_in_use`) while there are categories below it or products in it."""
    await get(tx, category_id)
    try:
        await tx.conn.execute("DELETE FROM category WHERE tenant_id = $1 AND id = $2", tx.tenant_id, category_id)
    except asyncpg.ForeignKeyViolationError:
        detail = "There are products in it, or categories below it. Move them first; nothing was removed."
        raise Conflict(detail, code="category_in_use") from None
    await tx.conn.execute("DELETE FROM translation WHERE tenant_id = $1 AND subject_id = $2", tx.tenant_id, category_id)
    await tx.audit(actor, "category.removed", encode("cat", category_id))


async def must_exist(tx: TenantTx, category_id: UUID | None) -> None:
    """Raises `NotFound` for a category that is named and not there."""
    if category_id is not None:
        await get(tx, category_id)


def paths(categories: list[Category]) -> dict[str, UUID]:
    """Each by the names from the top down: `Games/Steam`. Of two with the same path the first counts."""
    names: dict[UUID, str] = {}
    found: dict[str, UUID] = {}
    for each in categories:
        above = f"{names[each.parent_id]}/" if each.parent_id else ""
        names[each.id] = f"{above}{each.name}"
        found.setdefault(names[each.id], each.id)
    return found


async def _level_below(tx: TenantTx, parent_id: UUID | None) -> int:
    level = 1 if parent_id is None else (await get(tx, parent_id)).level + 1
    if level > LEVELS_MAX:
        raise _too_deep()
    return level


async def _move(tx: TenantTx, category: Category, parent_id: UUID | None) -> None:
    """Give it and all below it their new levels."""
    step = await _level_below(tx, parent_id) - category.level
    sql = (
        f"WITH RECURSIVE {SUBTREE.format(of='$2')} SELECT c.id, c.level FROM category c WHERE c.tenant_id = $1 AND c.id IN (TABLE subtree)"
    )
    below = dict(await tx.conn.fetch(sql, tx.tenant_id, category.id))
    if parent_id in below:
        raise Unprocessable("A category cannot stand below itself. Nothing was changed.", code="below_itself")
    if max(below.values()) + step > LEVELS_MAX:
        raise _too_deep()
    sql = "UPDATE category SET level = level + $3 WHERE tenant_id = $1 AND id = ANY($2)"
    await tx.conn.execute(sql, tx.tenant_id, list(below), step)


def _too_deep() -> Unprocessable:
    return Unprocessable(f"Categories have at most {LEVELS_MAX} levels. Nothing was changed.", code="too_deep")
