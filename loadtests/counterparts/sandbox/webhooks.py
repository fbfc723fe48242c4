"""The webhook sender: each notice is tried until it is answered 200 or 204, on WeChat Pay's schedule, times the scale.

Notices are rows of the books, so a provider that was killed goes on where it was. There is no promise of order.
"""

import asyncio
import contextlib
import heapq
import itertools
import traceback
from typing import Any

import msgspec

from loadtests.counterparts.sandbox import forgery, outbound, wire
from loadtests.counterparts.sandbox.books import Books, Notice, now_ms
from loadtests.counterparts.sandbox.faults import Switchboard
from loadtests.counterparts.sandbox.forgery import Headers, Material
from loadtests.counterparts.sandbox.signing import Identity, seal

SCHEDULE_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
TIMEOUT_S = 5.0
PARALLEL = 64
SUMMARY = {
    "TRANSACTION.SUCCESS": "支付成功",
    "TRANSACTION.CLOSED": "订单关闭",
    "REFUND.SUCCESS": "退款成功",
    "REFUND.ABNORMAL": "退款异常",
}


class Sender:
    def __init__(self, identity: Identity, switches: Switchboard, time_scale: float) -> None:
        self._identity, self._switches, self._time_scale = identity, switches, time_scale
        self._due: list[tuple[int, int, Notice]] = []
        self._order = itertools.count()
        self._woken = asyncio.Event()
        self._room = asyncio.Semaphore(PARALLEL)
        self._running: set[asyncio.Task[None]] = set()
        self._client = outbound.Client()
        self.books: Books  # set by the wiring: the books announce notices to the sender, the sender notes attempts in the books

    def announce(self, notice: Notice) -> None:
        """A new notice; the fault switches may make it wait."""
        wait_ms = self._switches.first_wait_ms(notice.out_trade_no, self._time_scale)
        self._push(notice._replace(next_ms=notice.next_ms + wait_ms))

    def _push(self, notice: Notice) -> None:
        heapq.heappush(self._due, (notice.next_ms, next(self._order), notice))
        self._woken.set()

    async def run(self) -> None:
        for notice in self.books.pending_notices():
            self._push(notice)
        while True:
            wait_s = (self._due[0][0] - now_ms()) / 1000 if self._due else None
            if wait_s is None or wait_s > 0:
                self._woken.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), wait_s)
                continue
            await self._room.acquire()
            task = asyncio.create_task(self._attempt(heapq.heappop(self._due)[2]))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()):
            traceback.print_exception(error)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._client.close()

    async def _attempt(self, notice: Notice) -> None:
        try:
            status, answer = await self._send(notice)
        except Exception as e:  # a bug here must not lose a notice; it is tried again like any other
            traceback.print_exc()
            status, answer = 0, repr(e)
        await self._note(notice, status, answer)

    async def _send(self, notice: Notice) -> tuple[int, str]:
        """Forgeries first, then the notice itself with its duplicates; what the first true one was answered."""
        switches, faults = self._switches, self._switches.of(notice.out_trade_no)
        for name in switches.forgeries(notice.out_trade_no):
            status, _ = await self._post(notice, *forgery.VARIANTS[name](self._material(notice)))
            switches.counts["forged_sent"] += 1
            switches.counts["forged_accepted"] += status in (200, 204)
        if switches.happens("dropped", faults.drop):
            return 0, "dropped"
        signed = self._signed(notice)
        answers = await asyncio.gather(*(self._post(notice, *signed) for _ in range(1 + faults.duplicate)))
        switches.counts["sent"] += len(answers)
        return answers[0]

    async def _note(self, notice: Notice, status: int, answer: str) -> None:
        attempts = notice.attempts + 1
        state = "delivered" if status in (200, 204) else "pending" if attempts <= len(SCHEDULE_S) else "given_up"
        wait_ms = round(SCHEDULE_S[attempts - 1] * 1000 * self._time_scale) if state == "pending" else 0
        notice = notice._replace(attempts=attempts, next_ms=now_ms() + wait_ms)
        await self.books.store.write(lambda: self.books.note_attempt(notice, state, answer))
        if state == "pending":
            self._push(notice)

    async def _post(self, notice: Notice, headers: Headers, body: bytes) -> tuple[int, str]:
        try:
            status = await self._client.post(notice.notify_url, headers, body, TIMEOUT_S)
        except outbound.Failed as e:
            return 0, str(e)[:200]
        return status, str(status)

    def _signed(self, notice: Notice) -> tuple[Headers, bytes]:
        body = wire.encode(self._material(notice).envelope)
        return self._identity.headers(body), body

    def _material(self, notice: Notice) -> Material:
        merchant = self.books.merchants[notice.mch_id]
        resource, plain = msgspec.json.decode(notice.resource), notice.resource
        faults = self._switches.of(notice.out_trade_no)
        if faults.wrong_amount or faults.wrong_currency:
            told = {key: value + faults.wrong_amount if isinstance(value, int) else value for key, value in resource["amount"].items()}
            if faults.wrong_currency:
                told |= {key: faults.wrong_currency for key in told if key.endswith("currency")}
            resource["amount"] = told
            plain = wire.encode(resource)
        kind = "refund" if notice.event_type.startswith("REFUND.") else "transaction"
        envelope: dict[str, Any] = {
            "id": notice.event_id,
            "create_time": wire.rfc3339(notice.created_ms),
            "resource_type": "encrypt-resource",
            "event_type": notice.event_type,
            "summary": SUMMARY[notice.event_type],
            "resource": seal(merchant.api_v3_key, plain, kind, kind),
        }
        return Material(self._identity, merchant.api_v3_key, envelope, resource)
