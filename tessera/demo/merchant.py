"""A merchant opens a store, over the public API only: signs up, connects a payment provider, loads files, offers them for sale."""

import json
import secrets
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec

from tessera import letterbox

CODES = Path(__file__).parents[2] / "tests" / "data" / "codes"
TIMEOUT_S = 120.0
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTENT_TYPES = {".txt": "text/plain", ".csv": "text/csv", ".xlsx": XLSX}
HOLD_S = 900


class Goods(NamedTuple):
    """A product that is loaded from a file; prices in fen."""

    file: str
    product: str
    description: str
    sku: str
    price_minor: int
    sale: str  # what demo.json calls the sale of all that is left


GOODS = (
    Goods(
        "video-year.txt",
        "视频会员",
        "全站会员，兑换码即时到账。Video membership, the code at once.",
        "年卡 · one year",
        19_800,
        "video-year",
    ),
    Goods("game-points-gbk.csv", "游戏点券", "卡号与卡密。Game points: card and secret.", "1,000 点 · points", 9_500, "game-points"),
    Goods("music-month.txt", "音乐会员", "一码一月。Music membership, one month a code.", "月卡 · one month", 1_290, "music-month"),
    Goods("gift-card.xlsx", "礼品卡", "实体卡密。Gift card: number and password.", "50 元 · 50 yuan", 4_900, "gift-card"),
)
RUSH, FLASH = "rush", "flash"  # what demo.json calls the sale of few units and the one through the gate
FLASH_LIMIT = 1  # units a shopper may have


class Failed(Exception):
    """The API refused what the demonstration cannot do without; the message has its answer."""


class Owner(msgspec.Struct):
    mail: str
    password: str


class Store(msgspec.Struct):
    """What was opened. `imports` is each file's report, `sales` ids by name; `limit` units of the rush a shopper may have."""

    slug: str
    host: str
    tenant_id: str
    api_key: str
    owner: Owner
    limit: int
    imports: dict[str, dict[str, Any]] = {}
    sales: dict[str, str] = {}


class Merchant:
    """One who talks to the API and to the sandbox provider's back office."""

    def __init__(self, api_url: str, mail_url: str, provider_url: str, provider_token: str) -> None:
        self._urls = api_url, mail_url
        # No proxy of this machine's environment stands between two of its own processes.
        self._api = httpx.Client(base_url=api_url, timeout=TIMEOUT_S, trust_env=False)
        office = {"Authorization": f"Bearer {provider_token}"}
        self._provider = httpx.Client(base_url=provider_url, timeout=TIMEOUT_S, trust_env=False, headers=office)

    def close(self) -> None:
        self._api.close()
        self._provider.close()

    def open_store(self, *, limit: int) -> Store:
        """Sign up, confirm with what the mail holds, and connect the provider. Raises `Failed`."""
        owner = Owner("owner@cards.example", secrets.token_urlsafe(12))
        asked = {"store": "小票铺 Tessera Cards", "slug": "cards", "mail": owner.mail, "password": owner.password}
        try:
            signed_up = letterbox.sign_up(*self._urls, **asked)
        except letterbox.NotSignedUp as problem:
            raise Failed(str(problem)) from problem
        store = Store(signed_up["slug"], signed_up["store_host"], signed_up["tenant_id"], signed_up["api_key"], owner, limit)
        self._api.headers["Authorization"] = f"Bearer {store.api_key}"
        account = answered(self._provider.post("/admin/merchants", json={"name": store.slug}))
        self._post("/v1/provider-accounts", {"provider": "sandbox", **account})
        return store

    def stock(self, store: Store, goods: Goods, rush_units: int = 0, flash_units: int = 0) -> None:
        """A product, its SKU, its codes; sales of `rush_units` and of `flash_units` if any, and one of the rest. Raises `Failed`."""
        product = self._post("/v1/products", {"name": goods.product, "description": goods.description})
        wanted = {"product_id": product["id"], "name": goods.sku, "price_minor": goods.price_minor, "currency": "CNY"}
        sku = self._post("/v1/skus", wanted)
        store.imports[goods.file] = self._load(sku["id"], CODES / goods.file)
        if rush_units:
            half = goods.price_minor // 2
            store.sales[RUSH] = self._sell(sku["id"], f"限时抢购 {goods.product} · rush", half, rush_units, store.limit)
        if flash_units:
            tenth = goods.price_minor // 10
            name = f"零点秒杀 {goods.product} · flash sale"
            store.sales[FLASH] = self._sell(sku["id"], name, tenth, flash_units, FLASH_LIMIT, door="gate")
        store.sales[goods.sale] = self._sell(sku["id"], f"{goods.product} {goods.sku}", goods.price_minor, "all", 5)

    def _load(self, sku_id: str, file: Path) -> dict[str, Any]:
        query = {"sku_id": sku_id, "source": file.name, "note": "demo"}
        headers = {"Content-Type": CONTENT_TYPES[file.suffix], "X-Filename": file.name, "Idempotency-Key": secrets.token_hex(8)}
        batch = answered(self._api.post("/v1/vault/imports", params=query, headers=headers, content=file.read_bytes()))
        return {name: batch[name] for name in ("loaded", "duplicates", "malformed", "blank")}

    def _sell(self, sku_id: str, name: str, price_minor: int, units: int | str, limit: int, *, door: str = "direct") -> str:
        offer = {"sku_id": sku_id, "name": name, "price_minor": price_minor, "units": units, "limit_per_shopper": limit}
        sale_id: str = self._post("/v1/sales", offer | {"hold_s": HOLD_S, "door": door})["id"]
        return sale_id

    def _post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        return answered(self._api.post(path, json=document, headers={"Idempotency-Key": secrets.token_hex(8)}))


def expected_imports() -> dict[str, dict[str, Any]]:
    """What the manifest beside the files says of each."""
    manifest = json.loads((CODES / "manifest.json").read_text(encoding="utf-8"))
    return {
        file: {
            "loaded": each["loaded"],
            "duplicates": each["duplicates_in_file"],
            "malformed": each["malformed"],
            "blank": each.get("blank", 0),
        }
        for file, each in manifest.items()
    }


def answered(response: httpx.Response) -> dict[str, Any]:
    if response.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
        request = response.request
        raise Failed(f"{request.method} {request.url.path} was answered {response.status_code}: {response.text[:500]}")
    document: dict[str, Any] = response.json()
    return document
