"""Shoppers who buy over HTTP while things die around them, and never ask anything but the same again."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from checkout_core.config import Settings
from checkout_core.ids import decode
from tenants.db import CONNECTION_LOST, dsn_for
from tessera.shop import Shop

PATIENCE_S = 90  # Postgres may need seconds to recover on a busy disk, and is killed over and over
UNITS = 400
RETRIES = 100


class Journeys:
    """A store that is open, and the ways an order may go there. What was answered that should not be is in `strange`."""

    def __init__(self, shop: Shop, client: httpx.AsyncClient) -> None:
        self.shop = shop
        self.client = client
        self.strange: list[str] = []
        self.merchant: dict[str, str] = {}
        self.sale = ""

    async def open_store(self) -> None:
        slug = f"s-{uuid4().hex[:16]}"
        body: dict[str, Any] = {"store": slug, "slug": slug, "mail": f"{slug}@example.org", "password": slug}
        signed_up = await self.ask("POST", "/v1/merchants", body=body)
        self.merchant = {"Authorization": f"Bearer {signed_up['api_key']}", "X-Tessera-Store": slug}
        product = await self.ask("POST", "/v1/products", self.merchant, {"name": "Steam"})
        body = {"product_id": product["id"], "name": "100", "price_minor": 9900, "currency": "CNY"}
        sku = await self.ask("POST", "/v1/skus", self.merchant, body)
        codes = "".join(f"{uuid4().hex}\n" for _ in range(UNITS)).encode()
        await self.ask("POST", f"/v1/vault/imports?sku_id={sku['id']}", self.merchant | {"Content-Type": "text/plain"}, codes)
        account = await self.back_office("merchants", {"name": slug})
        await self.ask("POST", "/v1/provider-accounts", self.merchant, {"provider": "sandbox"} | account)
        body = {"sku_id": sku["id"], "name": "a sale", "units": "all", "limit_per_shopper": 0, "price_minor": 9900}
        self.sale = (await self.ask("POST", "/v1/sales", self.merchant, body))["id"]

    # The ways

    async def buy(self) -> str:
        """Press, pay, be told by the provider's notice, look at the codes."""
        shopper, order = await self.press()
        await self.pay(await self.start(shopper, order))
        state = await self._until(shopper, order, "delivered")
        codes = (await self.ask("GET", f"/v1/orders/{order}/codes", shopper))["codes"]
        return state if len(codes) == 1 else f"{len(codes)} codes"

    async def buy_without_a_notice(self) -> str:
        """The provider's notices are lost: the active query finds the money."""
        shopper, order = await self.press()
        attempt = await self.start(shopper, order)
        await self.back_office("faults", {"out_trade_no": attempt["out_trade_no"], "drop": 1.0})
        await self.pay(attempt)
        return await self._until(shopper, order, "delivered", hurry="payment_attempt")

    async def buy_after_a_lost_start(self) -> str:
        """The shopper does not come back for his payment page until the duty of the attempt has made it."""
        shopper, order = await self.press()
        self.arm("pay.attempt_committed", "kill")
        await self.once("POST", f"/v1/orders/{order}/payments", shopper, {})
        ending = time.monotonic() + PATIENCE_S
        sql = "SELECT count(*) FROM payment_attempt WHERE order_id = $1 AND state = 'open'"
        while not await self.look(sql, order) and time.monotonic() < ending:
            await self.hurry("payment_attempt", order)
            await asyncio.sleep(0.1)
        await self.pay(await self.start(shopper, order))
        return await self._until(shopper, order, "delivered")

    async def let_go(self) -> str:
        """Never paid: the hold ends, the unit returns."""
        shopper, order = await self.press()
        await self.start(shopper, order)
        ends = "UPDATE orders SET hold_until = now(), next_try_at = now() WHERE id = $1 AND state = 'awaiting' RETURNING 1"
        while await self.look(f"WITH ended AS ({ends}) SELECT 1", order) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # Postgres is away: the hold has not ended yet
        return await self._until(shopper, order, "expired", hurry="orders")

    async def buy_and_return(self) -> str:
        """Delivered, then refunded by the merchant."""
        shopper, order = await self.press()
        await self.pay(await self.start(shopper, order))
        await self._until(shopper, order, "delivered")
        await self.ask("POST", f"/v1/orders/{order}/refund", self.merchant)
        return await self._until(shopper, order, "refunded", hurry="refund")

    async def one_wish_many_times(self) -> list[str]:
        """The same wish 100 times at once, through all API processes: one order, one answer. What was otherwise."""
        keyed = await self._guest() | {"Idempotency-Key": uuid4().hex}

        async def answer_to(quantity: int) -> tuple[int, str]:
            wish = {"sale_id": self.sale, "quantity": quantity}
            response = await self.client.post(f"{self.shop.api_url}/v1/checkouts", headers=keyed, json=wish)
            return response.status_code, response.json().get("code") or response.text

        told = set(await asyncio.gather(*(answer_to(1) for _ in range(RETRIES))))
        other = await answer_to(2)
        wrong = [f"one wish was told {told}"] if len(told) > 1 or {status for status, _ in told} != {201} else []
        return wrong + [f"another wish under its key was told {other}"] * (other != (409, "idempotency_conflict"))

    # Steps

    async def _guest(self) -> dict[str, str]:
        store = {"X-Tessera-Store": self.merchant["X-Tessera-Store"]}
        token = (await self.ask("POST", "/v1/shopper-tokens", store, {}))["token"]
        return store | {"Authorization": f"Bearer {token}"}

    async def press(self) -> tuple[dict[str, str], str]:
        shopper = await self._guest()
        wish = {"sale_id": self.sale, "quantity": 1}
        return shopper, (await self.ask("POST", "/v1/checkouts", shopper | {"Idempotency-Key": uuid4().hex}, wish))["id"]

    async def start(self, shopper: dict[str, str], order: str) -> dict[str, Any]:
        attempt: dict[str, Any] = await self.ask("POST", f"/v1/orders/{order}/payments", shopper, {})
        return attempt

    async def pay(self, attempt: dict[str, Any]) -> None:
        await self.back_office("pay/" + attempt["pay_url"].rsplit("/", 1)[1], {})

    async def _until(self, shopper: dict[str, str], order: str, wanted: str, *, hurry: str = "") -> str:
        """The order's state, once it is the wanted one or patience is over."""
        ending = time.monotonic() + PATIENCE_S
        while True:
            state = str((await self.ask("GET", f"/v1/orders/{order}", shopper))["state"])
            if state == wanted or time.monotonic() > ending:
                return state
            if hurry:
                await self.hurry(hurry, order)
            await asyncio.sleep(0.1)

    def arm(self, step: str, action: str) -> Path:
        """Whoever next passes the step dies (`kill`) or stands still (`stop`); the file is gone then."""
        armed = self.shop.folder / "armed" / step
        whole = armed.with_name(f".{step}")  # nobody reads a file half written
        whole.write_text(action)
        return whole.rename(armed)

    # Exchanges

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Any:
        """Ask, and when nobody answers or the answer is "later", ask the same again."""
        ending = time.monotonic() + PATIENCE_S
        while (answer := await self.once(method, path, headers, body)) is None:
            assert time.monotonic() < ending, f"{method} {path} is not answered"
            await asyncio.sleep(0.1)
        return answer

    async def once(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Any:
        """The answer; None when there was none, or it was 503. Anything but these and success is strange."""
        content = {} if body is None else {"content": body} if isinstance(body, bytes) else {"json": body}
        try:
            response = await self.client.request(method, self.shop.api_url + path, headers=headers, **content)
        except httpx.TransportError:
            return None
        if response.status_code == 503:
            return None
        if response.is_success:
            return response.json()
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
            conn = await asyncpg.connect(dsn_for(Settings.from_env(self.shop.environ), "tessera_migrator"), timeout=5)
        except CONNECTION_LOST:
            return None
        try:
            return await conn.fetchval(sql, decode("ord", order))
        except CONNECTION_LOST:
            return None
        finally:
            conn.terminate()
