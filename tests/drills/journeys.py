"""Merchants and shoppers over HTTP who go on whatever dies: they ask the same again, and write down what they were told."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import httpx

from checkout_core.config import Settings
from checkout_core.ids import decode
from tenants.db import CONNECTION_LOST, dsn_for
from tessera.letterbox import sign_up
from tessera.shop import Shop

PATIENCE_S = 90  # Postgres may need seconds to recover on a busy disk, and is killed over and over
UNITS = 6_000
PRICE_MINOR = 9900
ANSWER_S = 5.0  # longer than any answer takes that comes at all
AGAIN_S = 0.05
LATER = (429, 503)


def codes(units: int) -> str:
    """A file: the first line stands there twice, and another is no code."""
    lines = [uuid4().hex for _ in range(units)]
    return "\n".join([*lines, lines[0], "卡密"]) + "\n"


class Strange(Exception):
    """An answer that should not have been given."""


class Asked(NamedTuple):
    """A shopper with an order."""

    shopper: dict[str, str]
    order: str


class Journeys:
    """A store that is open, with a sale behind each door. What was answered that should not be is in `strange`."""

    def __init__(self, shop: Shop, client: httpx.AsyncClient) -> None:
        self.shop = shop
        self.client = client
        self.settings = Settings.from_env(shop.environ)
        self.strange: list[str] = []
        self.refused_s: list[float] = []  # how long somebody was told for whom there was a unit that there was none
        self.told: list[dict[str, Any]] = []
        self.merchant: dict[str, str] = {}
        self.store: dict[str, str] = {}
        self.slug = ""
        self.sku = ""
        self.sales: dict[str, str] = {}  # by door

    async def open_store(self, units: int = UNITS) -> None:
        """While all is well: nobody signs up a second time."""
        self.slug = f"s-{uuid4().hex[:16]}"
        person = {"store": self.slug, "slug": self.slug, "mail": f"{self.slug}@example.org", "password": self.slug}
        signed_up = await asyncio.to_thread(sign_up, self.shop.api_url, self.shop.mail_url, **person)
        self.store = {"X-Tessera-Store": self.slug}
        self.merchant = self.store | {"Authorization": f"Bearer {signed_up['api_key']}"}
        account = await self.back_office("merchants", {"name": self.slug})
        await self.ask("POST", "/v1/provider-accounts", self.merchant, {"provider": "sandbox"} | account)
        self.sku = await self.new_sku(units)
        for door in ("direct", "gate"):
            self.sales[door] = await self.publish(self.sku, door, units // 2, fallback_per_s=100)

    # What merchants do

    async def create(self, path: str, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """A creating POST: sent again, it creates nothing."""
        keyed = self.merchant | {"Idempotency-Key": uuid4().hex} | (headers or {})
        created: dict[str, Any] = await self.ask("POST", path, keyed, body)
        return created

    async def new_sku(self, units: int) -> str:
        """A SKU with as many codes, from a file that has a line twice and one that is no code."""
        product = await self.create("/v1/products", {"name": "Steam"})
        body = {"product_id": product["id"], "name": "100", "price_minor": PRICE_MINOR, "currency": "CNY"}
        sku: str = (await self.create("/v1/skus", body))["id"]
        report = await self.create(f"/v1/vault/imports?sku_id={sku}", codes(units).encode(), {"Content-Type": "text/plain"})
        if report["loaded"] != units:
            self.strange.append(f"of {units} codes {report['loaded']} were loaded")
        return sku

    async def publish(self, sku: str, door: str, units: int, **more: Any) -> str:
        body = {"sku_id": sku, "name": "a sale", "units": units, "limit_per_shopper": 0, "door": door} | more
        return str((await self.create("/v1/sales", body))["id"])

    async def change(self, sale: str, path: str, body: dict[str, Any] | None = None) -> None:
        keyed = {"Idempotency-Key": uuid4().hex} if path == "stock" else {}
        await self.ask("POST", f"/v1/sales/{sale}/{path}", self.merchant | keyed, body or {})

    def door(self, sale: str) -> str:
        """Through which one of the two sales is sold."""
        return next(door for door, each in self.sales.items() if each == sale)

    # What shoppers do

    async def guest(self) -> dict[str, str]:
        token = (await self.ask("POST", "/v1/shopper-tokens", self.store, {}))["token"]
        return self.store | {"Authorization": f"Bearer {token}"}

    async def press(self, sale: str, shopper: dict[str, str] | None = None) -> Asked:
        """Where there is a unit for him: until it is his.

        The gate may say otherwise for a moment: what died between it and the commit still counts there, and a change of the sale reaches
        it later. Such a refusal is not kept, so the same wish may be pressed again; how long it was said is in `refused_s`.
        """
        shopper, key, began = shopper or await self.guest(), uuid4().hex, 0.0
        while (told := await self.wish(sale, shopper, key))[0] != "reserved":
            began = began or time.monotonic()
            if told[0] not in ("sold_out", "limit", "paused") or time.monotonic() - began > PATIENCE_S:
                raise Strange(f"a wish was told {told[0]}, {time.monotonic() - began:.1f} s after it was first refused")
            await asyncio.sleep(AGAIN_S)
        if began:
            self.refused_s.append(time.monotonic() - began)
        return Asked(shopper, told[1])

    async def wish(self, sale: str, shopper: dict[str, str], key: str = "") -> tuple[str, str]:
        """One wish, pressed until it is decided, saying so when it is a retry: what was told, and the order if there is one."""
        key, body, began, tries = key or uuid4().hex, {"sale_id": sale, "quantity": 1}, time.monotonic(), 0
        while time.monotonic() - began < PATIENCE_S:
            headers = shopper | {"Idempotency-Key": key} | ({"Idempotency-Retry": "1"} if tries else {})
            tries += 1
            try:
                response = await self.client.post(f"{self.shop.api_url}/v1/checkouts", headers=headers, json=body, timeout=ANSWER_S)
            except httpx.TransportError:
                continue
            if response.status_code == 201:
                self._note(response.json()["id"], "reserved", key)
                return "reserved", response.json()["id"]
            if response.status_code not in (202, *LATER):
                return response.json()["code"], ""
            await asyncio.sleep(AGAIN_S)
        return "nothing", ""

    async def until_there_is_one(self, sale: str, shopper: dict[str, str]) -> Asked:
        """A unit came back: before long there is one for this shopper, whose wishes are new ones each time."""
        began = time.monotonic()
        while (told := await self.wish(sale, shopper))[0] != "reserved":
            if time.monotonic() - began > PATIENCE_S:
                raise TimeoutError(f"a unit came back, and the last thing told was {told[0]}")
            await asyncio.sleep(AGAIN_S)
        return Asked(shopper, told[1])

    async def start(self, asked: Asked) -> dict[str, Any]:
        attempt: dict[str, Any] = await self.ask("POST", f"/v1/orders/{asked.order}/payments", asked.shopper, {})
        return attempt

    async def pay(self, attempt: dict[str, Any], **how: Any) -> None:
        """At the provider, which stays up."""
        await self.back_office("pay/" + attempt["pay_url"].rsplit("/", 1)[1], how)

    async def until(self, asked: Asked, *wanted: str, hurry: str = "") -> str:
        """The order's state, once it is a wanted one or patience is over. What is scheduled in the table `hurry` for later is due now."""
        ending = time.monotonic() + PATIENCE_S
        while True:
            state = str((await self.ask("GET", f"/v1/orders/{asked.order}", asked.shopper))["state"])
            if state in wanted or time.monotonic() > ending:
                if state == "delivered":
                    self._note(asked.order, "delivered", "")
                return "" if state in wanted else f"ended {state}, not {' or '.join(wanted)}"
            if hurry:
                await self.hurry(hurry, asked.order)
            await asyncio.sleep(AGAIN_S)

    async def paid_back(self, asked: Asked, ended: str = "succeeded") -> str:
        """Wait until the order's one refund has `ended` so."""
        ending = time.monotonic() + PATIENCE_S
        while await self.look(f"SELECT count(*) FROM refund WHERE order_id = $1 AND state = '{ended}'", asked.order) != 1:
            await self.hurry("refund", asked.order)
            if time.monotonic() > ending:
                return f"its refund has not {ended}"
            await asyncio.sleep(AGAIN_S)
        return ""

    async def lapse(self, asked: Asked) -> None:
        """The hold ends, now."""
        ends = "UPDATE orders SET hold_until = now(), next_try_at = now() WHERE id = $1 AND state = 'awaiting'"
        while await self.look(f"WITH ended AS ({ends}) SELECT 1", asked.order) is None:  # noqa: ASYNC110
            await asyncio.sleep(AGAIN_S)  # Postgres is away: the hold has not ended yet

    def _note(self, order: str, told: str, key: str) -> None:
        self.told.append({"order_id": order, "told": told, "at": time.time()} | ({"key": key} if key else {}))

    def write(self, file: Path) -> Path:
        """What clients were told, for the checker."""
        file.write_text("".join(json.dumps(line) + "\n" for line in self.told))
        return file

    # Exchanges

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Any:
        """Ask, and when nobody answers or the answer is "later", ask the same again."""
        began = time.monotonic()
        while (answer := await self.once(method, path, headers, body)) is None:
            if time.monotonic() - began > PATIENCE_S:
                raise TimeoutError(f"{method} {path} is not answered")
            await asyncio.sleep(AGAIN_S)
        return answer

    async def once(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Any:
        """The answer; None when there was none, or it was "later". Anything but these and success is strange."""
        content = {} if body is None else {"content": body} if isinstance(body, bytes) else {"json": body}
        try:
            response = await self.client.request(method, self.shop.api_url + path, headers=headers, timeout=ANSWER_S, **content)
        except httpx.TransportError:
            return None
        if response.status_code in LATER:
            return None
        if response.is_success:
            return response.json()
        if response.json().get("code") == "import_running":  # the process that died at it has not been noticed yet
            return None
        self.strange.append(f"{method} {path}: {response.status_code} {response.text[:200]}")
        return None

    async def back_office(self, path: str, body: dict[str, Any]) -> Any:
        """The provider's, which stays up."""
        headers = {"Authorization": f"Bearer {self.shop.provider.admin_token}"}
        response = await self.client.post(f"{self.shop.provider_url}/admin/{path}", headers=headers, content=json.dumps(body))
        assert response.is_success, response.text
        return response.json()

    async def hurry(self, table: str, order: str) -> None:
        """What would come due in half a minute is due now."""
        column = "id" if table == "orders" else "order_id"
        await self.look(f"UPDATE {table} SET next_try_at = now() WHERE {column} = $1 AND next_try_at > now()", order)

    async def look(self, sql: str, order: str) -> Any:
        """A look, or a touch, behind the scenes; None while Postgres is away."""
        try:
            conn = await asyncpg.connect(dsn_for(self.settings, "tessera_migrator"), timeout=5)
        except CONNECTION_LOST:
            return None
        try:
            return await conn.fetchval(sql, decode("ord", order))
        except CONNECTION_LOST:
            return None
        finally:
            conn.terminate()
