"""Errors as people read them: what happened, what was kept, and a way on."""

import datetime as dt
import logging
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from api import problems
from api.directory import Closed, Suspended
from api.storefront.rendering import Link, Notice
from api.storefront.visit import Moved, SeeOther, Visit, visit_of
from checkout_core.errors import AppError, Forbidden, NotFound, TooMany, Unauthorized, Unavailable

log = logging.getLogger(__name__)


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The page for `error`. What nobody expected is logged whole and told as nothing but an apology."""
    visit = visit_of(request)
    known = problems.expected(error)
    if isinstance(known, SeeOther):
        return visit.go(known.place, status=301 if isinstance(known, Moved) else 303)
    visit.recall()
    status = known.status if isinstance(known, AppError) else known.status_code if isinstance(known, HTTPException) else 500
    if status >= 500 and not isinstance(known, AppError):
        log.error("%s %s failed", request.method, request.url.path, exc_info=known)
    if status == 405 and request.method == "GET":
        return visit.go(request.url.path.rpartition("/")[0] or "/")  # the address of a form: its page lies above it
    wait_s = known.retry_after_s if isinstance(known, AppError) else None
    headers = {"Retry-After": str(wait_s)} if wait_s else {}
    if isinstance(known, Closed):
        now = dt.datetime.now(dt.UTC)
        return visit.render("closed.html", status=status, headers=headers, now=now)
    return visit.render("notice.html", status=status, headers=headers, notice=_notice(visit, known, status, wait_s))


def _notice(visit: Visit, error: Exception, status: int, wait_s: int | None) -> Notice:
    t = visit.words
    home = Link("/merchant" if visit.request.url.path.startswith("/merchant") else "/", t("problem.home"))
    back = Link(visit.request.url.path if visit.request.method == "GET" else _referrer(visit), t("problem.back"))
    match error:
        case NotFound() if error.code == "no_store":
            return Notice(t("problem.no_store.title"), t("problem.no_store.text"))
        case NotFound() | Unauthorized() if visit.request.url.path.startswith("/orders/"):
            links = (Link("/orders", t("problem.lookup")), home)
            return Notice(t("problem.unauthorized.title"), t("problem.unauthorized.text"), links=links)
        case Suspended():
            return Notice(t("problem.suspended.title"), t("problem.suspended.text"), links=(Link("/orders", t("problem.lookup")),))
        case Forbidden():
            return Notice(t("problem.forbidden.title"), t("problem.forbidden.text"), links=(back, home))
        case TooMany():
            return Notice(t("problem.too_many.title"), t("problem.too_many.text", seconds=wait_s or 1), links=(back,))
        case Unavailable():
            return Notice(t("problem.unavailable.title"), t("problem.unavailable.text"), links=(back,))
    if status == 404 or status == 405:
        is_shop = visit.page.shared["store"] is not None and not visit.request.url.path.startswith("/merchant")
        return Notice(t("problem.not_found.title"), t("problem.not_found.text"), links=(home,), may_search=is_shop)
    if status < 500:
        return Notice(t("problem.bad.title"), str(getattr(error, "detail", "")), links=(back, home))
    return Notice(t("problem.internal.title"), t("problem.internal.text"), "bad", links=(home,))


def _referrer(visit: Visit) -> str:
    """The page of ours that the form stood on."""
    here, referrer = visit.here("/"), visit.request.headers.get("referer", "")
    return "/" + referrer[len(here) :] if referrer.startswith(here) and not referrer[len(here) :].startswith("/") else "/"
