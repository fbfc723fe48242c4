"""Staff. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages, new_key
from loadtests.client.operations.codes import Nothing


class NewRole(Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    permissions: list[str]


class Role(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`created_at` is null for a role that is built in."""

    id: str
    name: str
    built_in: bool
    permissions: list[str]
    created_at: dt.datetime | None


class Roles(Struct, frozen=True, kw_only=True, omit_defaults=True):
    roles: list[Role]


class NewPlace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    role: str


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    mail: str
    role: str
    created_at: dt.datetime


class Staff(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    staff: list[Person]
    next_cursor: str | None


class Acceptance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`password` is the one you choose if you have no account yet, else the one you have."""

    token: str
    password: str


class Joined(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where you work now. Sign in with `POST /v1/sessions`."""

    tenant_id: str
    user_id: str
    role: str


class Invitation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    mail: str
    role: str
    sent_at: dt.datetime
    expires_at: dt.datetime
    created_at: dt.datetime


class Invitations(Struct, frozen=True, kw_only=True, omit_defaults=True):
    invitations: list[Invitation]


class NewInvitation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`locale` is the language of the mail."""

    mail: str
    role: str
    locale: Literal["en", "zh-CN"] = "zh-CN"


def change_role(role_id: str, body: NewRole) -> Call[Role]:
    """Change a role of your own, within two seconds."""
    return Call(method="PUT", path=f"/v1/roles/{role_id}", answers={200: Role}, body=body)


def delete_role(role_id: str) -> Call[None]:
    """Delete a role that nobody has."""
    return Call(method="DELETE", path=f"/v1/roles/{role_id}", answers={204: None})


def list_roles() -> Call[Roles]:
    """List the roles: those built in, then your own by name."""
    return Call(method="GET", path="/v1/roles", answers={200: Roles})


def create_role(body: NewRole, *, idempotency_key: str | None = None) -> Call[Role]:
    """Make a role of permissions you have."""
    return Call(
        method="POST",
        path="/v1/roles",
        answers={201: Role},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def remove_staff(user_id: str) -> Call[None]:
    """Remove somebody: his sessions and keys end within two seconds."""
    return Call(method="DELETE", path=f"/v1/staff/{user_id}", answers={204: None})


def change_staff_role(user_id: str, body: NewPlace) -> Call[None]:
    """Give somebody another role, within two seconds."""
    return Call(method="PATCH", path=f"/v1/staff/{user_id}", answers={204: None}, body=body)


def list_staff(*, limit: int = 20, cursor: str | None = None) -> Pages[Staff, Person]:
    """List the people who work for you."""
    return Pages(
        method="GET", path="/v1/staff", answers={200: Staff}, query={"limit": limit, "cursor": cursor}, rows=lambda page: page.staff
    )


def accept_invitation(body: Acceptance) -> Call[Joined]:
    """Accept an invitation with the token from the mail."""
    return Call(method="POST", path="/v1/invitations/accept", answers={200: Joined}, body=body)


def list_invitations() -> Call[Invitations]:
    """List the invitations that nobody accepted yet."""
    return Call(method="GET", path="/v1/invitations", answers={200: Invitations})


def invite(body: NewInvitation, *, idempotency_key: str | None = None) -> Call[Invitation]:
    """Invite somebody by mail to a role."""
    return Call(
        method="POST",
        path="/v1/invitations",
        answers={201: Invitation},
        body=body,
        headers={"Idempotency-Key": idempotency_key or new_key()},
        has_key=True,
    )


def resend_invitation(invitation_id: str) -> Call[Invitation]:
    """Send an invitation again, five times at most."""
    return Call(method="POST", path=f"/v1/invitations/{invitation_id}/resend", answers={200: Invitation}, body=Nothing())


def revoke_invitation(invitation_id: str) -> Call[None]:
    """Take an invitation back."""
    return Call(method="DELETE", path=f"/v1/invitations/{invitation_id}", answers={204: None})
