"""HTTP for invitations. Each handler is one call into `tenants.invitations`."""

import datetime as dt

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.callers import Merchant
from api.guards import anyone, needs
from api.idempotency import Once
from api.limits import per_address
from api.process import Process
from api.provide import ring_after
from api.roles import RoleRef
from api.strict import AnyRequest
from api.wire import NOTHING, Locale, Mail, NewPassword, Nothing, Token
from checkout_core.ids import decode, encode
from tenants import invitations, roles
from tenants.db import TenantTx


class NewInvitation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`locale` is the language of the mail."""

    mail: Mail
    role: RoleRef
    locale: Locale = "zh-CN"


class Invitation(Struct, frozen=True):
    id: str
    mail: str
    role: str
    sent_at: dt.datetime
    expires_at: dt.datetime
    created_at: dt.datetime

    @classmethod
    def of(cls, one: invitations.Invitation) -> "Invitation":
        return cls(encode("inv", one.id), one.mail, one.role.text, one.sent_at, one.expires_at, one.created_at)


class Invitations(Struct, frozen=True):
    invitations: list[Invitation]


class Acceptance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`password` is the one you choose if you have no account yet, else the one you have."""

    token: Token
    password: NewPassword


class Joined(Struct, frozen=True):
    """Where you work now. Sign in with `POST /v1/sessions`."""

    tenant_id: str
    user_id: str
    role: str


def _on_its_way(request: AnyRequest, sent: invitations.Sent) -> Invitation:
    """The mail leaves with the commit, not with the next sweep."""
    ring_after(request, "mail", sent.mail_id)
    return Invitation.of(sent.invitation)


class InvitationController(Controller):
    path = "/invitations"
    tags = ("Staff",)

    @post("/", guards=[needs("staff:write")], operation_id="invite", summary="Invite somebody by mail to a role")
    async def create(
        self,
        data: JSONBody[NewInvitation],
        request: AnyRequest,
        once: NamedDependency[Once],
        merchant: NamedDependency[Merchant],
        process: NamedDependency[Process],
    ) -> Invitation:
        # Mail costs its receivers something: a merchant may not send it by the thousand.
        await process.limits.check(("invitations", merchant.tenant_id.hex))

        async def create() -> Invitation:
            made = await invitations.create(
                once.tx, mail=data.mail, role=roles.ref(data.role), locale=data.locale,
                actor=merchant.actor, sender=merchant.user_id, own=merchant.scopes,
            )  # fmt: skip
            return _on_its_way(request, made)

        return await once(create())

    @get("/", guards=[needs("staff:read")], operation_id="listInvitations", summary="List the invitations that nobody accepted yet")
    async def list(self, tx: NamedDependency[TenantTx]) -> Invitations:
        return Invitations([Invitation.of(one) for one in await invitations.waiting(tx)])

    @post(
        "/{invitation_id:str}/resend",
        guards=[needs("staff:write")],
        operation_id="resendInvitation",
        summary="Send an invitation again, five times at most",
        status_code=200,
    )
    async def resend(
        self,
        invitation_id: FromPath[str],
        request: AnyRequest,
        tx: NamedDependency[TenantTx],
        merchant: NamedDependency[Merchant],
        data: JSONBody[Nothing] = NOTHING,
    ) -> Invitation:
        sent = await invitations.resend(
            tx, decode("inv", invitation_id), actor=merchant.actor, sender=merchant.user_id, own=merchant.scopes
        )
        return _on_its_way(request, sent)

    @delete(
        "/{invitation_id:str}",
        guards=[needs("staff:write")],
        while_suspended=True,
        operation_id="revokeInvitation",
        summary="Take an invitation back",
    )
    async def revoke(self, invitation_id: FromPath[str], tx: NamedDependency[TenantTx], merchant: NamedDependency[Merchant]) -> None:
        await invitations.revoke(tx, decode("inv", invitation_id), actor=merchant.actor)

    @post(
        "/accept",
        guards=[anyone, per_address("acceptances")],
        operation_id="acceptInvitation",
        summary="Accept an invitation with the token from the mail",
        status_code=200,
        problems=[403, 404],
    )
    async def accept(self, data: JSONBody[Acceptance], process: NamedDependency[Process]) -> Joined:
        joined = await invitations.accept(
            process.app_pool, process.platform_pool, passwords=process.passwords, token=data.token, password=data.password
        )
        return Joined(encode("ten", joined.tenant_id), encode("usr", joined.user_id), joined.role.text)
