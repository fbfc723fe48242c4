"""A rush of shoppers over HTTP at a flash sale, while something dies.

They ask again, with and without saying so, and write down what they are told.
"""

import asyncio
import json
import random
import time
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from api.process import Keys
from checkout_core import tokens
from checkout_core.config import Settings
from checkout_core.ids import decode
from tenants.db import CONNECTION_LOST, dsn_for
from tessera.shop import Shop
from tests.drills.journeys import Journeys

SHOPPERS = 24  # at once
PATIENCE_S = 60
ANSWER_S = 2.0  # a process that stands still is given up, and another asked
AGAIN = 0.2  # of the winners press once more, as if their answer had been lost
CANCEL = 0.1  # of the winners let go at once, in drills of returns


class Rush:
    """One flash sale and its shoppers; what should not be is in `strange`."""

    def __init__(self, shop: Shop, client: httpx.AsyncClient, *, cancelling: bool = False, pace_s: float = 0) -> None:
        self.shop = shop
        self.client = client
        self.journeys = Journeys(shop, client)
        self.settings = Settings.from_env(shop.environ)
        self.cancelling = cancelling
        self.pace_s = pace_s
        self.strange: list[str] = []
        self.reserved: list[float] = []  # when somebody was told so (monotonic)
        self.cancelled: set[str] = set()
        self.history: list[dict[str, Any]] = []
        self.over = asyncio.Event()

    async def open(self, units: int, spare: int = 0) -> None:
        """A store with `units` in a flash sale, one for each shopper, and `spare` ones beside it."""
        slug = f"s-{uuid4().hex[:16]}"
        ask = self.journeys.ask
        signed_up = await ask("POST", "/v1/merchants", body={"store": slug, "slug": slug, "mail": f"{slug}@example.org", "password": slug})
        self.tenant_id = decode("ten", signed_up["tenant_id"])
        self.store = {"X-Tessera-Store": slug}
        self.merchant = self.store | {"Authorization": f"Bearer {signed_up['api_key']}"}
        product = await ask("POST", "/v1/products", self.merchant, {"name": "Steam"})
        body: dict[str, Any] = {"product_id": product["id"], "name": "100", "price_minor": 9900, "currency": "CNY"}
        sku = await ask("POST", "/v1/skus", self.merchant, body)
        codes = "".join(f"{uuid4().hex}\n" for _ in range(units + spare)).encode()
        await ask("POST", f"/v1/vault/imports?sku_id={sku['id']}", self.merchant | {"Content-Type": "text/plain"}, codes)
        body = {"sku_id": sku["id"], "name": "a rush", "units": units, "limit_per_shopper": 1, "door": "gate"}
        self.sale = (await ask("POST", "/v1/sales", self.merchant, body))["id"]

    async def change(self, path: str, body: dict[str, Any] | None = None) -> None:
        """The merchant changes the sale."""
        await self.journeys.ask("POST", f"/v1/sales/{self.sale}/{path}", self.merchant, body or {})

    # Shoppers

    async def run(self) -> None:
        """Until the sale is sold out in truth, or patience is over."""
        async with asyncio.TaskGroup() as group:  # nobody presses on when one of them, or the look at what is left, fails
            for _ in range(SHOPPERS):
                group.create_task(self._shoppers())
            ending = time.monotonic() + PATIENCE_S
            while (left := await self.left()) != 0 or left is None:
                if time.monotonic() > ending:
                    self.strange.append(f"not sold out after {PATIENCE_S} s: {left} units are left")
                    break
                await asyncio.sleep(0.2)
            self.over.set()

    async def _shoppers(self) -> None:
        while not self.over.is_set():
            token, _ = tokens.issue(Keys.of(self.settings.secret).shoppers, self.tenant_id)
            headers = self.store | {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
            told = await self._buy(headers)
            if told is None or told["code"] != "reserved":
                await asyncio.sleep(0.1)
                continue
            await asyncio.sleep(self.pace_s)
            self.history.append({"order_id": told["id"], "told": "reserved", "at": time.time(), "key": headers["Idempotency-Key"]})
            if random.random() < AGAIN:
                again = await self._buy(headers)
                if again is not None and again["id"] != told["id"]:
                    self.strange.append(f"told {told}, and then {again}")
            if self.cancelling and random.random() < CANCEL and not self.over.is_set():
                self.cancelled.add(told["id"])
                await self.journeys.ask("POST", f"/v1/orders/{told['id']}/cancel", headers, {})

    async def _buy(self, headers: dict[str, str]) -> dict[str, Any] | None:
        """Press until there is an answer: an order, or why not. None when the rush ends first."""
        wish = {"sale_id": self.sale, "quantity": 1}
        tries = 0
        while not self.over.is_set():
            retried = {"Idempotency-Retry": "1"} if tries % 2 else {}
            tries += 1
            try:
                url = f"{self.shop.api_url}/v1/checkouts"
                response = await self.client.post(url, json=wish, headers=headers | retried, timeout=ANSWER_S)
            except httpx.TransportError:
                continue
            if response.status_code == 201:
                self.reserved.append(time.monotonic())
                return {"code": "reserved", "id": response.json()["id"]}
            if response.status_code in (202, 429, 503):
                await asyncio.sleep(0.05)
                continue
            code = response.json().get("code")
            if code in ("sold_out", "paused"):
                return {"code": code, "id": None}
            self.strange.append(f"{response.status_code} {response.text[:200]}")
            return None
        return None

    # Afterwards

    async def left(self) -> int | None:
        """Units nobody has; None while Postgres is away."""
        sale: int | None = await self.look("SELECT allotted - committed FROM sale WHERE id = $1", decode("sal", self.sale))
        return sale

    async def look(self, sql: str, *args: Any) -> Any:
        """A look behind the scenes; None while Postgres is away, in whatever words asyncpg says so."""
        try:
            conn = await asyncpg.connect(dsn_for(self.settings, "tessera_migrator"), timeout=5)
        except CONNECTION_LOST:
            return None
        try:
            return await conn.fetchval(sql, *args)
        except CONNECTION_LOST:
            return None
        finally:
            conn.terminate()

    async def sold(self, count: int) -> None:
        """Return when shoppers have been told so as often, or nothing is left."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.reserved) < count and not self.over.is_set():  # noqa: ASYNC110  a drill may poll
                await asyncio.sleep(0.01)

    def longest_pause_s(self, since: float) -> float:
        """The longest time without a reservation, from `since` (monotonic) to the last one."""
        moments = [since, *sorted(told for told in self.reserved if told > since)]
        return max((later - sooner for sooner, later in pairwise(moments)), default=float("inf"))

    async def judge(self) -> list[str]:
        """What is not as promised: acknowledged orders that are lost, units sold twice or not at all."""
        wrong = list(self.strange)
        told = {line["order_id"] for line in self.history}
        sql = "SELECT count(*) FROM orders WHERE id = ANY ($1) AND state IN ('awaiting', 'delivered')"
        kept = [decode("ord", order) for order in told - self.cancelled]
        if (found := await self.look(sql, kept)) != len(kept):
            wrong.append(f"{len(kept)} orders were acknowledged and not cancelled, {found} are there")
        sql = "SELECT count(*) FROM unit WHERE order_id = ANY ($1)"
        if (held := await self.look(sql, kept)) != len(kept):
            wrong.append(f"{len(kept)} orders hold {held} units")
        return wrong

    def write(self, file: Path) -> None:
        file.write_text("".join(json.dumps(line) + "\n" for line in self.history))
