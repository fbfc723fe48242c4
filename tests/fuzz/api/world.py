"""What a hunt asks for, and as whom."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fuzz.api.house import Headers, House
from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes import accounts, catalog, coupons, picked, points, prices, rights, selling, types, vault
from tests.fuzz.api.scenes.scene import Scene


@dataclass
class World:
    """`headers` by role; `ids` by the name that they have in a path, a query or a body; `scenes` by operation."""

    slug: str
    headers: dict[str, Headers]
    ids: dict[str, list[str]]
    scenes: dict[str, Scene] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None


def furnish(house: House) -> World:
    """Three new stores: A, with all in it; B, whose people ask for what is A's; and one in which nothing goes on, which may be closed."""
    place = Place(house)
    tables = (
        accounts.accounts,
        accounts.staff,
        selling.store,
        selling.selling,
        catalog.catalog,
        prices.prices,
        points.points,
        coupons.coupons,
        types.types,
        picked.picked,
        vault.vault,
        rights.rights,
        rights.platform,
    )
    by_operation = {name: scene for table in tables for name, scene in table(place).items()}
    return World(place.store.slug, place.headers, place.ids, by_operation, place.desk.api.close)
