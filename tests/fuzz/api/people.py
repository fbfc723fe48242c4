"""Everybody who asks the API, each in a role of his own."""

from typing import NamedTuple
from uuid import uuid4

import pyotp

from tests.fuzz.api.house import Desk, Headers, House, bearer

PEOPLE = ("owner", "manager", "operations", "finance", "support", "read-only", "custom")
STAFF = ("admin", "reviewer", "support")
# In the isolation matrix's words: of store A unless it says foreign, which is B.
ROLES = (
    "anonymous", "shopper", "other-shopper", "foreign-shopper", "owner-key", "limited-key", "bare-key", "foreign-key", *PEOPLE,
    *(f"platform-{role}" for role in STAFF),
)  # fmt: skip
KEYS = {"limited-key": ["catalog:read", "orders:read"], "bare-key": ["audit:read"]}
CUSTOM = ["catalog:read", "catalog:write", "sales:read", "orders:read", "codes:reveal", "customers:read", "customers:write"]
PASSWORD = "correct horse battery staple"


class Person(NamedTuple):
    """Somebody with an account at a merchant."""

    mail: str
    password: str = PASSWORD


class Shop(NamedTuple):
    """A merchant's store, and who signed it up."""

    slug: str
    tenant_id: str
    key: Headers
    owner: Person

    @property
    def at(self) -> Headers:
        return {"X-Tessera-Store": self.slug}


class Door(NamedTuple):
    """How somebody comes in."""

    desk: Desk
    house: House

    def open_store(self) -> Shop:
        slug = f"f-{uuid4().hex[:12]}"
        person = Person(f"{slug}@example.org")
        self.desk.ask("POST", "/v1/merchants", {}, {"store": "Fuzz", "slug": slug, "mail": person.mail})
        proof = {"token": self.house.letter(person.mail), "password": person.password}
        made = self.desk.ask("POST", "/v1/merchants/confirm", {}, proof)
        return Shop(slug, made["tenant_id"], bearer(made["api_key"]), person)

    def guest(self, store: Shop) -> Headers:
        return bearer(self.desk.ask("POST", "/v1/shopper-tokens", store.at)["token"]) | store.at

    def invited(self, store: Shop, role: str) -> tuple[Person, str]:
        """Somebody who is invited, and what his mail holds."""
        person = Person(f"{uuid4().hex}@example.org")
        self.desk.ask("POST", "/v1/invitations", store.key, {"mail": person.mail, "role": role})
        return person, self.house.letter(person.mail)

    def employed(self, store: Shop, role: str) -> tuple[Person, str]:
        """Somebody who works there, and his id."""
        person, token = self.invited(store, role)
        joined = self.desk.ask("POST", "/v1/invitations/accept", {}, {"token": token, "password": person.password})
        return person, joined["user_id"]

    def session(self, person: Person) -> tuple[Headers, str]:
        made = self.desk.ask("POST", "/v1/sessions", {}, {"mail": person.mail, "password": person.password})
        return bearer(made["token"]), made["id"]

    def enrolled(self, mail: str, enrolment: str) -> dict[str, str]:
        """What signs in one of the platform's staff for the first time."""
        body = {"enrolment": enrolment, "password": PASSWORD}
        secret = self.desk.ask("POST", "/v1/platform/enrolments", {}, body)["totp_secret"]
        return {"mail": mail, "password": PASSWORD, "totp": pyotp.TOTP(secret).now()}

    def colleague(self, admin: Headers, role: str) -> dict[str, str]:
        """Somebody new of the platform's staff, who may sign in."""
        mail = f"{uuid4().hex}@example.org"
        added = self.desk.ask("POST", "/v1/platform/staff", admin, {"mail": mail, "role": role})
        return self.enrolled(mail, added["enrolment"])

    def on_duty(self, credentials: dict[str, str]) -> Headers:
        return bearer(self.desk.ask("POST", "/v1/platform/sessions", {}, credentials)["token"])

    def first_admin(self) -> Headers:
        mail = f"{uuid4().hex}@example.org"
        return self.on_duty(self.enrolled(mail, self.house.enrolment(mail)))
