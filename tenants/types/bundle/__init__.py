"""Bundles: several SKUs at one price. A bundle has no units: an order of one is an order of its parts, at shares of its price."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from checkout_core.errors import Unprocessable
from checkout_core.ids import decode
from tenants.db import TenantTx
from tenants.types.base import Part, ProductType, Stock

PARTS_MAX: Final = 20
QUANTITY_MAX: Final = 100
WEIGHT_MAX: Final = 100_000_000_000  # that of the dearest SKU: prices will do as weights


class PartOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`quantity` units of a SKU. `weight` is what all of them weigh in the bundle's price: the fifth part of it, when the others weigh four
    times as much together."""

    sku_id: Annotated[str, Meta(pattern=r"^sku_[0-9a-f]{32}$(?!\n)", examples=["sku_0193c0de000070008000000000000001"])]
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)] = 1
    weight: Annotated[int, Meta(ge=1, le=WEIGHT_MAX)] | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each part has a weight, or none has: then what the parts cost by themselves is what they weigh."""

    parts: Annotated[list[PartOf], Meta(min_length=1, max_length=PARTS_MAX)]


class Bundle(ProductType):
    name = "bundle"
    label: ClassVar = {"zh-CN": "组合套装", "en": "Bundle"}
    summary: ClassVar = {
        "zh-CN": "多个商品按一个价格打包销售；付款后各自发货，也可单独退款。",
        "en": "Several SKUs at one price. Once paid, each is delivered as if it had been bought alone, and can be refunded alone.",
    }
    Config = Config
    stock: ClassVar[Stock] = "parts"

    async def check(self, tx: TenantTx, config: Any) -> None:
        parts = self.parts(config)
        ids = [part.sku_id for part in parts]
        if twice := [sku_id for n, sku_id in enumerate(ids) if sku_id in ids[:n]]:
            raise _bad(config, ids.index(twice[0]), "is named twice; say a quantity instead")
        if len({part.weight is None for part in parts}) > 1:
            raise Unprocessable("config of type bundle: each part has a weight, or none has. Nothing was saved.", code="bad_config")
        sql = "SELECT id, currency, stock, picked FROM sku WHERE tenant_id = $1 AND id = ANY($2)"
        found = {row["id"]: row for row in await tx.conn.fetch(sql, tx.tenant_id, ids)}
        currency = await tx.conn.fetchval("SELECT currency FROM store WHERE tenant_id = $1", tx.tenant_id)
        for n, sku_id in enumerate(ids):
            sku = found.get(sku_id)
            if sku is None:
                raise _bad(config, n, "is not there")
            if sku["stock"] == self.stock:
                raise _bad(config, n, "is a bundle itself; name its parts")
            if sku["picked"]:
                raise _bad(config, n, "is sold by the choice of a unit, and nobody chooses in a bundle")
            if sku["currency"] != currency:
                raise _bad(config, n, f"is sold in {sku['currency']}, not in {currency}")

    def parts(self, config: Any) -> Sequence[Part]:
        return [Part(decode("sku", part.sku_id), part.quantity, part.weight) for part in config.parts]


def _bad(config: Any, n: int, why: str) -> Unprocessable:
    return Unprocessable(f"config of type bundle: parts[{n}] ({config.parts[n].sku_id}) {why}. Nothing was saved.", code="bad_config")


TYPE = Bundle()
