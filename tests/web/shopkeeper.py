"""A merchant with all that a shop has: looks and words, goods of every type with pictures, sales in every state, orders in every state.

Made over the API alone, as he would. `places` collects what pages are addressed by.
"""

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

import httpx

from tessera.demo.shelf import Goods, goods
from tests.fuzz.api.house import Desk, Headers, bearer
from tests.web.artwork import artwork

WITHIN_S = 30.0
BEFORE, BEHIND = 11, 29  # of the shopper in the waiting room
ENGLISH = {
    "code": ("Cinema voucher", "One seat at any cinema."), "topup": ("Mobile top-up", "All networks, within an hour."),
    "manual": ("Game boosting", "Gold to platinum, by hand."), "licence": ("Jianying Pro", "Video editing on two devices."),
    "reusable": ("Photography basics", "Twelve lessons, any time."), "chosen": ("Member number", "Choose your own."),
    "membership": ("Reading club", "All e-books."), "ticket": ("Teahouse, the play", "Stalls, free seating."),
    "booking": ("Lakeside room", "With breakfast for two."), "bundle": ("Film and photo set", "See a film, then shoot one."),
}  # fmt: skip
LOOKS = {
    "zone": "Asia/Shanghai", "locales": ["zh-CN", "en"], "locale": "zh-CN", "contact": "service@deer.example · 400-810-6688",
    "banner": "全场虚拟商品即时到账 · 未使用可按规则退款", "notice": "春节期间 24 小时有人值守。\n遇到问题请先在订单页查看说明。",
    "footer": "小鹿数字商行\n杭州市西湖区文三路 478 号", "seo_title": "小鹿数字商行：会员、点券与门票",
    "seo_description": "正品数字商品，付款即得，查询有据。", "accent_color": "#0a6a57",
    "refund_policy": "## 未使用的卡密\n付款后 7 天内，**未查看**的卡密可退款。\n\n## 已查看的卡密\n- 无法使用：全额退款\n- 已兑换：不退",
    "privacy_policy": "## 我们收集什么\n只收集完成订单需要的联系方式。\n\n## 保留多久\n订单完成后 180 天。",
    "terms": "## 购买须知\n下单即表示同意本条款。数字商品一经兑换即视为交付。",
}  # fmt: skip
COUPONS = (
    {"name": "双旦预热 满 200 减 50", "kind": "fixed", "off_minor": 5_000, "threshold_minor": 20_000, "claims_max": 2_000},
    {"name": "老客专享", "kind": "fixed", "off_minor": 2_000, "claim": "code", "code": "WELCOMEBACK", "uses_max": 500},
    {"name": "全场九折", "kind": "percent", "off_bp": 1_000, "cap_minor": 3_000, "claims_max": 5_000, "valid_days": 30},
    {"name": "满 50 减 10", "kind": "fixed", "off_minor": 1_000, "threshold_minor": 5_000, "claims_max": 10_000, "valid_days": 7},
)  # fmt: skip


