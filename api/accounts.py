"""HTTP for merchants' accounts: signing up, signing in and out."""

import datetime as dt
from typing import Annotated, Any

from litestar import Controller, Request, delete, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.auth import bearer
from api.callers import Merchant
from api.guards import anyone, signed_in
from api.limits import per_address
from api.process import Process
from api.wire import END
from checkout_core.errors import BadRequest
from checkout_core.ids import encode
from tenants import accounts

Slug = Annotated[str, Meta(pattern=f"^[a-z0-9][a-z0-9-]{{1,30}}[a-z0-9]{END}", description="The store's sub-domain.")]
Mail = Annotated[str, Meta(max_length=254, pattern=rf"^[^@\s\x00-\x1f]{{1,64}}@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+{END}")]
# NIST SP 800-63B §3.1.1.2: length is what counts; nothing is asked of the characters. The upper bound spares the hash.
NewPassword = Annotated[str, Meta(min_length=10, max_length=256)]


class NewMerchant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    store: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
    slug: Slug
    mail: Mail
    password: NewPassword


class SignedUp(Struct, frozen=True):
    """`api_key` is shown here and nowhere again."""

    tenant_id: str
    slug: str
    store_host: str
    api_key: str


class Credentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    mail: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=256)]


class Session(Struct, frozen=True):
    token: str
    tenant_id: str
    expires_at: dt.datetime


class MerchantController(Controller):
    path = "/merchants"
    tags = ("Accounts",)

    @post("/", guards=[anyone, per_address("sign-ups", per_minute=2, burst=10)], operation_id="signUp", summary="Sign up and open a store")
    async def create(self, data: JSONBody[NewMerchant], process: NamedDependency[Process]) -> SignedUp:
        done = await accounts.sign_up(
            process.platform_pool, process.app_pool, passwords=process.passwords, pepper=process.keys.api_keys,
            base_domain=process.settings.base_domain, store=data.store, slug=data.slug, mail=data.mail, password=data.password,
        )  # fmt: skip
        return SignedUp(encode("ten", done.tenant_id), data.slug, done.store_host, done.api_key)


class SessionController(Controller):
    path = "/sessions"
    tags = ("Accounts",)

    @post("/", guards=[anyone, per_address("sign-ins", per_minute=10, burst=20)], operation_id="signIn", summary="Sign in", problems=[401])
    async def create(self, data: JSONBody[Credentials], process: NamedDependency[Process]) -> Session:
        # Beside the limit per address: many addresses together may not guess at one mail either.
        process.limits.check("sign-ins of one mail", data.mail.lower(), per_minute=5, burst=10)
        session = await accounts.sign_in(process.platform_pool, passwords=process.passwords, mail=data.mail, password=data.password)
        return Session(session.token, encode("ten", session.tenant_id), session.expires_at)

    @delete("/current", guards=[signed_in], operation_id="signOut", summary="Sign out")
    async def end(self, merchant: NamedDependency[Merchant], request: Request[Any, Any, Any], process: NamedDependency[Process]) -> None:
        token = bearer(request) or ""
        if not token.startswith("se_"):
            raise BadRequest("Only a session can be signed out; an API key is revoked.")
        await accounts.sign_out(process.platform_pool, token)
        process.callers.forget(token)
