"""Options: the axes along which a product's SKUs differ (面值, 时长), and the values each may have. A SKU is one value of each axis."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, Unprocessable
from tenants.db import TenantTx

AXES_MAX: Final = 3
VALUES_MAX: Final = 100  # of one axis


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    values: list[str]


class BadChoices(Unprocessable):
    code = "bad_choices"


def check(options: Sequence[Option]) -> None:
    """Raises `Unprocessable` (`bad_options`) when a name or value stands there twice, or there are too many."""
    names = [option.name for option in options]
    if len(names) > AXES_MAX or len(set(names)) < len(names):
        raise Unprocessable(f"A product has at most {AXES_MAX} options, each by another name.", code="bad_options")
    for option in options:
        if not 1 <= len(option.values) <= VALUES_MAX or len(set(option.values)) < len(option.values):
            raise Unprocessable(f"{option.name} has 1 to {VALUES_MAX} values, each once.", code="bad_options")


def chosen(options: Sequence[Option], choices: Mapping[str, str]) -> list[str]:
    """The value of each axis, in their order; none of a product's at all is no variant. Raises `BadChoices`."""
    if not choices:
        return []
    if unknown := sorted(choices.keys() - {option.name for option in options}):
        raise BadChoices(f"The product has no option {unknown[0]!r}.", options=[option.name for option in options])
    for option in options:
        if option.name not in choices:
            raise BadChoices(f"{option.name} is missing: a variant has a value of each option.", options=[each.name for each in options])
        if choices[option.name] not in option.values:
            raise BadChoices(f"{choices[option.name]!r} is no value of {option.name}.", values=option.values)
    return [choices[option.name] for option in options]


def named(options: Sequence[Option], values: Sequence[str]) -> dict[str, str]:
    """`chosen` the other way round."""
    return {option.name: value for option, value in zip(options, values, strict=False)}


async def must_fit(tx: TenantTx, product_id: UUID, options: Sequence[Option]) -> None:
    """Before a product gets these options. Raises `Conflict` (`option_in_use`) when a SKU of it has a value that is none of them."""
    sql = "SELECT choices FROM sku WHERE tenant_id = $1 AND product_id = $2 AND choices <> '{}'"
    for (choices,) in await tx.conn.fetch(sql, tx.tenant_id, product_id):
        if len(choices) != len(options):
            raise Conflict("Its variants have a value of each option: options come or go before there are variants.", code="option_in_use")
        for value, option in zip(choices, options, strict=True):
            if value not in option.values:
                raise Conflict(f"A SKU of this product is {value!r}. Nothing was changed.", code="option_in_use", value=value)
