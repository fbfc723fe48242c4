"""The shelf: one product of each type, put on sale by the merchant; one shopper buys them all, and gets and uses what he bought.

All of it over the public API, like everything here. `goods` is the table: a type that is sold has a row there.
"""

import datetime as dt
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import httpx

from tessera.demo.merchant import TIMEOUT_S, Failed, Store, answered

STOCK = 20
WITHIN_S = 60.0  # for all of it, on a machine that has other things to do
POLL_S = 0.1
BASKET = 5  # orders a shopper may have unpaid
CONTACT = "shelf@shopper.example"
SHANGHAI = dt.timezone(dt.timedelta(hours=8))  # where the store is, unless it says otherwise

Use = Callable[["Visit", Mapping[str, Any]], bool]


class Goods(NamedTuple):
    """A product with its SKU; the price in fen. Stock is `codes`, lines of a file, or is made as `units` says; `code` is that of all.

    The shopper buys `quantity`, fills in what is `said`, and does what is to be done with it (`used`, told the first of what he got). Where
    a person has to do something he says `receipt` then.
    """

    type: str
    category: str
    product: str
    description: str
    sku: str
    price_minor: int
    usage_note: str
    config: Mapping[str, Any] = {}
    units: Mapping[str, Any] = {}
    codes: Sequence[str] = ()
    code: str = ""
    quantity: int = 1
    said: Mapping[str, str] = {}
    receipt: str = ""
    used: Use = lambda _, got: bool(got["code"] or got["note"] or got["valid_until"])


def goods(now: dt.datetime) -> list[Goods]:
    """What stands on the shelf of a store that opens `now`: games, films, and a weekend away."""
    today = now.astimezone(SHANGHAI).date()
    show = {
        "pick": "tonight.stalls", "label": "今晚 19:30 场 · 池座", "surcharge_minor": 0,
        "starts_at": (now + dt.timedelta(hours=2)).isoformat(), "ends_at": (now + dt.timedelta(hours=5)).isoformat(),
    }  # fmt: skip
    return [
        Goods(
            "code", "卡券", "影院通兑券", "全国影院通兑，一券一座。", "2D 通兑券", 3_990, "在影院自助机输入券码即可取票。",
            codes=[_number("CINE") for _ in range(STOCK)],
        ),
        Goods(
            "topup", "话费与直充", "手机话费", "全国三网，付款后一小时内到账。", "100 元", 9_850, "到账以运营商短信为准。",
            config={"credited": "100 元话费", "fields": [PHONE]}, units={"quantity": STOCK},
            said={"phone": "13800138000", "phone_again": "13800138000"}, receipt="运营商流水号 20260117-480531", used=_credited,
        ),
        Goods(
            "manual", "游戏", "游戏代练", "黄金到铂金，资深玩家人工代打。", "黄金 → 铂金", 12_800, "代练期间请勿登录账号。",
            config={"fields": [ROLE], "within_h": 48}, units={"quantity": STOCK}, said={"role": "峡谷小鹿"},
            receipt="已到铂金 IV，欢迎查收。",
        ),
        Goods(
            "licence", "软件", "简影剪辑 专业版", "视频剪辑软件，两台设备。", "一年授权", 19_900, "在软件的“激活”页粘贴密钥。",
            config={"devices_max": 2, "days": 365, "prefix": "JIANYING"}, units={"quantity": STOCK}, used=_activated,
        ),
        Goods(
            "reusable", "课程", "摄影入门课", "十二讲网课，随时观看。", "全套课程", 6_900, "在课程平台输入兑换码。",
            units={"quantity": STOCK}, code="PHOTO-2026-SPRING",
        ),
        Goods(
            "chosen", "靓号", "会员靓号", "自己挑选的会员号码。", "四位靓号", 8_800, "登录后在“我的号码”中绑定。",
            codes=["code,label", *(f"{_number('VIP')},靓号 {n}{n}{n}{n}" for n in range(9))],
        ),
        Goods(
            "membership", "会员", "读书会员", "全部电子书畅读。", "月度会员", 1_800, "到期前再次购买，自动顺延。",
            config={"every": 1, "period": "month"}, units={"quantity": STOCK}, used=_is_member,
        ),
        Goods(
            "ticket", "演出", "话剧《茶馆》", "经典话剧，池座自由入座。", "池座", 28_000, "开演前两小时凭码入场。",
            config={"venue": "人民剧场", "classes": [{"id": "stalls", "label": "池座"}], "opens_min": 240},
            units={"quantity": STOCK, "picks": [show]}, used=_admitted,
        ),
        Goods(
            "booking", "住宿", "西湖边民宿", "湖景大床房，含双早。", "湖景大床房", 36_800, "15:00 后凭入住码办理入住。",
            config={"free_until_days": 2}, units={"quantity": 1, "span": {"first": _day(today, 7), "last": _day(today, 8)}},
            quantity=2, said={"guest": "鹿小满"},
        ),
    ]  # fmt: skip


