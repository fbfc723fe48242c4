"""HTTP for what somebody changes about himself. Each handler is one call into `tenants.profile`."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from api.guards import anyone, person
from api.limits import per_address
from api.mails import MailSent, sent
from api.process import Process
from api.wire import Code, Locale, Mail, NewPassword, Password, Token
from checkout_core.ids import encode
from tenants import profile
from tenants.profile import Person


class Profile(Struct, frozen=True):
    id: str
    tenant_id: str
    mail: str
    locale: Locale
    totp: bool
    recovery_codes_left: int


class ChangedPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    password: Password
    new_password: NewPassword


class ChangedMail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    password: Password
    mail: Mail


class MailProof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Token


class PasswordAgain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    password: Password


class TotpCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: Code


class BothFactors(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    password: Password
    code: Code


class Enrolment(Struct, frozen=True):
    """For an authenticator app: `uri` as a QR code, or `secret` typed in. Shown here and nowhere again."""

    secret: str
    uri: str


class RecoveryCodes(Struct, frozen=True):
    """Each signs in once in place of a code. Shown here and nowhere again."""

    recovery_codes: list[str]


class ProfileController(Controller):
    path = "/profile"
    tags = ("Accounts",)

    @get("/", guards=[person], operation_id="getProfile", summary="Who you are")
    async def show(self, who: NamedDependency[Person], process: NamedDependency[Process]) -> Profile:
        found = await profile.get(process.platform_pool, who.id)
        locale: Locale = "en" if found.locale == "en" else "zh-CN"
        return Profile(encode("usr", found.id), encode("ten", who.tenant_id), found.mail, locale, found.has_totp, found.recovery_codes_left)

    @post(
        "/password",
        guards=[person],
        status_code=204,
        while_suspended=True,
        operation_id="changePassword",
        summary="Change your password; ends other sessions",
    )
    async def password(self, data: JSONBody[ChangedPassword], who: NamedDependency[Person], process: NamedDependency[Process]) -> None:
        await profile.change_password(
            process.platform_pool, process.app_pool, process.passwords, who, password=data.password, new=data.new_password
        )

    @post(
        "/mail",
        guards=[person],
        status_code=202,
        while_suspended=True,
        operation_id="changeMail",
        summary="Change your mail: the new address must confirm",
    )
    async def mail(self, data: JSONBody[ChangedMail], who: NamedDependency[Person], process: NamedDependency[Process]) -> MailSent:
        mail_id = await profile.ask_new_mail(
            process.platform_pool, process.app_pool, process.passwords, who, password=data.password, mail=data.mail
        )
        return sent(process, "new_mail", mail_id)

    @post(
        "/mail/confirm", guards=[anyone, per_address("confirmations")], status_code=204,
        operation_id="confirmMail", summary="Make the address yours with the token of the mail", problems=[404],
    )  # fmt: skip
    async def confirm_mail(self, data: JSONBody[MailProof], process: NamedDependency[Process]) -> None:
        await profile.confirm_new_mail(process.platform_pool, process.app_pool, token=data.token)

    # No Idempotency-Key on these: keeping the answers would keep the secrets.
    @post("/totp", guards=[person], while_suspended=True, operation_id="enrolTotp", summary="Begin two-step sign-in: a secret for your app")
    async def enrol(self, data: JSONBody[PasswordAgain], who: NamedDependency[Person], process: NamedDependency[Process]) -> Enrolment:
        made = await profile.enrol_totp(process.platform_pool, process.passwords, process.totp, who, password=data.password)
        return Enrolment(made.secret, made.uri)

    @post(
        "/totp/confirm",
        guards=[person],
        while_suspended=True,
        operation_id="confirmTotp",
        summary="Switch it on with a code; shows the recovery codes",
    )
    async def confirm_totp(
        self, data: JSONBody[TotpCode], who: NamedDependency[Person], process: NamedDependency[Process]
    ) -> RecoveryCodes:
        return RecoveryCodes(await profile.confirm_totp(process.platform_pool, process.app_pool, process.totp, who, code=data.code))

    @post(
        "/totp/disable",
        guards=[person],
        status_code=204,
        while_suspended=True,
        operation_id="disableTotp",
        summary="Switch two-step sign-in off",
    )
    async def disable(self, data: JSONBody[BothFactors], who: NamedDependency[Person], process: NamedDependency[Process]) -> None:
        await profile.disable_totp(
            process.platform_pool, process.app_pool, process.passwords, process.totp, who, password=data.password, code=data.code
        )
