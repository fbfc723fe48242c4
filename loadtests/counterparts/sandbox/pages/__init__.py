"""The payer's page: what is to be paid, one button, the result. Works without scripts, since it has none."""

import sqlite3
from pathlib import Path

import jinja2

from loadtests.counterparts.sandbox.asgi import Request, Response
from loadtests.counterparts.sandbox.books import now_ms

_FOLDER = Path(__file__).parent
_PAGE = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    (_FOLDER / "pay.html").read_text()
)
_STYLE = (_FOLDER / "pay.css").read_bytes()
_SYMBOL = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$"}
_NO_DECIMALS = {"JPY", "KRW", "VND"}

_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)

TEXTS = {
    "zh-CN": {
        "title": "沙箱支付",
        "sandbox": "测试环境，不会产生真实扣款",
        "order": "订单号",
        "amount": "支付金额",
        "pay": "确认支付",
        "paid": "支付成功",
        "paid_text": "款项已收到，可返回商家查看订单。",
        "closed": "订单已关闭",
        "closed_text": "该订单已关闭或超时，无法支付。",
        "back": "返回商家",
        "other": "English",
    },
    "en": {
        "title": "Sandbox payment",
        "sandbox": "Test environment: no real money moves",
        "order": "Order",
        "amount": "Amount",
        "pay": "Pay",
        "paid": "Paid",
        "paid_text": "The payment was received. You can go back to the store.",
        "closed": "Closed",
        "closed_text": "This order was closed or ran out of time. It cannot be paid.",
        "back": "Back to the store",
        "other": "中文",
    },
}


def money(minor: int, currency: str) -> str:
    digits = f"{minor:,}" if currency in _NO_DECIMALS else f"{minor // 100:,}.{minor % 100:02}"
    return _SYMBOL.get(currency, currency + " ") + digits


def language(request: Request) -> str:
    """`?lang=` wins; else the browser's first choice between the two; else Chinese."""
    asked = request.query.get("lang")
    if asked in TEXTS:
        return asked
    for choice in request.headers.get("accept-language", "").lower().split(","):
        for name in TEXTS:
            if choice.strip().startswith(name[:2]):
                return name
    return "zh-CN"


def show(trade: sqlite3.Row, request: Request) -> Response:
    lang = language(request)
    paid = trade["state"] in ("SUCCESS", "REFUND")
    closed = not paid and (trade["state"] == "CLOSED" or trade["expire_ms"] <= now_ms())
    page = _PAGE.render(
        lang=lang,
        other_lang="en" if lang == "zh-CN" else "zh-CN",
        text=TEXTS[lang],
        state="paid" if paid else "closed" if closed else "open",
        description=trade["description"],
        out_trade_no=trade["out_trade_no"],
        amount=money(trade["paid"] if paid else trade["total"], trade["currency"]),
        return_url=trade["return_url"],
        action=request.target,
    )
    return Response(200, page.encode(), "text/html; charset=utf-8", (*_HEADERS, ("Content-Language", lang)))


def style() -> Response:
    headers = (("Cache-Control", "public, max-age=3600"), ("X-Content-Type-Options", "nosniff"))
    return Response(200, _STYLE, "text/css; charset=utf-8", headers)
