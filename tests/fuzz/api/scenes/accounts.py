"""People: who they are to a merchant, and what they sign in with."""

import time
from uuid import uuid4

import pyotp

from tests.fuzz.api.people import PASSWORD, PEOPLE
from tests.fuzz.api.place import Place
from tests.fuzz.api.scenes.scene import ALWAYS, LETTERS, Given, Scene, Success, always

LETTER_S = 20


def accounts(place: Place) -> dict[str, Scene]:
    door, desk = place.door, place.desk

    def password(role: str) -> Given | None:
        return Given({"password": place.people[role].password}) if role in PEOPLE else None

    def signing_up(_: str) -> Given:
        slug = f"n-{uuid4().hex[:12]}"
        mail = f"{slug}@example.org"
        desk.ask("POST", "/v1/merchants", {}, {"store": "x", "slug": slug, "mail": mail})
        return Given({"token": place.house.letter(mail), "password": PASSWORD})

    def forgetting(_: str) -> Given:
        forgetful, _ = door.employed(place.store, "support")
        before = place.house.letter(forgetful.mail)
        desk.ask("POST", "/v1/password-resets", {}, {"mail": forgetful.mail})
        until = time.monotonic() + LETTER_S
        while (token := place.house.letter(forgetful.mail)) == before:
            assert time.monotonic() < until, "no other mail came"
            time.sleep(0.05)
        return Given({"token": token})

    def moving(_: str) -> Given:
        nonlocal mover
        headers, mail = door.session(mover)[0], f"{uuid4().hex}@example.org"
        desk.ask("POST", "/v1/profile/mail", headers, {"mail": mail, "password": mover.password})
        mover = mover._replace(mail=mail)  # as soon as it is confirmed, and nobody else confirms it
        return Given({"token": place.house.letter(mail)})

    def session(role: str) -> Given | None:
        return Given({"session_id": door.session(place.people[role])[1]}) if role in PEOPLE else None

    def enrolled(role: str) -> Given | None:
        if role not in PEOPLE:
            return None
        secret = desk.ask("POST", "/v1/profile/totp", place.headers[role], {"password": place.people[role].password})["secret"]
        return Given({"code": pyotp.TOTP(secret).now()})

    def with_totp(role: str) -> Given | None:
        if (given := enrolled(role)) is None:
            return None
        made = desk.ask("POST", "/v1/profile/totp/confirm", place.headers[role], given.values)
        return Given({"password": place.people[role].password, "code": made["recovery_codes"][0]})

    def without_totp(done: Success) -> None:
        body = {"password": place.people[done.role].password, "code": done.answer["recovery_codes"][0]}
        desk.ask("POST", "/v1/profile/totp/disable", place.headers[done.role], body)

    def changed(done: Success) -> None:
        place.people[done.role] = place.people[done.role]._replace(password=done.sent["new_password"])

    mover, _ = door.employed(place.store, "support")
    return {
        "confirmSignUp": Scene(signing_up, LETTERS),
        "resetPassword": Scene(forgetting, LETTERS),
        "confirmMail": Scene(moving, LETTERS),
        "signIn": Scene(always(mail=place.people["support"].mail, password=PASSWORD, code=None, tenant_id=None)),
        "signOut": Scene(after=lambda done: place.renew(done.role)),
        "revokeSession": Scene(session, ALWAYS, by_role=True),
        "changePassword": Scene(password, ALWAYS, changed, by_role=True),
        "changeMail": Scene(password, by_role=True),
        "enrolTotp": Scene(password, by_role=True),
        "confirmTotp": Scene(enrolled, ALWAYS, without_totp, by_role=True),
        "disableTotp": Scene(with_totp, ALWAYS, by_role=True),
        "createApiKey": Scene(always(scopes=["orders:read"], expires_at=None)),
        "rotateApiKey": Scene(always(key_id=place.ids["key_id"][0])),
        "revokeApiKey": Scene(
            lambda _: Given({"key_id": place.ask("POST", "/v1/api-keys", {"name": "x", "scopes": ["orders:read"]})["id"]}), ALWAYS
        ),
    }


def staff(place: Place) -> dict[str, Scene]:
    door, ask = place.door, place.ask

    def role(_: str) -> Given:
        made = ask("POST", "/v1/roles", {"name": uuid4().hex, "permissions": ["orders:read"]})
        return Given({"role_id": made["id"], "permissions": ["orders:read"]})

    def invitation(_: str) -> Given:
        made = ask("POST", "/v1/invitations", {"mail": f"{uuid4().hex}@example.org", "role": "support"})
        return Given({"invitation_id": made["id"]})

    return {
        "createRole": Scene(lambda _: Given({"permissions": ["orders:read"]}), after=place.deletes("roles")),
        "changeRole": Scene(role),
        "deleteRole": Scene(role, ALWAYS),
        "changeStaffRole": Scene(always(user_id=place.ids["user_id"][0], role="support")),
        "removeStaff": Scene(lambda _: Given({"user_id": door.employed(place.store, "support")[1]}), LETTERS),
        "invite": Scene(always(role="support"), after=place.deletes("invitations")),
        "revokeInvitation": Scene(invitation, ALWAYS),
        "acceptInvitation": Scene(lambda _: Given({"token": door.invited(place.store, "support")[1]}), LETTERS),
    }
