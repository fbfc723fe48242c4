"""Goods as the templates see them: cards of lists, and a product with its variants."""

from collections.abc import Iterable, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from checkout_core.ids import encode
from tenants.catalog.categories import Category
from tenants.offers import Offer, Shown
from tenants.prices import Step
from tenants.showcase import Sizes, Whole

FEW = 10  # so many left are told by their number
Status = Literal["open", "soon", "paused", "gone", "ended"]


class PictureView(msgspec.Struct, frozen=True):
    path: str
    width: int
    height: int


class CrumbView(msgspec.Struct, frozen=True):
    href: str
    name: str


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows of a product, or of a sale of its own (`offer`, which is on or to come). `seed` makes a picture of what
    has none."""

    href: str
    name: str
    under: str = ""
    picture: PictureView | None
    seed: UUID
    price_minor: int
    base_minor: int
    currency: str
    is_from: bool = False  # others of it cost more
    status: Status
    left: int
    offer: Offer | None = None


class VariantView(msgspec.Struct, frozen=True, kw_only=True):
    """A SKU that can be had: from the shelf, or in the sale at `sale_ref` alone. `flash` is a sale beside the shelf."""

    sku_id: UUID
    name: str
    choices: dict[str, str]
    price_minor: int
    base_minor: int
    currency: str
    steps: tuple[Step, ...]
    status: Status
    left: int
    limit: int
    hold_s: int
    picked: bool
    sale_id: UUID
    on_shelf: bool
    face_value: str | None
    flash: Offer | None

    @property
    def ref(self) -> str:
        return encode("sku", self.sku_id)

    @property
    def sale_ref(self) -> str:
        return encode("sal", self.sale_id)

    @property
    def quantity_max(self) -> int:
        return max(1, min(self.limit or 100, 100, self.left))


class ValueView(msgspec.Struct, frozen=True):
    text: str
    href: str
    is_chosen: bool
    can_be_had: bool


class AxisView(msgspec.Struct, frozen=True):
    name: str
    values: tuple[ValueView, ...]


def status_of(offer: Offer) -> Status:
    if offer.state in ("ended", "paused"):
        return "ended" if offer.state == "ended" else "paused"
    if offer.state == "not_started":
        return "soon"
    return "open" if offer.stock > 0 else "gone"


def picture(paths: Sequence[str], sizes: Sizes) -> PictureView | None:
    return next(iter(pictures(paths, sizes)), None)


def pictures(paths: Sequence[str], sizes: Sizes) -> list[PictureView]:
    return [PictureView(path, *sizes[path]) for path in paths if path in sizes]


def of_sale(offer: Offer, sizes: Sizes) -> CardView:
    return CardView(
        href=f"/sales/{encode('sal', offer.sale_id)}", name=offer.name,
        under=offer.product_name if offer.product_name != offer.name else "",
        picture=picture(offer.images, sizes), seed=offer.sale_id, price_minor=offer.price_minor, base_minor=offer.base_price_minor,
        currency=offer.currency, status=status_of(offer), left=max(0, offer.stock), offer=offer,
    )  # fmt: skip


def of_product(shown: Shown, sizes: Sizes) -> CardView:
    """With the cheapest that can be had; of none, the cheapest there is."""
    order = {"open": 0, "soon": 1, "paused": 2, "gone": 3, "ended": 4}
    ranked = sorted(shown.offers, key=lambda offer: (order[status_of(offer)], offer.price_minor))
    best = ranked[0]
    open_ = [offer for offer in ranked if status_of(offer) == status_of(best)]
    return CardView(
        href=f"/products/{encode('prd', shown.id)}", name=shown.name, picture=picture(shown.images, sizes), seed=shown.id,
        price_minor=best.price_minor, base_minor=best.base_price_minor, currency=best.currency,
        is_from=len({offer.price_minor for offer in open_}) > 1, status=status_of(best), left=sum(max(0, offer.stock) for offer in open_),
    )  # fmt: skip


def variants(whole: Whole, steps: dict[UUID, list[Step]]) -> list[VariantView]:
    """Each SKU once, in the order of their making."""
    by_sku: dict[UUID, list[Offer]] = {}
    for offer in whole.product.offers:
        by_sku.setdefault(offer.sku_id, []).append(offer)
    return [_variant(by_sku[sku_id], steps.get(sku_id, [])) for sku_id in sorted(by_sku)]


def _variant(found: Sequence[Offer], steps: Sequence[Step]) -> VariantView:
    shelf = next((offer for offer in found if offer.door == "shelf"), None)
    rank = {"open": 0, "soon": 1, "gone": 2, "paused": 3, "ended": 4}
    flash = min((offer for offer in found if offer.door != "shelf"), key=lambda offer: rank[status_of(offer)], default=None)
    of = shelf or flash
    assert of is not None, "a SKU is shown for its offers"
    price = steps[0].unit_minor if shelf and steps else of.price_minor
    return VariantView(
        sku_id=of.sku_id, name=of.sku_name, choices=of.choices, price_minor=price, base_minor=of.base_price_minor, currency=of.currency,
        steps=tuple(steps) if shelf and len(steps) > 1 else (), status=status_of(of), left=max(0, of.stock), limit=of.limit_per_shopper,
        hold_s=of.hold_s, picked=of.picked, sale_id=of.sale_id, on_shelf=shelf is not None, face_value=of.face_value,
        flash=flash if shelf else None,
    )  # fmt: skip


def chosen(found: Sequence[VariantView], sku_ref: str) -> VariantView:
    """The named one, else the first that can be had."""
    named = next((each for each in found if each.ref == sku_ref), None)
    return named or next((each for each in found if each.status == "open"), found[0])


def axes(found: Sequence[VariantView], current: VariantView, path: str, plain: str) -> list[AxisView]:
    """What to choose by: each value leads to the variant that differs in it alone, or else to one that has it.

    SKUs that are no variants are chosen by their names, on an axis called `plain`.
    """
    if len(found) < 2:
        return []
    if not all(each.choices and each.choices.keys() == current.choices.keys() for each in found):
        values = tuple(ValueView(each.name, _href(path, each), each is current, each.status == "open") for each in found)
        return [AxisView(plain, values)]
    made = []
    for name in current.choices:
        values_of = []
        for text in dict.fromkeys(each.choices[name] for each in found):
            having = [each for each in found if each.choices[name] == text]
            wish = current.choices | {name: text}
            to = next((each for each in having if each.choices == wish), having[0])
            values_of.append(ValueView(text, _href(path, to), text == current.choices[name], to.status == "open"))
        made.append(AxisView(name, tuple(values_of)))
    return made


def crumbs(tree: Sequence[Category], category_id: UUID | None) -> list[CrumbView]:
    """From the top of the tree down to the category."""
    by_id = {each.id: each for each in tree}
    found: list[CrumbView] = []
    while category_id is not None and (each := by_id.get(category_id)):
        found.insert(0, CrumbView(f"/categories/{encode('cat', each.id)}", each.name))
        category_id = each.parent_id
    return found


def below(tree: Iterable[Category], category_id: UUID | None) -> list[CrumbView]:
    return [CrumbView(f"/categories/{encode('cat', each.id)}", each.name) for each in tree if each.parent_id == category_id]


def _href(path: str, variant: VariantView) -> str:
    return f"{path}?sku={variant.ref}"
