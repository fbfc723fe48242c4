"""Product types: one folder each, found by being there. `docs/guides/product-type.md` adds one.

The checkout knows nothing of types: it holds and sells units, which were made ahead. A type says what makes a unit (`stock`), what the
shopper must say before he pays (`fields`), what happens once he has paid (`fulfil`), what he is shown (`show`), and what a refund ends
(`revoke`). What its units entitle to lives in `tenants.entitlements`, so that a type brings no tables of its own.
"""

import datetime as dt
import importlib
import os
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from checkout_core.errors import Unprocessable
from tenants.db import TenantTx
from tenants.types.base import Act, Asking, Done, Failed, Job, Later, Line, Part, ProductType, Shown, Sku

__all__ = [
    "DEFAULT", "TYPES", "Act", "Asking", "Done", "Failed", "Job", "Later", "Line", "Part", "ProductType", "Shown", "Sku",
    "at_once", "configured", "find", "of", "refundable", "revoke", "that_ask",
]  # fmt: skip

DEFAULT: Final = "code"


def find(folders: Sequence[str]) -> dict[str, ProductType]:
    """The types in `folders`, by name: each package in there holds one as `TYPE`, of the package's own name."""
    return {type_.name: type_ for type_ in _found(folders)}


def _found(folders: Sequence[str]) -> Iterator[ProductType]:
    for module in sorted(pkgutil.iter_modules(folders, f"{__name__}."), key=lambda module: module.name):
        if module.ispkg:
            type_: ProductType = importlib.import_module(module.name).TYPE
            assert module.name.endswith(f".{type_.name}"), f"the type in {module.name} calls itself {type_.name}"
            yield type_


# Folders of types besides ours, for an installation's own; as in PATH.
__path__ += [folder for folder in os.environ.get("TESSERA_TYPES_PATH", "").split(os.pathsep) if folder]
TYPES: Final = find(__path__)


def of(name: str) -> ProductType:
    """Raises `Unprocessable` (`unknown_type`)."""
    if type_ := TYPES.get(name):
        return type_
    raise Unprocessable(f"There is no product type {name[:32]!r}.", code="unknown_type", types=sorted(TYPES))


def at_once() -> list[str]:
    """The types whose units are delivered by the payment itself."""
    return [name for name, type_ in TYPES.items() if type_.at_once]


def that_ask() -> list[str]:
    """The types that may want to know something before a shopper pays."""
    return [name for name, type_ in TYPES.items() if type(type_).fields is not ProductType.fields]


def configured(type_: ProductType, config: dict[str, Any]) -> msgspec.Struct:
    """What a SKU tells its type, read strictly. Raises `Unprocessable` (`bad_config`), which names the field."""
    try:
        return msgspec.convert(config, type_.Config)
    except msgspec.ValidationError as error:
        raise Unprocessable(f"config of type {type_.name}: {error}. Nothing was saved.", code="bad_config") from None


async def refundable(tx: TenantTx, order_id: UUID, at: dt.datetime) -> dict[UUID, tuple[int, int]]:
    """By the sale of each line of an order: what was paid for what is still the shopper's, and how much of that its type's rule gives
    back."""
    sql = """SELECT sale_id, k.*, ARRAY(
                 SELECT ROW(id, coalesce(paid_minor, l.unit_price_minor)) FROM unit
                 WHERE tenant_id = $1 AND sale_id = l.sale_id AND order_id = $2 AND state = 'sold' AND shopper_id =
                     (SELECT shopper_id FROM orders WHERE tenant_id = $1 AND id = $2) ORDER BY id) AS paid
             FROM order_line AS l CROSS JOIN LATERAL (
                 SELECT id, name, currency, price_minor, type, config FROM sku WHERE tenant_id = $1 AND id = l.sku_id OFFSET 0) AS k
             WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"""
    found = {}
    for row in await tx.conn.fetch(sql, tx.tenant_id, order_id):
        type_ = of(row["type"])
        config = configured(type_, msgspec.json.decode(row["config"]))
        sku = Sku(row["id"], row["name"], row["currency"], row["price_minor"], config)
        line = Line(order_id, row["sale_id"], sku, dict(map(tuple, row["paid"])))
        found[line.sale_id] = (sum(line.paid.values()), await type_.refundable(tx, line, at))
    return found


async def revoke(tx: TenantTx, order_id: UUID, units: Mapping[UUID, Sequence[int]]) -> None:
    """These units of an order, by the sale of their line, are being refunded: end what they entitle to, type by type, and what was still to
    be done of these lines. They are still sold; a line that waits to be fulfilled is here with all of its units."""
    sql = """SELECT sale_id, (SELECT type FROM sku WHERE tenant_id = $1 AND id = l.sku_id) FROM order_line AS l
             WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"""
    later = []
    for sale_id, name in await tx.conn.fetch(sql, tx.tenant_id, order_id):
        if sale_id not in units:
            continue
        type_ = of(name)
        if not type_.at_once:
            later.append(sale_id)
        if type(type_).revoke is not ProductType.revoke or not type_.at_once:
            await type_.revoke(tx, order_id, sorted(units[sale_id]))
    if later:
        # By id: asked for what is pending, a young database reads the whole queue, and keeps its plan.
        sql = """UPDATE fulfilment SET state = 'revoked', finished_at = now(), next_try_at = NULL
                 WHERE tenant_id = $1 AND state = 'pending' AND id = ANY(ARRAY(
                     SELECT id FROM fulfilment WHERE tenant_id = $1 AND order_id = $2 AND sale_id = ANY($3)))"""
        await tx.conn.execute(sql, tx.tenant_id, order_id, later)