PHONE = {
    "name": "phone", "label": {"zh-CN": "手机号码", "en": "Telephone"}, "kind": "digits", "pattern": "1[3-9][0-9]{9}",
    "hint": "11 位手机号码", "confirm": True,
}  # fmt: skip
ROLE = {"name": "role", "label": {"zh-CN": "游戏角色名", "en": "Name in the game"}}


class Visit:
    """The merchant's program and one shopper, each with a connection of his own."""

    def __init__(self, api_url: str, store: Store, provider_url: str, provider_token: str) -> None:
        self.merchant = _client(api_url, {"Authorization": f"Bearer {store.api_key}"})
        self.shopper = _client(api_url, {"X-Tessera-Store": store.slug})
        self._provider = _client(provider_url, {"Authorization": f"Bearer {provider_token}"})
        self._categories: dict[str, str] = {}

    def close(self) -> None:
        for client in (self.merchant, self.shopper, self._provider):
            client.close()

    def come(self) -> None:
        """The shopper is a guest from now on."""
        token = ask(self.shopper, "/v1/shopper-tokens", {})["token"]
        self.shopper.headers["Authorization"] = f"Bearer {token}"

    def put(self, each: Goods) -> str:
        """Put it on sale, with its stock; the sale. Raises `Failed`."""
        if each.category not in self._categories:
            self._categories[each.category] = ask(self.merchant, "/v1/categories", {"name": each.category})["id"]
        about = {"name": each.product, "description": each.description, "category_id": self._categories[each.category]}
        new = {"name": each.sku, "price_minor": each.price_minor, "type": each.type, "config": each.config, "usage_note": each.usage_note}
        sku_id = ask(self.merchant, "/v1/skus", {"product_id": ask(self.merchant, "/v1/products", about)["id"], **new})["id"]
        if each.codes:
            headers = {"Content-Type": "text/csv", "X-Filename": f"{each.type}.csv", "Idempotency-Key": secrets.token_hex(8)}
            content = "\n".join(each.codes).encode()
            answered(self.merchant.post("/v1/vault/imports", params={"sku_id": sku_id}, headers=headers, content=content))
        elif each.units:
            ask(self.merchant, f"/v1/skus/{sku_id}/units", each.units)
        if each.code:
            ask(self.merchant, f"/v1/types/{each.type}/change", {"sku_id": sku_id, "code": each.code})
        offer = {"sku_id": sku_id, "name": f"{each.product} {each.sku}", "units": "all", "limit_per_shopper": 0}
        return str(ask(self.merchant, "/v1/sales", offer)["id"])

    def place(self, wanted: Mapping[str, int]) -> dict[str, str]:
        """Reserve so many units of each sale; the order by sale. One order each: a checkout is of one sale."""
        return {
            sale: ask(self.shopper, "/v1/checkouts", {"sale_id": sale, "quantity": quantity, "contact": CONTACT})["id"]
            for sale, quantity in wanted.items()
        }

    def say(self, order: str, sale: str, said: Mapping[str, str]) -> None:
        answer = self.shopper.put(f"/v1/orders/{order}/inputs/{sale}", json={"values": said})
        if answer.status_code != httpx.codes.NO_CONTENT:
            raise Failed(f"what was said of {sale} was answered {answer.status_code}: {answer.text[:500]}")

    def pay(self, order: str) -> None:
        pay_url = ask(self.shopper, f"/v1/orders/{order}/payments", {})["pay_url"]
        ask(self._provider, f"/admin/pay/{str(pay_url).rstrip('/').rpartition('/')[2]}", {})

    def work(self, receipts: Mapping[str, tuple[str, str]], end: float) -> None:
        """Staff take from the queue what is theirs, by sale, until all of it is done or `end` comes."""
        left = dict(receipts)
        while left and time.monotonic() < end:
            for line in answered(self.merchant.get("/v1/fulfilments", params={"limit": 100}))["items"]:
                if line["sale_id"] in left:
                    type_, receipt = left.pop(line["sale_id"])
                    if type_ == "topup":
                        ask(self.merchant, "/v1/types/topup/claim", {"fulfilment_id": line["id"]})
                    ask(self.merchant, f"/v1/fulfilments/{line['id']}/complete", {"contents": [{"note": receipt}]})
            time.sleep(POLL_S if left else 0)

    def state(self, order: str, end: float, *, after: Sequence[str]) -> str:
        """The state it comes to when it is in none of `after` any more, or that in which it is when `end` comes."""
        while True:
            state = str(answered(self.shopper.get(f"/v1/orders/{order}"))["state"])
            if state not in after or time.monotonic() > end:
                return state
            time.sleep(POLL_S)

    def codes(self, order: str, sale: str) -> list[dict[str, Any]]:
        shown = answered(self.shopper.get(f"/v1/orders/{order}/codes"))["codes"]
        return [each for each in shown if each["sale_id"] == sale]


