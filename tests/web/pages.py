"""Every page that people see, in one table: its pictures, its weight and its accessibility follow from the row.

A row that is missing here is a page that nobody looked at: a new page needs one.
"""

from typing import Literal, NamedTuple

Who = Literal["visitor", "shopper", "merchant"]
Host = Literal["shop", "closed", "away", "nobody", "platform"]


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
    first: str = ""  # what the shopkeeper sees to before somebody looks: a method of his


SHOP = [
    Page("home", "/"),
    Page("category", "/categories/{category}"),
    Page("search", "/search?q=会员"),
    Page("search-nothing", "/search?q=没有这种东西"),
    Page("product", "/products/{product_code}"),
    Page("product-picked", "/products/{product_chosen}"),
    Page("product-bundle", "/products/{product_bundle}"),
    Page("sale-open", "/sales/{sale_open}"),
    Page("sale-coming", "/sales/{sale_coming}"),
    Page("sale-paused", "/sales/{sale_paused}"),
    Page("sale-gone", "/sales/{sale_gone}"),
    Page("sale-ended", "/sales/{sale_ended}"),
    Page("waiting-room", "/sales/{sale_gate}/wait", "shopper", shown="[data-place]", first="line_up"),
    Page("cart", "/cart", "shopper"),
    Page("cart-empty", "/cart"),
    Page("checkout", "/checkout", "shopper"),
    Page("inputs", "/orders/{order_with_inputs}/inputs/{sale_with_inputs}", "shopper"),
    Page("cashier", "/orders/{order_awaiting}/pay", "shopper"),
    Page("lookup", "/orders"),
    Page("order-awaiting", "/orders/{order_awaiting}", "shopper"),
    Page("order-with-inputs", "/orders/{order_with_inputs}", "shopper"),
    Page("order-by-hand", "/orders/{order_manual}", "shopper"),
    Page("order-delivered", "/orders/{order_delivered}", "shopper"),
    Page("order-codes", "/orders/{order_delivered}", "shopper", press="form[action$='/codes'] button", shown=".codes"),
    Page("order-cancelled", "/orders/{order_cancelled}", "shopper"),
    Page("order-refunded", "/orders/{order_refunded}", "shopper"),
    Page("me", "/me", "shopper"),
    Page("coupons", "/me/coupons", "shopper"),
    Page("me-nobody", "/me"),
    Page("points", "/me/points", "shopper"),
    Page("policy", "/policies/refund"),
    Page("not-found", "/sales/sal_00000000000000000000000000000000", status=404),
    Page("closed", "/", host="closed", status=403),
    Page("closed-for-a-while", "/", host="away", status=503),
    Page("no-store", "/orders", host="nobody", status=404),
]


def screen(name: str, path: str) -> Page:
    """Of the console: whole when nothing is drawn as a skeleton any more."""
    return Page(f"console-{name}", f"/console{path}", "merchant", "platform", shown="main h1, main h2, main h3")


CONSOLE = [
    screen("home", "/"), screen("sales", "/sales"), screen("sale-new", "/sales/new"), screen("sale", "/sales/{sale_open}"),
    screen("sale-gate", "/sales/{sale_gate}"), screen("products", "/products"), screen("product", "/products/{product}"),
    screen("skus", "/skus"), screen("sku-files", "/skus/files"), screen("categories", "/categories"), screen("vault", "/vault"),
    screen("import", "/vault/import"), screen("imports", "/vault/imports"), screen("batches", "/vault/batches"),
    screen("units", "/vault/units?sku_id={sku}"), screen("code-exports", "/vault/exports"), screen("watches", "/vault/watches"),
    screen("code-keys", "/vault/keys"), screen("prices", "/prices"), screen("price-list", "/prices/{price_list}"),
    screen("buyer-groups", "/prices/groups"), screen("price-files", "/prices/import"), screen("orders", "/orders"),
    screen("orders-found", "/orders?state=delivered&q=xiaoman"), screen("order", "/orders/{order_delivered}"),
    screen("order-by-hand", "/orders/{order_manual}"), screen("order-refunded", "/orders/{order_refunded}"),
    screen("fulfilments", "/fulfilments"), screen("entitlements", "/entitlements"), screen("exceptions", "/exceptions"),
    screen("customers", "/customers"), screen("customer", "/customers/{customer}"), screen("points", "/points"),
    screen("coupons", "/coupons"), screen("payments", "/payments"), screen("setup", "/setup"), screen("staff", "/staff"),
    screen("invitations", "/staff/invitations"), screen("roles", "/staff/roles"),
    screen("profile", "/profile"), screen("keys", "/keys"), screen("webhooks", "/webhooks"), screen("webhook", "/webhooks/{endpoint}"),
    screen("audit", "/audit"), screen("settings", "/settings"), screen("policies", "/settings/policies"),
    screen("regional", "/settings/regional"), screen("closing", "/settings/closing"), screen("domains", "/settings/domains"),
    screen("channels", "/settings/channels"), screen("data", "/settings/data"), screen("qualifications", "/settings/qualifications"),
    Page("console-door", "/console/", host="platform", shown="form"),
]  # fmt: skip
PLATFORM = [Page("landing", "/", host="platform"), Page("reference", "/docs/api", host="platform", whole=False)]
PAGES = [*SHOP, *CONSOLE, *PLATFORM]
# What a first visit, a shift of the layout and a long wait are measured on.
FIRST_VIEWS = ("home", "category", "product", "sale-open", "cart-empty", "lookup")
STEADY = ("home", "category", "product", "sale-open", "cart", "checkout", "order-awaiting", "order-delivered")
PRODUCT = "product"  # whose server time is held


def named(name: str) -> Page:
    return next(page for page in PAGES if page.name == name)
