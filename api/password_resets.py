"""HTTP for forgotten passwords. Each handler is one call into `tenants.password_resets`."""

from typing import Any

from litestar import Controller, Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from api.guards import anyone
from api.limits import per_address, visitor
from api.mails import MailSent, sent
from api.process import Process
from api.wire import Locale, Mail, NewPassword, Token
from tenants import password_resets


class Forgotten(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`locale` is that of the mail when there is no account, which has its own."""

    mail: Mail
    locale: Locale = "zh-CN"


class NewSecret(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Token
    password: NewPassword


class PasswordResetController(Controller):
    path = "/password-resets"
    tags = ("Accounts",)

    @post(
        "/", guards=[anyone, per_address("password-resets")], status_code=202,
        operation_id="askPasswordReset", summary="Send a mail that resets the password",
    )  # fmt: skip
    async def create(self, data: JSONBody[Forgotten], process: NamedDependency[Process]) -> MailSent:
        """The answer is the same whether or not the mail has an account."""
        mail_id = await password_resets.ask(process.platform_pool, process.app_pool, mail=data.mail, locale=data.locale)
        return sent(process, "password_reset", mail_id)

    @post(
        "/confirm", guards=[anyone, per_address("confirmations")], status_code=204,
        operation_id="resetPassword", summary="Set a new password with the token of the mail; ends every session", problems=[404],
    )  # fmt: skip
    async def confirm(self, data: JSONBody[NewSecret], request: Request[Any, Any, Any], process: NamedDependency[Process]) -> None:
        await password_resets.confirm(
            process.platform_pool, process.app_pool, passwords=process.passwords, token=data.token, password=data.password,
            visitor=visitor(request),
        )  # fmt: skip