def sell(visit: Visit, shelf: Sequence[Goods]) -> dict[str, Any]:
    """What report.json says of the shelf: by type the units sold and delivered, and whether their buyer could use them."""
    began = time.monotonic()
    end = began + WITHIN_S
    sales = {visit.put(each): each for each in shelf}
    visit.come()
    orders: dict[str, str] = {}
    for first in range(0, len(sales), BASKET):
        orders |= _buy(visit, dict(list(sales.items())[first : first + BASKET]), end)
    visit.work({sale: (each.type, each.receipt) for sale, each in sales.items() if each.receipt}, end)
    states = {order: visit.state(order, end, after=("awaiting", "paid")) for order in set(orders.values())}
    types = {}
    for sale, each in sales.items():
        got = visit.codes(orders[sale], sale) if states[orders[sale]] == "delivered" else []
        used = bool(got) and each.used(visit, {**got[0], "order_id": orders[sale]})
        types[each.type] = {"sold": each.quantity, "delivered": len(got), "used": used, "state": states[orders[sale]]}
    return {"types": types, "orders": len(states), "seconds": round(time.monotonic() - began, 1)}


def _buy(visit: Visit, sales: Mapping[str, Goods], end: float) -> dict[str, str]:
    """Reserved, what is asked said, and paid; the order by sale."""
    orders = visit.place({sale: each.quantity for sale, each in sales.items()})
    for sale, each in sales.items():
        if each.said:
            visit.say(orders[sale], sale, each.said)
    for order in set(orders.values()):
        visit.pay(order)
    for order in set(orders.values()):
        visit.state(order, end, after=("awaiting",))
    return orders


def shortcomings(shelf: Mapping[str, Any]) -> list[str]:
    """What is not as it must be, in words; empty when one of each type was delivered and is good for what it was bought for."""
    short = []
    for type_, seen in shelf["types"].items():
        if seen["delivered"] != seen["sold"]:
            short.append(f"shelf: {type_}: {seen['delivered']} of {seen['sold']} units delivered, the order is {seen['state']}")
        elif not seen["used"]:
            short.append(f"shelf: {type_}: delivered, and of no use to its buyer")
    return short


def ask(client: httpx.Client, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Raises `Failed`."""
    return answered(client.post(path, json=document, headers={"Idempotency-Key": secrets.token_hex(8)}))


def _client(url: str, headers: Mapping[str, str]) -> httpx.Client:
    return httpx.Client(base_url=url, headers=dict(headers), timeout=TIMEOUT_S, trust_env=False)


def _credited(visit: Visit, got: Mapping[str, Any]) -> bool:
    [line] = ask(visit.shopper, "/v1/types/topup/status", {"order_id": got["order_id"]})["topups"]
    return line["state"] == "done" and bool(got["note"])


def _activated(visit: Visit, got: Mapping[str, Any]) -> bool:
    return bool(ask(visit.shopper, "/v1/types/licence/activate", {"key": got["code"], "device": "剪辑室 01"})["valid"])


def _is_member(visit: Visit, _: Mapping[str, Any]) -> bool:
    return bool(ask(visit.shopper, "/v1/types/membership/status", {})["member"])


def _admitted(visit: Visit, got: Mapping[str, Any]) -> bool:
    return bool(ask(visit.merchant, "/v1/types/ticket/check_in", {"code": got["code"]})["result"] == "admitted")


def _number(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(4).upper()}-{secrets.token_hex(4).upper()}"


def _day(today: dt.date, days: int) -> str:
    return (today + dt.timedelta(days)).isoformat()
