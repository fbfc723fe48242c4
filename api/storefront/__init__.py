"""The store as people see it: pages written by the server, which work without scripts.

`route_handlers` is mounted by `api.app`; `answer_unrouted` answers addresses that lead nowhere.
"""

from typing import Any

from litestar import Request, Response, Router
from litestar.di import Provide

from api import problems as json_problems
from api.guards import anyone
from api.storefront import (
    assets,
    brand,
    cart,
    cashier,
    catalogue,
    checkout,
    codes,
    coupons,
    crawlers,
    inputs,
    letters,
    lookup,
    me,
    orders,
    points,
    policies,
    problems,
    reminders,
    shop,
    stock,
    waiting,
)  # fmt: skip
from api.storefront.visit import provide_visit
from api.strict import BODY_MAX, StrictRequest

pages = Router(
    "/",
    route_handlers=[
        catalogue.home, catalogue.category, catalogue.search, catalogue.product,
        shop.at, shop.sale, shop.buy, stock.stock, waiting.show, waiting.join, waiting.leave, waiting.state,
        cart.show, cart.add, cart.change, checkout.show, checkout.order, inputs.show, inputs.answered,
        orders.show, orders.state, orders.cancel, cashier.cashier, cashier.pay, codes.codes, codes.file, codes.mail,
        me.me, me.end_reminder, me.sign_out, coupons.show, coupons.claim, points.show, points.sign_in,
        lookup.find, lookup.found, lookup.forgotten, reminders.wish, reminders.show, reminders.answer,
        crawlers.robots, crawlers.sitemap, crawlers.manifest,
        assets.static, assets.switch, brand.brand, brand.image, policies.policy,
        letters.moved, letters.forgotten, letters.ask_reset, letters.confirm_form, letters.confirm, letters.password_form,
        letters.set_password, letters.mail_form, letters.set_mail, letters.invitation_form, letters.join,
    ],
    guards=[anyone],
    dependencies={"visit": Provide(provide_visit)},
    exception_handlers={Exception: problems.answer},
    request_class=StrictRequest,
    request_max_body_size=BODY_MAX,
    include_in_schema=False,
)  # fmt: skip

route_handlers = [pages]


def answer_unrouted(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A page for people, a problem document for programs."""
    is_page = not request.url.path.startswith("/v1") and "text/html" in request.headers.get("accept", "")
    return problems.answer(request, error) if is_page else json_problems.answer(request, error)
