"""Categories. Written by `make client`; not to be edited."""

from msgspec import UNSET, Struct, UnsetType

from loadtests.client.core import Call, new_key


class Category(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`level` counts from 1, at most 4."""

    id: str
    parent_id: str | None
    level: int
    position: int
    name: str


class Categories(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole tree: parents before what stands in them, siblings in their order."""

    categories: list[Category]


class NewCategory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`parent_id` is the category it stands in; null at the top."""

    name: str
    parent_id: str | None = None
    position: int = 0


class CategoryChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is named is set, all else stays. What stands below it comes along."""

    name: str | UnsetType = UNSET
    parent_id: str | UnsetType | None = UNSET
    position: int | UnsetType = UNSET


def list_categories() -> Call[Categories]:
    """The store's categories, the whole tree."""
    return Call(method="GET", path="/v1/categories", answers={200: Categories})


def create_category(body: NewCategory, *, idempotency_key: str | None = None) -> Call[Category]:
    """Create a category."""
    return Call(
        method="POST",
        path="/v1/categories",
        answers={201: Category},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def get_category(category_id: str) -> Call[Category]:
    """Get a category."""
    return Call(method="GET", path=f"/v1/categories/{category_id}", answers={200: Category})


def remove_category(category_id: str) -> Call[None]:
    """Remove a category that nothing is in."""
    return Call(method="DELETE", path=f"/v1/categories/{category_id}", answers={204: None})


def change_category(category_id: str, body: CategoryChange, *, if_match: str) -> Call[Category]:
    """Rename or move a category; If-Match says which version was read."""
    return Call(method="PATCH", path=f"/v1/categories/{category_id}", answers={200: Category}, body=body, headers={"If-Match": if_match})
