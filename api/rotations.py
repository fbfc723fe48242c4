"""HTTP for rotations: newer keys for what a store has sealed, and how far the sealing anew is."""

import datetime as dt
from typing import Annotated, Literal, cast
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.callers import Merchant
from api.guards import needs
from api.idempotency import Once
from api.paging import Page
from api.process import Process
from api.provide import ring_after
from api.strict import AnyRequest
from checkout_core.ids import decode, encode
from tenants import rotations
from tenants.db import TenantTx
from tenants.keys import Keyring

Purpose = Literal["seal", "fingerprint"]
State = Literal["running", "done"]


class NewRotation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`seal`: the key that codes, credentials and documents lie under; `fingerprint`: the one by which a code is known again."""

    purposes: Annotated[list[Purpose], Meta(min_length=1, max_length=2)]


class RotationView(Struct, frozen=True):
    """`state`: running, done. `codes_renewed` of `codes`, and so many others, are sealed anew; `turn` counts the looks at all of them.

    A rotation is done, and the keys before are removed, when a look a minute later finds nothing left.
    """

    id: str
    purposes: list[Purpose]
    state: State
    codes: int
    codes_renewed: int
    others_renewed: int
    turn: int
    asked_by: str
    created_at: dt.datetime
    finished_at: dt.datetime | None

    @classmethod
    def of(cls, rotation: rotations.Rotation) -> "RotationView":
        progress = rotation.progress
        purposes, state = cast("list[Purpose]", rotation.purposes), cast("State", rotation.state)  # by their CHECK
        return cls(
            encode("rot", rotation.id), purposes, state, rotation.codes, progress.renewed, progress.others, progress.turn,
            rotation.asked_by, rotation.created_at, rotation.finished_at,
        )  # fmt: skip


class Rotations(Struct, frozen=True):
    items: list[RotationView]
    next_cursor: str | None


class RotationController(Controller):
    path = "/vault/rotations"
    tags = ("Codes",)

    @post(
        "/",
        guards=[needs("keys:write")],
        status_code=202,
        operation_id="rotateKeys",
        summary="Have newer keys from now on, and everything sealed anew under them while the shop sells",
    )
    async def begin(
        self,
        request: AnyRequest,
        data: JSONBody[NewRotation],
        once: NamedDependency[Once],
        process: NamedDependency[Process],
        merchant: NamedDependency[Merchant],
    ) -> RotationView:
        begun = await once(_begin(once.tx, process.keyring, frozenset(data.purposes), merchant.actor), status=202)
        ring_after(request, "key_rotation", decode("rot", begun.id))
        return begun

    @get("/", guards=[needs("vault:read")], operation_id="listRotations", summary="Rotations of keys, newest first")
    async def latest(self, tx: NamedDependency[TenantTx], page: NamedDependency[Page]) -> Rotations:
        found = await rotations.latest(tx, limit=page.rows, before=page.after(UUID))
        return Rotations(*page.cut([RotationView.of(each) for each in found], [each.id for each in found]))

    @get("/{rotation_id:str}", guards=[needs("vault:read")], operation_id="getRotation", summary="How far a rotation is")
    async def read(self, rotation_id: FromPath[str], tx: NamedDependency[TenantTx]) -> RotationView:
        return RotationView.of(await rotations.get(tx, decode("rot", rotation_id)))


async def _begin(tx: TenantTx, keyring: Keyring, purposes: frozenset[str], actor: str) -> RotationView:
    return RotationView.of(await rotations.begin(tx, keyring, purposes, actor=actor))
