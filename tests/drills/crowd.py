"""A store with a flash sale and an ordinary one, and people who press, ask again, pay, let go and forget, whatever happens to the shop.

    async with Crowd(shop, client, budget.seed) as crowd:    # the store is open, everybody presses
        await crowd.sells(50)
        ...                                                  # something happens
        await crowd.sells(50)
    crowd.wrong, await crowd.judge(folder)                   # everybody who paid has waited for his codes

There are more units than anybody wants here, so whoever is told "sold out" was told a lie.
"""

import asyncio
import hashlib
import json
import random
import re
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

import asyncpg
import httpx

from api.process import Keys
from checkout_core import tokens
from checkout_core.config import Settings
from checkout_core.ids import decode
from tenants.db import dsn_for
from tenants.invariants.counters import restless
from tessera.letterbox import sign_up
from tessera.shop import Shop
from tests.drills.drill import REST_S, judge

DOORS: Final = {"gate": 12, "direct": 6}  # the two sales, and how many people press at each
UNITS = 4000  # of each sale
HOLD_S = 12  # forgotten orders end while others still press
PACE_S = 0.6  # on average, between two purchases of one person
PATIENCE_S = 90.0  # of a drill that waits for sales
AGAIN, PAYS, CANCELS = 0.2, 0.35, 0.1  # shares of the winners
LATER = (202, 429, 503)
NOT_YET = ("paused",)  # said for a moment, of a sale that was paused just now
MERCHANT_S = 0.5
WISH_S = 100.0  # beyond the longest fault
FINAL = ("delivered", "refunded", "expired", "cancelled")


