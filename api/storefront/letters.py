"""Pages of the platform's own host that the links of our mails lead to, and the one that asks for such a mail. The rest is the console's.

A link shows a form and nothing more: what reads mails before people do follows links, and presses no buttons.
"""

from typing import Any

import msgspec
from litestar import Response, get, post

from api.directory import host_of
from api.limits import address, visitor
from api.mails import sent
from api.storefront.rendering import Link, Notice
from api.storefront.visit import AVisit, SeeOther, Visit
from api.wire import Mail, NewPassword
from checkout_core.errors import AppError, Forbidden, NotFound
from tenants import accounts, invitations, password_resets, profile
from tenants.memberships import AlreadyStaff
from tenants.proofs import UnknownToken

TOKEN_MAX = 64
CONSOLE = "/console"


@get(["/merchant", "/merchant/sign-in"])
async def moved(visit: AVisit) -> Response[bytes]:
    """Where a merchant's pages were before there was a console."""
    await at_platform(visit)
    return visit.go(CONSOLE, status=308)


@get("/merchant/forgotten")
async def forgotten(visit: AVisit) -> Response[bytes]:
    return await _form(visit, "forgotten", asks="mail")


@post("/merchant/forgotten", status_code=200)
async def ask_reset(visit: AVisit) -> Response[bytes]:
    fields = await _fields(visit, "password-resets")
    process = visit.process
    mail = fields.get("mail", "")
    if not _is(mail, Mail):
        return await _form(visit, "forgotten", asks="mail", wrong="mail")
    locale = visit.words.language
    sent(process, "password_reset", await password_resets.ask(process.platform_pool, process.app_pool, mail=mail, locale=locale))
    return _done(visit, "forgotten")


@get("/merchant/confirm")
async def confirm_form(visit: AVisit) -> Response[bytes]:
    return await _form(visit, "confirm", asks="password")


@post("/merchant/confirm", status_code=200)
async def confirm(visit: AVisit) -> Response[bytes]:
    fields = await _fields(visit, "confirmations")
    process = visit.process
    token, password = fields.get("token", ""), fields.get("password", "")
    if not _is(password, NewPassword):
        return await _form(visit, "confirm", asks="password", token=token, wrong="password")
    try:
        opened = await accounts.confirm(
            process.platform_pool, process.app_pool, passwords=process.passwords, pepper=process.keys.api_keys,
            base_domain=process.settings.base_domain, token=token, password=password,
        )  # fmt: skip
    except (UnknownToken, accounts.Taken) as error:
        return _refused(visit, error)
    return _done(visit, "confirm", api_key=opened.api_key)


@get("/merchant/new-password")
async def password_form(visit: AVisit) -> Response[bytes]:
    return await _form(visit, "new_password", asks="password")


@post("/merchant/new-password", status_code=200)
async def set_password(visit: AVisit) -> Response[bytes]:
    fields = await _fields(visit, "confirmations")
    process = visit.process
    password = fields.get("password", "")
    if not _is(password, NewPassword):
        return await _form(visit, "new_password", asks="password", token=fields.get("token", ""), wrong="password")
    try:
        await password_resets.confirm(
            process.platform_pool, process.app_pool, passwords=process.passwords, token=fields.get("token", ""), password=password,
            visitor=visitor(visit.request),
        )  # fmt: skip
    except UnknownToken as error:
        return _refused(visit, error)
    return _done(visit, "new_password")


@get("/merchant/new-mail")
async def mail_form(visit: AVisit) -> Response[bytes]:
    return await _form(visit, "new_mail")


@post("/merchant/new-mail", status_code=200)
async def set_mail(visit: AVisit) -> Response[bytes]:
    fields = await _fields(visit, "confirmations")
    try:
        await profile.confirm_new_mail(visit.process.platform_pool, visit.process.app_pool, token=fields.get("token", ""))
    except (UnknownToken, accounts.Taken) as error:
        return _refused(visit, error)
    return _done(visit, "new_mail")


@get("/merchant/invitation")
async def invitation_form(visit: AVisit) -> Response[bytes]:
    return await _form(visit, "invitation", asks="password")


@post("/merchant/invitation", status_code=200)
async def join(visit: AVisit) -> Response[bytes]:
    fields = await _fields(visit, "acceptances")
    process = visit.process
    token, password = fields.get("token", ""), fields.get("password", "")
    if not _is(password, NewPassword):
        return await _form(visit, "invitation", asks="password", token=token, wrong="password")
    try:
        await invitations.accept(process.app_pool, process.platform_pool, passwords=process.passwords, token=token, password=password)
    except NotFound as error:
        return _refused(visit, error)
    except Forbidden:
        return await _form(visit, "invitation", asks="password", token=token, wrong="own_password")
    except AlreadyStaff:
        pass  # what he came for he has
    return _done(visit, "invitation")


async def _form(visit: Visit, step: str, *, asks: str = "", token: str | None = None, wrong: str = "") -> Response[bytes]:
    """One field at most, one button, and the token of the link."""
    await at_platform(visit)
    t = visit.words
    token = visit.request.query_params.get("token", "") if token is None else token
    notice = Notice(t("letter.wrong.title"), t(f"letter.wrong.{wrong}"), "bad") if wrong else None
    return visit.render("letter.html", status=400 if wrong else 200, step=step, asks=asks, token=token[:TOKEN_MAX], notice=notice)


async def _fields(visit: Visit, limit: str) -> dict[str, str]:
    await at_platform(visit)
    fields = await visit.form()
    await visit.process.limits.check((limit, address(visit.request)))
    return fields


def _is(text: str, type_: Any) -> bool:
    try:
        msgspec.convert(text, type_)
    except msgspec.ValidationError:
        return False
    return True


def _done(visit: Visit, step: str, **values: str) -> Response[bytes]:
    t = visit.words
    links = (Link(CONSOLE, t("letter.sign_in")),)
    return visit.render("notice.html", notice=Notice(t(f"letter.{step}.done"), t(f"letter.{step}.next", **values), "", links))


def _refused(visit: Visit, error: AppError) -> Response[bytes]:
    t = visit.words
    notice = Notice(t("letter.refused.title"), t("letter.refused.text"), "bad", (Link(CONSOLE, t("letter.sign_in")),))
    return visit.render("notice.html", status=error.status, notice=notice)


async def at_platform(visit: Visit) -> None:
    """An account is of the platform's own host. A store's host sends its merchant there."""
    directory, domain = visit.process.directory, visit.process.settings.base_domain
    if not await directory.is_platform(host_of(visit.request)):
        raise SeeOther(visit.at_host(domain, visit.request.url.path))