class Shopkeeper:
    """`key` is the merchant's program, `at` any visitor's headers."""

    def __init__(self, api_url: str, provider_url: str, provider_token: str, slug: str, key: str) -> None:
        self.desk = Desk(api_url)
        self.key = bearer(key)
        self.at = {"X-Tessera-Store": slug}
        self._provider = httpx.Client(base_url=provider_url, headers=bearer(provider_token), timeout=30, trust_env=False)
        self.places: dict[str, str] = {}
        account = self._provider.post("/admin/merchants", json={"name": slug}).raise_for_status().json()
        self.ask("POST", "/v1/provider-accounts", {"provider": "sandbox", **account})

    def close(self) -> None:
        self.desk.api.close()
        self._provider.close()

    def ask(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, file: bytes | None = None) -> Any:
        return self.desk.ask(method, path, self.key | dict(headers or {}), body, file=file)

    def furnish(self) -> None:
        self._decorate()
        self._stock(goods(dt.datetime.now(dt.UTC)))
        self._sell()
        self._serve()
        self._crowd()
        self._run()

    def guest(self) -> Headers:
        return bearer(self.desk.ask("POST", "/v1/shopper-tokens", self.at)["token"]) | self.at

    def _decorate(self) -> None:
        self.ask("PATCH", "/v1/store", LOOKS, headers={"If-Match": "*"})
        for kind, words, size in (("logo", "鹿", (320, 320)), ("banner", "新年好礼", (1600, 500))):
            self.ask("PUT", f"/v1/store/images/{kind}", file=artwork(words, size), headers={"Content-Type": "image/png"})

        levels = [{"name": "银卡", "growth": 50, "earn_percent": 120}, {"name": "金卡", "growth": 500, "earn_percent": 150}]
        rules = {"enabled": True, "sign_in_points": 5, "hold_days": 0, "expiry": "month_end", "expiry_count": 12, "period_days": 365}
        self.ask("PUT", "/v1/points/program", rules | {"grace_days": 30, "levels": levels}, headers={"If-Match": "*"})

    def _stock(self, shelf: list[Goods]) -> None:
        """One product of each type, pictured, named in both languages, on the shelf; and one whose codes came as files, good and bad."""
        categories: dict[str, str] = {}
        self.said = {each.type: each.said for each in shelf}
        for each in shelf:
            if each.category not in categories:
                categories[each.category] = self.ask("POST", "/v1/categories", {"name": each.category})["id"]
            about = {"name": each.product, "description": each.description, "category_id": categories[each.category]}
            product = self.ask("POST", "/v1/products", about)["id"]
            self._picture(product, each.product)
            name, description = ENGLISH[each.type]
            self.ask("PUT", f"/v1/translations/{product}/en", {"name": name, "description": description})
            parts = {"parts": [{"sku_id": self.places[f"sku_{part}"]} for part in each.parts]}
            new = {"name": each.sku, "price_minor": each.price_minor, "type": each.type, "usage_note": each.usage_note}
            config = parts if each.parts else dict(each.config)
            sku = self.ask("POST", "/v1/skus", {"product_id": product, "config": config, **new})["id"]
            self.places |= {f"product_{each.type}": product, f"sku_{each.type}": sku}
            if each.codes:
                self.load(sku, "\n".join(each.codes), "text/csv", f"{each.type}.csv")
            elif not each.parts:
                self.ask("POST", f"/v1/skus/{sku}/units", dict(each.units))
            if each.code:
                self.ask("POST", f"/v1/types/{each.type}/change", {"sku_id": sku, "code": each.code})
            self.ask("PUT", f"/v1/skus/{sku}/shelf", {"units": "all"})
        self.places["category"] = categories["卡券"]

    def _picture(self, product: str, words: str) -> None:
        self.ask("POST", f"/v1/products/{product}/images", file=artwork(words), headers={"Content-Type": "image/png"})

    def load(self, sku: str, lines: str, kind: str = "text/plain", name: str = "codes.txt") -> str:
        headers = {"Content-Type": kind, "X-Filename": name}
        return str(self.ask("POST", f"/v1/vault/imports?sku_id={sku}", file=lines.encode(), headers=headers)["id"])

    def _sell(self) -> None:
        """A sale in each state."""
        product = self.ask("POST", "/v1/products", {"name": "视频会员", "description": "全站会员，兑换码即时到账。\n支持手机与电视。"})[
            "id"
        ]
        self._picture(product, "视频会员")
        self.ask("PUT", f"/v1/translations/{product}/en", {"name": "Video membership", "description": "The code at once.\nPhone and TV."})
        sku = self.ask("POST", "/v1/skus", {"product_id": product, "name": "年卡", "price_minor": 19_800, "currency": "CNY"})["id"]
        self.places |= {"product": product, "sku": sku}
        self.places["import"] = self.load(
            sku, "".join(f"YK-{n:04}-{n * 7919 % 10000:04}-ABCD----{n * 104729 % 1000000:06}\n" for n in range(400))
        )
        self.places["import_bad"] = self.load(sku, "YK-0001-7919-ABCD----104729\nnot\ta code\x01\nYK-0001-7919-ABCD----104729\n")
        now = dt.datetime.now(dt.UTC)
        soon, later = now + dt.timedelta(hours=2), now + dt.timedelta(days=3)
        for state, name, more in (
            ("open", "限时抢购 · 视频会员年卡", {"units": 60, "price_minor": 9900, "ends_at": later.isoformat()}),
            ("coming", "今晚开抢 · 视频会员年卡", {"units": 20, "price_minor": 4900, "starts_at": soon.isoformat()}),
            ("paused", "老客专享 · 视频会员年卡", {"units": 10}),
            ("gone", "首发 · 视频会员年卡", {"units": 1}),
            ("ended", "双十一 · 视频会员年卡", {"units": 5}),
            ("gate", "零点秒杀 · 视频会员年卡", {"units": 30, "price_minor": 990, "door": "gate", "waiting_room": "line", "hold_s": 7200}),
        ):
            body = {"sku_id": sku, "name": name, "limit_per_shopper": 2, **more}
            self.places[f"sale_{state}"] = self.ask("POST", "/v1/sales", body)["id"]
        self.ask("POST", f"/v1/sales/{self.places['sale_paused']}/pause")
        self.ask("POST", f"/v1/sales/{self.places['sale_ended']}/end")

    def _serve(self) -> None:
        """An order in each state, all of one shopper, who has a cart too."""
        self.shopper = self.guest()
        buyer = self.guest()
        self.pay(self.order(buyer, "gone"), buyer)
        self.places["order_awaiting"] = self.order(self.shopper, "open")
        cancelled = self.places["order_cancelled"] = self.order(self.shopper, "open")
        self.desk.ask("POST", f"/v1/orders/{cancelled}/cancel", self.shopper)
        for state, sale in (("delivered", "open"), ("refunded", "gate")):
            order = self.places[f"order_{state}"] = self.order(self.shopper, sale)
            self.pay(order, self.shopper)
            self.wait(order, "delivered")
        self.ask("POST", f"/v1/orders/{self.places['order_refunded']}/refund")
        for type_ in ("topup", "manual", "licence", "membership", "reusable"):
            order = self.places[f"order_{type_}"] = self.cart_order(self.shopper, type_)
            if said := self.said[type_]:
                self.desk.ask("PUT", f"/v1/orders/{order}/inputs/{self.places['sale_of_order']}", self.shopper, {"values": dict(said)})
            self.pay(order, self.shopper)
            self.wait(order, "paid", "delivered")  # nobody may hold more than five unpaid
        self.places["order_with_inputs"] = self.cart_order(self.shopper, "manual")
        self.places["sale_with_inputs"] = self.places["sale_of_order"]
        self.places["unpaid"] = self.cart_order(self.guest(), "reusable")
        lines = [{"sku_id": self.places[f"sku_{type_}"], "quantity": 1} for type_ in ("code", "licence", "reusable")]
        self.desk.ask("PUT", "/v1/cart", self.shopper, {"lines": lines})

    def _crowd(self) -> None:
        """Others hold all that is left of the flash sale, and more of them wait."""
        sale = self.ask("GET", f"/v1/sales/{self.places['sale_gate']}")
        left = sale["allotted"] - sale["committed"]
        for quantity in [2] * (left // 2) + [1] * (left % 2):
            self.order(self.guest(), "gate", quantity=quantity)
        self._waiting = [self.guest() for _ in range(BEFORE + BEHIND)]

    def line_up(self) -> None:
        """Everybody asks for his place, in order: who has not asked for 90 seconds has none."""
        for who in (*self._waiting[:BEFORE], self.shopper, *self._waiting[BEFORE:]):
            self.desk.ask("POST", f"/v1/waiting-rooms/{self.places['sale_gate']}", who)

    def order(self, who: Headers, sale: str, **more: Any) -> str:
        body = {"sale_id": self.places[f"sale_{sale}"], "quantity": 1, "contact": "xiaoman@deer.example", **more}
        until = time.monotonic() + WITHIN_S
        # A gate that has just been made says so for a moment.
        while (answer := self.desk.send("POST", "/v1/checkouts", who, body)).status_code == 503 and time.monotonic() < until:
            time.sleep(0.1)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    def cart_order(self, who: Headers, *types: str) -> str:
        lines = [{"sku_id": self.places[f"sku_{type_}"], "quantity": 1} for type_ in types]
        order = self.desk.ask("POST", "/v1/orders", who, {"lines": lines, "contact": "xiaoman@deer.example"})
        self.places["sale_of_order"] = order["lines"][0]["sale_id"]
        return str(order["id"])

    def pay(self, order: str, who: Headers) -> None:
        pay_url = self.desk.ask("POST", f"/v1/orders/{order}/payments", who)["pay_url"]
        self._provider.post(f"/admin/pay/{str(pay_url).rstrip('/').rpartition('/')[2]}", json={}).raise_for_status()

    def wait(self, order: str, *states: str) -> None:
        until = time.monotonic() + WITHIN_S
        while self.ask("GET", f"/v1/orders/{order}")["state"] not in states:
            assert time.monotonic() < until, f"{order} was not {' or '.join(states)} in time"
            time.sleep(0.1)

    def _run(self) -> None:
        """What a console has to manage besides: people, keys, tags, prices, an endpoint that fails, an export that was asked for."""
        for name in ("重点客户", "待回访", "疑似刷单"):
            tag = self.ask("POST", "/v1/order-tags", {"name": name})["id"]
            self.ask("PUT", f"/v1/orders/{self.places['order_delivered']}/tags", {"tag_ids": [tag]})
        self.ask("POST", f"/v1/orders/{self.places['order_delivered']}/notes", {"words": "客户来电确认已收到，满意。"})
        self.ask("POST", "/v1/roles", {"name": "夜班客服", "permissions": ["orders:read", "orders:write", "customers:read"]})
        for mail, role in (("night@deer.example", "support"), ("finance@deer.example", "finance")):
            self.ask("POST", "/v1/invitations", {"mail": mail, "role": role})
        self.ask("POST", "/v1/api-keys", {"name": "ERP 同步", "scopes": ["orders:read", "catalog:read"]})
        hook = {"url": "https://erp.deer.example/hooks", "description": "ERP", "event_types": ["*"]}
        self.places["endpoint"] = self.ask("POST", "/v1/webhook-endpoints", hook)["endpoint"]["id"]
        self.ask("POST", f"/v1/webhook-endpoints/{self.places['endpoint']}/test")
        group = self.ask("POST", "/v1/buyer-groups", {"name": "黄金会员", "kind": "level"})["id"]
        prices = self.places["price_list"] = self.ask("POST", "/v1/price-lists", {"name": "会员价", "group_id": group})["id"]
        entries = [{"sku_id": self.places["sku"], "unit_minor": 16_800}]
        self.ask("PUT", f"/v1/price-lists/{prices}/entries", {"entries": entries})
        self.ask("POST", "/v1/order-exports", {"format": "csv"})
        [customer] = self.ask("POST", "/v1/shoppers/search", {"contact": "xiaoman@deer.example"})["items"][:1]
        self.places["customer"] = customer["id"]
        self.ask("POST", f"/v1/shoppers/{customer['id']}/points/entries", {"amount": 200, "reason": "开业回馈"})
        for nth, terms in enumerate(COUPONS):
            coupon = self.ask("POST", "/v1/coupons", terms)["id"]
            if nth:  # the first stays a draft
                self.ask("POST", f"/v1/coupons/{coupon}/start")
        self.desk.ask("POST", f"/v1/coupon-claims/open/{coupon}", self.shopper)