class Crowd:
    """`answer_s` is how long anybody waits for an answer before he asks the same again, at another process if he is lucky.

    wrong     what was said that must not be said
    slowest   seconds until the slowest answer, by what was asked
    unheard   requests without an answer in `answer_s`; a process that dies or stands still owes some
    """

    def __init__(self, shop: Shop, client: httpx.AsyncClient, seed: int = 0, *, answer_s: float = 3.0, units: int = UNITS) -> None:
        self.shop = shop
        self.client = client
        self.settings = Settings.from_env(shop.environ)
        self.answer_s = answer_s
        self.units = units
        self.wrong: list[str] = []
        self.slowest: dict[str, float] = defaultdict(float)
        self.unheard = 0
        self.reserved: dict[str, list[float]] = {door: [] for door in DOORS}  # when somebody was told so (monotonic)
        self.delivered = 0
        self.settled_s = 0.0  # from the end of pressing until the last payer had his codes
        self._history: list[dict[str, Any]] = []
        self._codes: dict[bytes, str] = {}
        self._dice = random.Random(seed)
        self._over = asyncio.Event()
        self._pressing: set[asyncio.Task[None]] = set()
        self._paying: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._open()
        self._pressing = {asyncio.create_task(self._buy_on(door)) for door, people in DOORS.items() for _ in range(people)}
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        began = time.monotonic()
        if kind is None:
            await self._end(self._pressing, "people still waited for an answer")
            await self._end(self._paying, "people had paid and had neither codes nor their money")
        for task in self._pressing | self._paying:
            task.cancel()
        await asyncio.gather(*self._pressing, *self._paying, return_exceptions=True)
        self.settled_s = time.monotonic() - began

    async def _end(self, tasks: set[asyncio.Task[None]], what: str) -> None:
        if not tasks:
            return
        done, waiting = await asyncio.wait(tasks, timeout=REST_S)
        self.wrong += [repr(task.exception()) for task in done if task.exception()]
        if waiting:
            self.wrong.append(f"{len(waiting)} {what} {REST_S:.0f} s after all was well")

    # What a drill asks

    async def sells(self, count: int) -> None:
        """Return when each sale has told `count` more people that they hold an order; raises TimeoutError after 90 s."""
        wanted = {door: len(told) + count for door, told in self.reserved.items()}
        async with asyncio.timeout(PATIENCE_S):
            while any(len(self.reserved[door]) < count for door, count in wanted.items()):  # noqa: ASYNC110  a drill may poll
                await asyncio.sleep(0.01)

    def pause_s(self, since: float, *doors: str) -> float:
        """The longest time in which nobody was told "reserved", from `since` (monotonic) until now, of the sales by their doors."""
        now = time.monotonic()
        gaps = [pairwise([since, *(t for t in self.reserved[door] if t > since), now]) for door in doors or DOORS]
        return max(later - sooner for door in gaps for sooner, later in door)

    async def change(self, path: str, body: dict[str, Any] | None = None) -> None:
        """The merchant changes the flash sale, and is less patient than his shoppers: whom he does not hear he does not wait for."""
        await self.ask("POST", f"/v1/sales/{self.sale['gate']}/{path}", self.merchant, body or {}, MERCHANT_S)

    async def judge(self, folder: Path, rest_s: float = REST_S) -> list[str]:
        """What people were told and should not have been, and what the checker finds with their history and the provider's books."""
        file = folder / f"{self.store['X-Tessera-Store']}.history"
        file.write_text("".join(json.dumps(line) + "\n" for line in self._history))
        open_ = await self._come_to_rest(rest_s)
        return self.wrong + open_ + await judge(self.shop, history=file, wait_s=rest_s)

    async def _come_to_rest(self, rest_s: float) -> list[str]:
        """Nobody waits for the holds of those who forgot: they end now. So do those of wishes that are decided late."""
        conn = await asyncpg.connect(dsn_for(self.settings, "tessera_migrator"), timeout=10)
        ending = time.monotonic() + rest_s
        try:
            while True:
                unrest = await restless(conn, self.settings)
                sql = "UPDATE orders SET hold_until = now(), next_try_at = now() WHERE tenant_id = $1 AND state = 'awaiting'"
                await conn.execute(sql, self.tenant_id)
                sql = "SELECT state, count(*) FROM orders WHERE tenant_id = $1 AND state <> ALL ($2) GROUP BY 1"
                left = dict(await conn.fetch(sql, self.tenant_id, [*FINAL, "refused"]))
                if not left and not unrest:
                    return []
                if time.monotonic() > ending:
                    return [f"{rest_s:.0f} s after all was well there were {unrest} and orders {left}"]
                await asyncio.sleep(0.3)
        finally:
            await conn.close()

    # The store

    async def _open(self) -> None:
        slug = f"s-{uuid4().hex[:16]}"
        person = {"store": slug, "slug": slug, "mail": f"{slug}@example.org", "password": slug}
        signed_up = await asyncio.to_thread(sign_up, self.shop.api_url, self.shop.mail_url, **person)
        self.tenant_id = decode("ten", signed_up["tenant_id"])
        self.store = {"X-Tessera-Store": slug}
        self.merchant = self.store | {"Authorization": f"Bearer {signed_up['api_key']}"}
        product = await self.ask("POST", "/v1/products", self.merchant, {"name": "Steam"})
        body: dict[str, Any] = {"product_id": product["id"], "name": "100", "price_minor": 9900, "currency": "CNY"}
        sku = await self.ask("POST", "/v1/skus", self.merchant, body)
        codes = "".join(f"{uuid4().hex}\n" for _ in range(len(DOORS) * self.units)).encode()
        await self.ask("POST", f"/v1/vault/imports?sku_id={sku['id']}", self.merchant | {"Content-Type": "text/plain"}, codes)
        account = (await self._back_office("merchants", {"name": slug})).json()
        await self.ask("POST", "/v1/provider-accounts", self.merchant, {"provider": "sandbox"} | account)
        self.sale = {}
        for door in DOORS:
            body = {"sku_id": sku["id"], "name": door, "units": self.units, "limit_per_shopper": 1, "door": door, "hold_s": HOLD_S}
            self.sale[door] = (await self.ask("POST", "/v1/sales", self.merchant, body))["id"]

    # People

    async def _buy_on(self, door: str) -> None:
        """One after another, until the drill is over."""
        while not self._over.is_set():
            token, _ = tokens.issue(Keys.of(self.settings.secret).shoppers, self.tenant_id)
            headers = self.store | {"Authorization": f"Bearer {token}"}
            key = uuid4().hex
            order = await self._press(door, headers, key)
            if order is None:
                continue
            if self._dice.random() < AGAIN and (again := await self._press(door, headers, key)) not in (order, None):
                self.wrong.append(f"told {order}, and then {again}")
            chance = self._dice.random()
            if chance < PAYS:
                self._paying.add(asyncio.create_task(self._pay(headers, order)))
            elif chance < PAYS + CANCELS:
                await self._try("POST", f"/v1/orders/{order}/cancel", headers, {})
            await asyncio.sleep(self._dice.uniform(0, 2 * PACE_S))

    async def _press(self, door: str, headers: dict[str, str], key: str) -> str | None:
        """The order, once it is said to be reserved; None when the drill ends first, or something wrong was said."""
        wish = {"sale_id": self.sale[door], "quantity": 1}
        retried: dict[str, str] = {}
        began = time.monotonic()
        while not self._over.is_set():
            response = await self._once("press", "POST", "/v1/checkouts", headers | {"Idempotency-Key": key} | retried, wish)
            if response is None or response.status_code in LATER or (response.status_code == 409 and response.json()["code"] in NOT_YET):
                if time.monotonic() - began > WISH_S:
                    self.wrong.append(f"a wish was not decided in {WISH_S:.0f} s, last by {response and response.text[:200]}")
                    return None
                retried = {"Idempotency-Retry": "1"} if self._dice.random() < 0.5 else {}
                await asyncio.sleep(self._dice.uniform(0.05, 0.2))
                continue
            if response.status_code == 201:
                self.reserved[door].append(time.monotonic())
                order = str(response.json()["id"])
                self._tell(order, "reserved", key=key)
                return order
            self.wrong.append(f"a press was answered {response.status_code} {response.text[:200]}")
            return None
        return None

    async def _pay(self, headers: dict[str, str], order: str) -> None:
        """Pay, and ask until the codes are there or the money is back. An order that ended before it was paid is left alone."""
        attempt = await self._try("POST", f"/v1/orders/{order}/payments", headers, {})
        if attempt is None:
            return
        paid = await self._back_office("pay/" + attempt["pay_url"].rsplit("/", 1)[1], {})
        if not paid.is_success:
            return
        while (state := (await self.ask("GET", f"/v1/orders/{order}", headers))["state"]) not in FINAL:  # noqa: ASYNC110
            await asyncio.sleep(0.25)
        if state != "delivered":
            return
        self._tell(order, "delivered")
        codes = (await self.ask("GET", f"/v1/orders/{order}/codes", headers))["codes"]
        if len(codes) != 1:
            self.wrong.append(f"{order} of one unit shows {len(codes)} codes")
        for each in codes:
            other = self._codes.setdefault(hashlib.sha256(each["code"].encode()).digest(), order)
            if other != order:
                self.wrong.append(f"{order} and {other} show the same code")
        self.delivered += 1

    def _tell(self, order: str, told: str, **more: str) -> None:
        self._history.append({"order_id": order, "told": told, "at": time.time(), **more})

    # Exchanges

    async def ask(self, method: str, path: str, headers: dict[str, str], body: Any = None, answer_s: float | None = None) -> Any:
        """What was answered, asked until it is; a refusal is wrong, and raised."""
        answer = await self._try(method, path, headers, body, answer_s)
        if answer is None:
            raise AssertionError(f"{method} {path} was refused")
        return answer

    async def _try(self, method: str, path: str, headers: dict[str, str], body: Any = None, answer_s: float | None = None) -> Any:
        """The same, None when it is refused for good."""
        what = re.sub(r"ord_\w+", "…", f"{method} {path.partition('?')[0]}")
        while True:
            response = await self._once(what, method, path, headers, body, answer_s)
            if response is None or response.status_code in LATER:
                await asyncio.sleep(0.2)
            elif response.is_success:
                return response.json()
            elif response.status_code == 409:
                return None
            else:
                self.wrong.append(f"{method} {path} was answered {response.status_code} {response.text[:200]}")
                return None

    async def _once(
        self, what: str, method: str, path: str, headers: dict[str, str], body: Any, answer_s: float | None = None
    ) -> httpx.Response | None:
        """The answer; None when nobody answers in time."""
        patience_s = answer_s or self.answer_s
        content = {} if body is None else {"content": body} if isinstance(body, bytes) else {"json": body}
        began = time.monotonic()
        try:
            async with asyncio.timeout(patience_s):
                response = await self.client.request(method, self.shop.api_url + path, headers=headers, timeout=None, **content)
        except (httpx.TransportError, TimeoutError):
            if time.monotonic() - began >= patience_s:
                self.unheard += 1
            return None
        self.slowest[what] = max(self.slowest[what], time.monotonic() - began)
        return response

    async def _back_office(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """The provider's, which stays up."""
        headers = {"Authorization": f"Bearer {self.shop.provider.admin_token}"}
        url = f"{self.shop.provider_url}/admin/{path}"
        return await self.client.post(url, headers=headers, content=json.dumps(body), timeout=30)
