"""Accounts. Written by `make client`; not to be edited."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from loadtests.client.core import Call, Pages


class Confirmation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`password` is the account's from now on: whoever has the mail chooses it."""

    token: str
    password: str


class SignedUp(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`api_key` is shown here and nowhere again."""

    tenant_id: str
    slug: str
    store_host: str
    api_key: str


class NewMerchant(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`locale` is the language of your mails, and to begin with the store's own."""

    store: str
    slug: str
    mail: str
    locale: Literal["en", "zh-CN"] = "zh-CN"


class MailSent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the mail holds works until then, once."""

    expires_at: dt.datetime


class Session(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`seen_at` is known to five minutes."""

    id: str
    tenant_id: str
    user_agent: str
    address: str
    created_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime
    current: bool


class Sessions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`next_cursor` is what to ask the next page with; null on the last."""

    sessions: list[Session]
    next_cursor: str | None


class Credentials(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`code` is asked for (401 `totp_required`) once the password was right. `tenant_id` says at which merchant, for those who work for
    several (409 `several_merchants` lists them).
    """

    mail: str
    password: str
    code: str | None = None
    tenant_id: str | None = None


class NewSession(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`token` is shown here and nowhere again."""

    token: str
    id: str
    tenant_id: str
    expires_at: dt.datetime


class NewSecret(Struct, frozen=True, kw_only=True, omit_defaults=True):
    token: str
    password: str


class Forgotten(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`locale` is that of the mail when there is no account, which has its own."""

    mail: str
    locale: Literal["en", "zh-CN"] = "zh-CN"


class MailProof(Struct, frozen=True, kw_only=True, omit_defaults=True):
    token: str


class TotpCode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: str


class RecoveryCodes(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Each signs in once in place of a code. Shown here and nowhere again."""

    recovery_codes: list[str]


class BothFactors(Struct, frozen=True, kw_only=True, omit_defaults=True):
    password: str
    code: str


class PasswordAgain(Struct, frozen=True, kw_only=True, omit_defaults=True):
    password: str


class Enrolment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """For an authenticator app: `uri` as a QR code, or `secret` typed in. Shown here and nowhere again."""

    secret: str
    uri: str


class ChangedMail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    password: str
    mail: str


class ChangedPassword(Struct, frozen=True, kw_only=True, omit_defaults=True):
    password: str
    new_password: str


class Profile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    tenant_id: str
    mail: str
    locale: Literal["en", "zh-CN"]
    totp: bool
    recovery_codes_left: int


def confirm_sign_up(body: Confirmation) -> Call[SignedUp]:
    """Open the store with the token of the mail, and choose a password. Once. Should this answer be lost, the account is there: sign in and
    make another key.
    """
    return Call(method="POST", path="/v1/merchants/confirm", answers={201: SignedUp}, body=body)


def sign_up(body: NewMerchant) -> Call[MailSent]:
    """Sign up: a mail holds what opens the store. The answer is the same whether or not the mail has an account. Asking again sends another
    mail, five an hour at most.
    """
    return Call(method="POST", path="/v1/merchants", answers={202: MailSent}, body=body)


def list_sessions(*, limit: int = 20, cursor: str | None = None) -> Pages[Sessions, Session]:
    """List where you are signed in, newest first."""
    return Pages(
        method="GET",
        path="/v1/sessions",
        answers={200: Sessions},
        query={"limit": limit, "cursor": cursor},
        rows=lambda page: page.sessions,
    )


def sign_in(body: Credentials) -> Call[NewSession]:
    """Sign in at a merchant you work for."""
    return Call(method="POST", path="/v1/sessions", answers={201: NewSession}, body=body)


def revoke_other_sessions() -> Call[None]:
    """Sign out everywhere else, within two seconds."""
    return Call(method="DELETE", path="/v1/sessions", answers={204: None})


def sign_out() -> Call[None]:
    """Sign out."""
    return Call(method="DELETE", path="/v1/sessions/current", answers={204: None})


def revoke_session(session_id: str) -> Call[None]:
    """End one of your sessions, within two seconds."""
    return Call(method="DELETE", path=f"/v1/sessions/{session_id}", answers={204: None})


def reset_password(body: NewSecret) -> Call[None]:
    """Set a new password with the token of the mail; ends every session."""
    return Call(method="POST", path="/v1/password-resets/confirm", answers={204: None}, body=body)


def ask_password_reset(body: Forgotten) -> Call[MailSent]:
    """Send a mail that resets the password. The answer is the same whether or not the mail has an account."""
    return Call(method="POST", path="/v1/password-resets", answers={202: MailSent}, body=body)


def confirm_mail(body: MailProof) -> Call[None]:
    """Make the address yours with the token of the mail."""
    return Call(method="POST", path="/v1/profile/mail/confirm", answers={204: None}, body=body)


def confirm_totp(body: TotpCode) -> Call[RecoveryCodes]:
    """Switch it on with a code; shows the recovery codes."""
    return Call(method="POST", path="/v1/profile/totp/confirm", answers={201: RecoveryCodes}, body=body)


def disable_totp(body: BothFactors) -> Call[None]:
    """Switch two-step sign-in off."""
    return Call(method="POST", path="/v1/profile/totp/disable", answers={204: None}, body=body)


def enrol_totp(body: PasswordAgain) -> Call[Enrolment]:
    """Begin two-step sign-in: a secret for your app."""
    return Call(method="POST", path="/v1/profile/totp", answers={201: Enrolment}, body=body)


def change_mail(body: ChangedMail) -> Call[MailSent]:
    """Change your mail: the new address must confirm."""
    return Call(method="POST", path="/v1/profile/mail", answers={202: MailSent}, body=body)


def change_password(body: ChangedPassword) -> Call[None]:
    """Change your password; ends other sessions."""
    return Call(method="POST", path="/v1/profile/password", answers={204: None}, body=body)


def get_profile() -> Call[Profile]:
    """Who you are."""
    return Call(method="GET", path="/v1/profile", answers={200: Profile})
