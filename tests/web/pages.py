"""Every page that people see, in one table: its pictures, its weight and its accessibility follow from the row.

A row that is missing here is a page that nobody looked at: a new page needs one.
"""

from typing import Literal, NamedTuple

Who = Literal["visitor", "shopper", "merchant"]
Host = Literal["shop", "closed", "nobody", "platform"]


class Page(NamedTuple):
    """`path` names what `Showcase.places` knows in braces. `shown` is a selector that is there when the page is whole."""

    name: str
    path: str
    who: Who = "visitor"
    host: Host = "shop"
    shown: str = "main"
    press: str = ""  # a selector of what is pressed first: the page is what comes then
    status: int = 200
    whole: bool = True  # False for one too long to be pictured from top to bottom


SHOP = [
    Page("home", "/"),
    Page("category", "/?category={category}"),
    Page("search", "/?q=会员"),
    Page("search-nothing", "/?q=没有这种东西"),
    Page("sale-open", "/sales/{sale_open}"),
    Page("sale-coming", "/sales/{sale_coming}"),
    Page("sale-paused", "/sales/{sale_paused}"),
    Page("sale-gone", "/sales/{sale_gone}"),
    Page("sale-ended", "/sales/{sale_ended}"),
    Page("lookup", "/orders"),
    Page("order-awaiting", "/orders/{order_awaiting}", "shopper"),
    Page("order-delivered", "/orders/{order_delivered}", "shopper"),
    Page("order-codes", "/orders/{order_delivered}", "shopper", press="form[action$='/codes'] button", shown=".codes"),
    Page("order-cancelled", "/orders/{order_cancelled}", "shopper"),
    Page("order-refunded", "/orders/{order_refunded}", "shopper"),
    Page("policy", "/policies/refund"),
    Page("not-found", "/sales/sal_00000000000000000000000000000000", status=404),
    Page("closed", "/", host="closed", status=403),
    Page("no-store", "/orders", host="nobody", status=404),
]
CONSOLE: list[Page] = []
PLATFORM = [Page("landing", "/", host="platform"), Page("reference", "/docs/api", host="platform", whole=False)]
PAGES = [*SHOP, *CONSOLE, *PLATFORM]
# What a first visit, a shift of the layout and a long wait are measured on.
FIRST_VIEWS = ("home", "category", "sale-open")
STEADY = ("home", "category", "sale-open", "order-awaiting")
PRODUCT = "sale-open"  # whose server time is held


def named(name: str) -> Page:
    return next(page for page in PAGES if page.name == name)
