"""HTTP for merchants' accounts: signing up, and confirming it with what the mail held."""

from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.guards import anyone
from api.limits import per_address
from api.mails import MailSent, sent
from api.process import Process
from api.wire import END, Locale, Mail, NewPassword, Token
from checkout_core.ids import encode
from tenants import accounts

Slug = Annotated[str, Meta(pattern=f"^[a-z0-9][a-z0-9-]{{1,30}}[a-z0-9]{END}", description="The store's sub-domain.")]


class NewMerchant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`locale` is the language of your mails, and to begin with the store's own."""

    store: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
    slug: Slug
    mail: Mail
    locale: Locale = "zh-CN"


class Confirmation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`password` is the account's from now on: whoever has the mail chooses it."""

    token: Token
    password: NewPassword


class SignedUp(Struct, frozen=True):
    """`api_key` is shown here and nowhere again."""

    tenant_id: str
    slug: str
    store_host: str
    api_key: str


class MerchantController(Controller):
    path = "/merchants"
    tags = ("Accounts",)

    @post(
        "/", guards=[anyone, per_address("sign-ups")], status_code=202,
        operation_id="signUp", summary="Sign up: a mail holds what opens the store",
    )  # fmt: skip
    async def create(self, data: JSONBody[NewMerchant], process: NamedDependency[Process]) -> MailSent:
        """The answer is the same whether or not the mail has an account. Asking again sends another mail, five an hour at most."""
        mail_id = await accounts.sign_up(
            process.platform_pool, process.app_pool, base_domain=process.settings.base_domain,
            store=data.store, slug=data.slug, mail=data.mail, locale=data.locale,
        )  # fmt: skip
        return sent(process, "sign_up", mail_id)

    # No Idempotency-Key: keeping the answer would keep the key.
    @post(
        "/confirm", guards=[anyone, per_address("confirmations")],
        operation_id="confirmSignUp", summary="Open the store with the token of the mail, and choose a password", problems=[404],
    )  # fmt: skip
    async def confirm(self, data: JSONBody[Confirmation], process: NamedDependency[Process]) -> SignedUp:
        """Once. Should this answer be lost, the account is there: sign in and make another key."""
        done = await accounts.confirm(
            process.platform_pool, process.app_pool, passwords=process.passwords, pepper=process.keys.api_keys,
            base_domain=process.settings.base_domain, token=data.token, password=data.password,
        )  # fmt: skip
        return SignedUp(encode("ten", done.tenant_id), done.slug, done.store_host, done.api_key)
