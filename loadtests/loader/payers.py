"""Winners pay at the provider, watch their order until the codes are theirs, and look at them."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from loadtests.loader.history import History
from loadtests.loader.http import NO_BODY, Answer, Pool, request
from loadtests.loader.report import spread
from loadtests.loader.shoppers import Won

FINAL = ("delivered", "refunded", "refused", "expired", "cancelled")
POLL_S, POLL_MAX_S = 0.1, 0.5


class GaveUp(Exception):
    """A step did not come to an end; the message says which and what the last answer was."""


@dataclass
class Payers:
    """`store` and `provider` are pools of connections.

    Each order gets `patience_s` from its payment to its codes, and all of them together get `patience_all_s`.
    """

    store: Pool
    provider: Pool
    provider_token: str
    slug: str
    patience_s: float = 30.0
    patience_all_s: float = 120.0
    history: History | None = None
    states: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    steps: dict[str, list[float]] = field(default_factory=dict)  # seconds, by name
    paid: int = 0
    codes: int = 0
    seen: dict[bytes, str] = field(default_factory=dict)  # digest of a code → the order that showed it
    violations: list[str] = field(default_factory=list)

    async def settle(self, winners: Iterable[Won], *, at_once: int) -> None:
        """Take every winner through, `at_once` at a time; whoever does not get there counts as a failure."""
        source = iter(winners)
        end = asyncio.get_running_loop().time() + self.patience_all_s

        async def payer() -> None:
            for won in source:
                try:
                    async with asyncio.timeout_at(min(end, asyncio.get_running_loop().time() + self.patience_s)):
                        await self._settle(won)
                except GaveUp as gave_up:
                    self.failures[str(gave_up)] += 1
                except TimeoutError:
                    self.failures["order not settled in time"] += 1

        async with asyncio.TaskGroup() as payers:
            for _ in range(at_once):
                payers.create_task(payer())

    async def _settle(self, won: Won) -> None:
        attempt = await self._ask("payment", "POST", f"/v1/orders/{won.order_id}/payments", won, expect=201, body={})
        prepay_id = str(attempt["pay_url"]).rstrip("/").rpartition("/")[2]
        await self._pay(prepay_id)
        self.paid += 1
        paid_at = perf_counter()
        state = await self._watch(won)
        self.states[state] += 1
        if state != "delivered":
            return
        self.steps.setdefault("paid_to_delivered", []).append(perf_counter() - paid_at)
        if self.history is not None:
            self.history.became(won.order_id, state)
        shown = await self._ask("codes", "GET", f"/v1/orders/{won.order_id}/codes", won, expect=200)
        self._look_at(won, shown["codes"])

    async def _watch(self, won: Won) -> str:
        pause_s = POLL_S
        while True:
            order = await self._ask("order", "GET", f"/v1/orders/{won.order_id}", won, expect=200)
            if (state := str(order["state"])) in FINAL:
                return state
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, POLL_MAX_S)

    async def _pay(self, prepay_id: str) -> None:
        """Through the sandbox's own door, as if the payer had confirmed on his phone."""
        raw = request(self.provider.target, "POST", f"/admin/pay/{prepay_id}", {"Authorization": f"Bearer {self.provider_token}"}, {})
        answer = await self._persist("provider", self.provider, raw)
        if answer.status != 200:
            raise GaveUp(f"provider: {answer.status} {answer.code}")

    async def _ask(
        self, step: str, method: str, path: str, won: Won, *, expect: int, body: Mapping[str, Any] | object = NO_BODY
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {won.token}", "X-Tessera-Store": self.slug}
        if method == "POST":
            headers["Idempotency-Key"] = f"{step}-{won.order_id}"
        answer = await self._persist(step, self.store, request(self.store.target, method, path, headers, body))
        if answer.status != expect:
            raise GaveUp(f"{step}: {answer.status} {answer.code}")
        document: dict[str, Any] = answer.json()
        return document

    async def _persist(self, step: str, pool: Pool, raw: bytes) -> Answer:
        """The same request again while the answer is "not now": every one of them is safe to repeat."""
        while True:
            answer, seconds = await pool.ask(raw)
            self.steps.setdefault(step, []).append(seconds)
            if answer.status not in (0, 429, 503):
                return answer
            self.failures[f"{step}: {answer.failure or answer.status} (asked again)"] += 1
            await asyncio.sleep(answer.retry_after_s or 0.2)

    def _look_at(self, won: Won, codes: list[dict[str, Any]]) -> None:
        """Only digests are kept: a load test's memory is no place for codes."""
        if len(codes) != won.quantity:
            self.violations.append(f"order {won.order_id} shows {len(codes)} codes for {won.quantity} units")
        for each in codes:
            digest = hashlib.sha256(json.dumps([each["code"], each.get("secret")]).encode()).digest()
            self.codes += 1
            other = self.seen.setdefault(digest, won.order_id)
            if other != won.order_id or len({json.dumps(code, sort_keys=True) for code in codes}) != len(codes):
                self.violations.append(f"orders {other} and {won.order_id} show the same code")

    def as_json(self) -> dict[str, Any]:
        return {
            "paid": self.paid,
            "orders": dict(self.states),
            "codes": self.codes,
            "duplicates": self.codes - len(self.seen),
            "failures": dict(self.failures),
            "steps_ms": {step: spread(seconds) for step, seconds in self.steps.items()},
        }
