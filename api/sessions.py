"""HTTP for sessions: signing in and out, and the list of where somebody is signed in."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.auth import bearer
from api.callers import Merchant
from api.guards import anyone, person, signed_in
from api.limits import per_address, visitor
from api.paging import Page
from api.process import Process
from api.wire import Code, Password, id_of
from checkout_core.errors import BadRequest
from checkout_core.ids import decode, encode
from tenants import sessions
from tenants.db import platform_tx, tenant_tx
from tenants.profile import Person


class Credentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`code` is asked for (401 `totp_required`) once the password was right. `tenant_id` says at which merchant, for those who work for
    several (409 `several_merchants` lists them)."""

    mail: Annotated[str, Meta(max_length=254)]
    password: Password
    code: Code | None = None
    tenant_id: Annotated[str, id_of("ten")] | None = None


class NewSession(Struct, frozen=True):
    """`token` is shown here and nowhere again."""

    token: str
    id: str
    tenant_id: str
    expires_at: dt.datetime


class Session(Struct, frozen=True):
    """`seen_at` is known to five minutes."""

    id: str
    tenant_id: str
    user_agent: str
    address: str
    created_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime
    current: bool


class Sessions(Struct, frozen=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    sessions: list[Session]
    next_cursor: str | None


class SessionController(Controller):
    path = "/sessions"
    tags = ("Accounts",)

    @post(
        "/", guards=[anyone, per_address("sign-ins")],
        operation_id="signIn", summary="Sign in at a merchant you work for", problems=[401, 403],
    )  # fmt: skip
    async def create(self, data: JSONBody[Credentials], request: Request[Any, Any, Any], process: NamedDependency[Process]) -> NewSession:
        begun = await sessions.sign_in(
            process.platform_pool, process.app_pool, passwords=process.passwords, totp=process.totp, mail=data.mail,
            password=data.password, code=data.code, tenant_id=decode("ten", data.tenant_id) if data.tenant_id else None,
            visitor=visitor(request), address_factor=process.settings.ip_limit_factor,
        )  # fmt: skip
        return NewSession(begun.token, encode("ses", begun.id), encode("ten", begun.tenant_id), begun.expires_at)

    @get("/", guards=[person], operation_id="listSessions", summary="List where you are signed in, newest first")
    async def latest(self, who: NamedDependency[Person], process: NamedDependency[Process], page: NamedDependency[Page]) -> Sessions:
        found = await sessions.latest(process.platform_pool, who.id, limit=page.rows, before=page.after(tuple[dt.datetime, UUID]))
        shown = [
            Session(encode("ses", each.id), encode("ten", each.tenant_id), each.user_agent, each.address, each.created_at, each.seen_at,
                    each.expires_at, each.id == who.session_id)
            for each in found
        ]  # fmt: skip
        return Sessions(*page.cut(shown, [(each.created_at, each.id) for each in found]))

    @delete("/current", guards=[signed_in], while_suspended=True, operation_id="signOut", summary="Sign out")
    async def end(self, merchant: NamedDependency[Merchant], request: Request[Any, Any, Any], process: NamedDependency[Process]) -> None:
        token = bearer(request) or ""
        if not token.startswith("se_"):
            raise BadRequest("Only a session can be signed out; an API key is revoked.")
        await sessions.sign_out(process.platform_pool, token)
        process.callers.forget(token)

    @delete(
        "/",
        guards=[person],
        while_suspended=True,
        operation_id="revokeOtherSessions",
        summary="Sign out everywhere else, within two seconds",
    )
    async def revoke_others(self, who: NamedDependency[Person], process: NamedDependency[Process]) -> None:
        async with platform_tx(process.platform_pool) as conn, tenant_tx(process.app_pool, who.tenant_id) as tx:
            await sessions.revoke_others(conn, tx, who.id, who.session_id, actor=who.actor)

    @delete(
        "/{session_id:str}",
        guards=[person],
        while_suspended=True,
        operation_id="revokeSession",
        summary="End one of your sessions, within two seconds",
    )
    async def revoke(self, session_id: FromPath[str], who: NamedDependency[Person], process: NamedDependency[Process]) -> None:
        async with platform_tx(process.platform_pool) as conn, tenant_tx(process.app_pool, who.tenant_id) as tx:
            await sessions.revoke(conn, tx, who.id, decode("ses", session_id), actor=who.actor)
