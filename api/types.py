"""HTTP for product types: what each is, said to the console; and the acts that a type brings, each a route of its own."""

from typing import Any

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Struct

from api.callers import Merchant
from api.guards import Anyone, anyone, needs, shopper, signed_in
from api.limits import address
from api.process import Process
from api.strict import AnyRequest
from checkout_core.ids import encode
from tenants import types
from tenants.db import TenantTx
from tenants.types import Act, Asking, ProductType


class TypeAct(Struct, frozen=True):
    name: str
    who: str
    summary: str


class TypeView(Struct, frozen=True):
    """`config` is the JSON Schema of what a SKU of this type is told. `stock` is where its units come from: `imported` from files of codes,
    or `made` by `POST /v1/skus/{id}/units`; one that is sold as its `parts` has none. `picked` units are chosen one by one."""

    name: str
    label: dict[str, str]
    summary: dict[str, str]
    stock: str
    picked: bool
    config: dict[str, Any]
    acts: list[TypeAct]


class TypeList(Struct, frozen=True):
    types: list[TypeView]


class TypeController(Controller):
    path = "/types"
    tags = ("Catalogue",)

    @get("/", guards=[signed_in], operation_id="listTypes", summary="The product types there are, and what each must be told")
    async def list(self) -> TypeList:
        return TypeList([_view(type_) for type_ in types.TYPES.values()])


def _view(type_: ProductType) -> TypeView:
    (schema,), components = msgspec.json.schema_components([type_.Config], ref_template="#/$defs/{name}")
    acts = [TypeAct(act.name, act.who, act.summary) for act in type_.acts]
    return TypeView(type_.name, type_.label, type_.summary, type_.stock, type_.picked, {**schema, "$defs": components}, acts)


def acts() -> list[HTTPRouteHandler]:
    """A handler for each act of each type: `POST /v1/types/{type}/{act}`."""
    return [_handler(type_, act) for type_ in types.TYPES.values() for act in type_.acts]


def _handler(type_: ProductType, act: Act) -> HTTPRouteHandler:
    async def handle(data: Any, request: AnyRequest, tx: NamedDependency[TenantTx], process: NamedDependency[Process]) -> Any:
        if act.who == "anyone":
            await process.limits.check(("type-acts", address(request)), connection=request)
        return await act.run(_asking(request, tx, process), data)

    handle.__annotations__ |= {"data": JSONBody[act.Request], "return": act.Answer}  # type: ignore[misc,name-defined]
    handle.__name__ = f"{type_.name}_{act.name}"
    return post(
        f"/types/{type_.name}/{act.name}",
        guards=[_guard(act.who)],
        while_suspended=True,  # who has paid gets what he paid for, at the door too
        status_code=200,
        problems=[404, 409, 422],
        tags=("Product types",),
        operation_id=_camel(f"{act.name}_{type_.name}"),
        summary=act.summary,
    )(handle)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def _asking(request: AnyRequest, tx: TenantTx, process: Process) -> Asking:
    match request.auth:
        case None:
            return Asking(tx, process.keyring, "anyone")
        case Merchant(actor=actor):
            return Asking(tx, process.keyring, actor)
        case who:
            return Asking(tx, process.keyring, encode("shp", who.id), who.id)


def _guard(who: str) -> Anyone:
    return {"anyone": anyone, "shopper": shopper}.get(who) or needs(who)
