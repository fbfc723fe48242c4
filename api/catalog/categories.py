"""HTTP for categories. Each handler is one call into `tenants.catalog.categories`."""

from typing import Annotated, Any

from litestar import Controller, Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from api.callers import Merchant
from api.etags import Tagged, if_match
from api.guards import needs
from api.idempotency import Once
from api.wire import Name, id_of
from checkout_core.ids import decode, encode
from tenants.catalog import categories
from tenants.db import TenantTx

CategoryId = Annotated[str, id_of("cat")]
Position = Annotated[int, Meta(ge=-1_000_000, le=1_000_000, description="Among its siblings: the smallest comes first.")]


class NewCategory(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`parent_id` is the category it stands in; null at the top."""

    name: Name
    parent_id: CategoryId | None = None
    position: Position = 0


class CategoryChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is named is set, all else stays. What stands below it comes along."""

    name: Name | UnsetType = UNSET
    parent_id: CategoryId | UnsetType | None = UNSET
    position: Position | UnsetType = UNSET


class Category(Struct, frozen=True):
    """`level` counts from 1, at most 4."""

    id: str
    parent_id: str | None
    level: int
    position: int
    name: str


class Categories(Struct, frozen=True):
    """The whole tree: parents before what stands in them, siblings in their order."""

    categories: list[Category]


def view(found: categories.Category) -> Category:
    parent_id = encode("cat", found.parent_id) if found.parent_id else None
    return Category(encode("cat", found.id), parent_id, found.level, found.position, found.name)


class CategoryController(Controller):
    path = "/categories"
    tags = ("Categories",)

    @get("/", guards=[needs("catalog:read")], operation_id="listCategories", summary="The store's categories, the whole tree")
    async def all_of(self, tx: NamedDependency[TenantTx]) -> Categories:
        return Categories([view(found) for found in await categories.all_of(tx)])

    @post("/", guards=[needs("catalog:write")], operation_id="createCategory", summary="Create a category")
    async def create(self, data: JSONBody[NewCategory], once: NamedDependency[Once], merchant: NamedDependency[Merchant]) -> Category:
        async def create() -> Category:
            parent_id = decode("cat", data.parent_id) if data.parent_id is not None else None
            made = categories.create(once.tx, name=data.name, parent_id=parent_id, position=data.position, actor=merchant.actor)
            return view(await made)

        return await once(create())

    @get("/{category_id:str}", guards=[needs("catalog:read")], operation_id="getCategory", summary="Get a category")
    async def get(self, category_id: FromPath[str], tx: NamedDependency[TenantTx]) -> Tagged[Category]:
        found = await categories.get(tx, decode("cat", category_id))
        return Tagged(view(found), version=found.version)

    @patch(
        "/{category_id:str}",
        guards=[needs("catalog:write")],
        problems=[412, 428],
        opt={"if_match": True},
        operation_id="changeCategory",
        summary="Rename or move a category; If-Match says which version was read",
    )
    async def change(
        self,
        category_id: FromPath[str],
        data: JSONBody[CategoryChange],
        request: Request[Any, Any, Any],
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
    ) -> Tagged[Category]:
        changes = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
        if changes.get("parent_id") is not None:
            changes["parent_id"] = decode("cat", changes["parent_id"])
        version = if_match(request)
        found = await categories.change(tx, decode("cat", category_id), changes, version=version, actor=merchant.actor)
        return Tagged(view(found), version=found.version)

    @delete(
        "/{category_id:str}",
        guards=[needs("catalog:write")],
        problems=[409],  # something is in it
        operation_id="removeCategory",
        summary="Remove a category that nothing is in",
    )
    async def remove(self, category_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await categories.delete(tx, decode("cat", category_id), actor=merchant.actor)
