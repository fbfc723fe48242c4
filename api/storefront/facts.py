"""What a shopper should know of a product before he buys: how and when he gets it, what it asks of him, whether it goes back."""

from typing import Any, NamedTuple

from api.storefront.language import Words
from tenants.catalog.kinds import Kind
from tenants.types.fields import Field


class Fact(NamedTuple):
    name: str
    text: str


def of(kind: Kind, t: Words) -> list[Fact]:
    """By the product's type. Of a type that is not among ours only what it says of itself is known: whether it comes at once."""
    config: Any = kind.config
    facts = [Fact(t("fact.delivery"), _delivery(kind, t))]
    match kind.type.name:
        case "topup":
            facts.append(Fact(t("fact.credited"), config.credited))
        case "ticket":
            facts.append(Fact(t("fact.venue"), config.venue))
            refund = t("fact.ticket_refund", n=config.refund_until_h) if config.refund_until_h is not None else t("fact.no_refund")
            facts.append(Fact(t("fact.going_back"), refund))
        case "booking":
            facts.append(Fact(t("fact.check_in"), config.check_in))
            facts.append(Fact(t("fact.check_out"), config.check_out))
            facts.append(Fact(t("fact.going_back"), t("fact.booking_refund", n=config.free_until_days)))
        case "membership":
            facts.append(Fact(t("fact.period"), t(f"fact.lasts.{config.period}", n=config.every)))
        case "licence":
            facts.append(Fact(t("fact.devices"), t("fact.devices_text", n=config.devices_max)))
            if config.days is not None:
                facts.append(Fact(t("fact.good_for"), t("fact.lasts.day", n=config.days)))
    if kind.asks:
        listed = t("fact.list_comma").join(label(field, t) for field in kind.asks)
        facts.append(Fact(t("fact.asks"), listed))
    return facts


def _delivery(kind: Kind, t: Words) -> str:
    config: Any = kind.config
    match kind.type.name:
        case "topup":
            return t("fact.delivery_topup", n=config.due_min) if config.due_min < 120 else t("fact.delivery_hours", n=config.due_min // 60)
        case "manual":
            return t("fact.delivery_hours", n=config.within_h)
        case "ticket" | "booking":
            return t("fact.delivery_entry")
        case "membership":
            return t("fact.delivery_member")
        case "bundle":
            return t("fact.delivery_bundle")
    return t("fact.delivery_code") if kind.type.at_once or kind.type.name == "reusable" else t("fact.delivery_soon")


def label(field: Field, t: Words) -> str:
    """What a field is called, in the page's language if it has a name in that."""
    return dict(field.label).get(t.language) or next(iter(field.label.values()))  # type: ignore[call-overload]
