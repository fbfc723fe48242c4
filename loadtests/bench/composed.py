"""Our own API process with one part replaced, so that a race tells what that part costs. None of these is a way to run a shop.

    python -m loadtests.bench.composed acked --port 8001 [--pool 8] [--session enable_seqscan=on]

    constant   parse, authentication and decoding of the gate, then always the same reservation
    refused    the same with always the same refusal
    decided    every wish is granted at once, by the gate's own code from wish to answer
    acked      the gate, the batcher and admit.lua; answered after Redis, nothing is committed
    batched    nothing is replaced: the shop, as a process with the same past as the next one
    unbatched  each wish is admitted and committed by itself, at once
    postgres   each wish is a transaction of its own in Postgres, with `--pool` connections: `loadtests.peers.postgres_only`

Everything else is the product's: `create_app`, `open_process`, the protocol class of `api.gate`. The environment is that of `tessera api`.
"""

import argparse
import asyncio
import datetime as dt
import os
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any, Final, cast

import msgspec
import uvicorn
from litestar import Litestar

from api.app import create_app
from api.checkouts import Checkout
from api.gate import Gate, gate_of
from api.hot import JSON, HotCycle
from api.process import Process
from api.server import listen
from checkout_core.admission import Admission, Code, Gatekeeper
from checkout_core.admission import Gate as SaleGate
from checkout_core.batcher import Batcher, Waiter
from checkout_core.config import Settings
from checkout_core.errors import AppError, Conflict, Unavailable
from checkout_core.intents import Decision, Intent, Outcome, SaleKey
from checkout_core.partitions import Partitions
from loadtests.peers import postgres_only
from loadtests.peers.stock import CURRENCY, HOLD_S, PRICE_MINOR
from tenants.db import PLANNING, dsn_for

BACKLOG_MAX: Final = 1 << 40  # nothing is committed, so the journal is the book of orders
_OUTCOMES: Final = {Code.LIMIT: Outcome.LIMIT, Code.SOLD_OUT: Outcome.SOLD_OUT}

Decide = Callable[[SaleKey, Intent], Awaitable[Decision | Exception]]


def granted(intent: Intent, outcome: Outcome, now: dt.datetime) -> Decision:
    if outcome is not Outcome.RESERVED:
        return Decision(outcome, intent.order_id, "", intent.quantity, 0, "", now, None)
    until = now + dt.timedelta(seconds=HOLD_S)
    return Decision(outcome, intent.order_id, "awaiting", intent.quantity, intent.quantity * PRICE_MINOR, CURRENCY, now, until)


class AtOnce:
    """A batcher that grants every wish when it comes, all as of one instant: as with a batch, answers differ by their orders alone."""

    def __init__(self) -> None:
        self._now = dt.datetime.now(dt.UTC)

    def enter(self, sale: SaleKey, intent: Intent, waiter: Waiter) -> None:
        waiter.settle(granted(intent, Outcome.RESERVED, self._now))

    async def aclose(self) -> None: ...


class OneByOne:
    """A batcher that makes no batches: each wish is decided by a task of its own, from the moment it comes."""

    def __init__(self, decide: Decide) -> None:
        self._decide = decide
        self._tasks: set[asyncio.Task[None]] = set()

    def enter(self, sale: SaleKey, intent: Intent, waiter: Waiter) -> None:
        task = asyncio.get_running_loop().create_task(self._settle(sale, intent, waiter))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _settle(self, sale: SaleKey, intent: Intent, waiter: Waiter) -> None:
        try:
            waiter.settle(await self._decide(sale, intent))
        except Exception as error:
            waiter.settle(error)


class Acked:
    """Decides a batch by what the gate in Redis says, and leaves it at that."""

    def __init__(self, gatekeeper: Gatekeeper) -> None:
        self._gatekeeper = gatekeeper

    async def decide(self, sale: SaleKey, intents: Sequence[Intent]) -> list[Decision | Exception]:
        admission: Admission = await self._gatekeeper.admit(sale, intents)
        if admission.gate is not SaleGate.OPEN:
            raise Unavailable("The gate is closed.", code="closed")
        now = dt.datetime.now(dt.UTC)
        until, admitted, reserved = now + dt.timedelta(seconds=HOLD_S), Code.ADMITTED, Outcome.RESERVED
        # As `api.doors` and the commit do it: what is the same for a batch is asked once.
        return [
            Decision(reserved, i.order_id, "awaiting", i.quantity, i.quantity * PRICE_MINOR, CURRENCY, now, until)
            if code is admitted
            else await self._otherwise(sale, i, code, now)
            for i, (code, _) in zip(intents, admission.answers, strict=True)
        ]

    async def _otherwise(self, sale: SaleKey, intent: Intent, code: Code, now: dt.datetime) -> Decision | Exception:
        """The journal keeps what was asked the first time. A race has no replays, so nobody pays for this."""
        if code is Code.REPLAY:
            entry = await self._gatekeeper.undecided(sale, intent.order_id)
            same = entry is not None and entry.intent is not None and entry.intent.body_hash == intent.body_hash
            return granted(intent, Outcome.RESERVED if same else Outcome.CONFLICT, now)
        outcome = _OUTCOMES.get(code)
        return granted(intent, outcome, now) if outcome is not None else Unavailable("Too many are undecided.", code="busy")


class ConstantGate(Gate):
    """One connection whose wishes are understood and then always answered alike."""

    reply: tuple[int, bytes, bytes] = (0, b"", b"")

    def _press(self, cycle: HotCycle) -> None:
        if cycle.named is not None:  # nobody knows the store yet: found as always, then pressed again
            super()._press(cycle)
            return
        # As the gate itself does it, so that nothing is paid here that is not paid there.
        try:
            if self.desk.bodies.get(cycle.body) is None:
                self.desk.understand(cycle.body)
        except AppError as error:
            self.refused(cycle, error)
            return
        if not self.reply[0]:
            self.refused(cycle, Conflict("Sold out: fewer are left than you asked for.", code="sold_out"))
            return
        self.answer(cycle, *self.reply)


def constant(app: Litestar) -> type[Gate]:
    """Always the same reservation, as bytes."""
    order, sale = "ord_" + 32 * "0", "sal_" + 32 * "0"
    body = msgspec.json.encode(Checkout(order, "awaiting", sale, 1, PRICE_MINOR, CURRENCY, dt.datetime.now(dt.UTC).isoformat()))
    return type("Constant", (ConstantGate, gate_of(app, https=False)), {"reply": (201, JSON, body)})


def refused(app: Litestar) -> type[Gate]:
    """Always the same refusal, which the gate keeps as bytes by itself."""
    return type("Refused", (ConstantGate, gate_of(app, https=False)), {})


def plain(app: Litestar) -> type[Gate]:
    return gate_of(app, https=False)


async def at_once(_: Process, __: argparse.Namespace) -> Any:
    return AtOnce()


async def batched(process: Process, _: argparse.Namespace) -> Any:
    return process.batcher


async def acked(process: Process, _: argparse.Namespace) -> Any:
    partitions = await Partitions(process.settings.redis_url).__aenter__()  # open until the process ends
    return Batcher(Acked(Gatekeeper(partitions, backlog_max=BACKLOG_MAX)).decide)


async def unbatched(process: Process, _: argparse.Namespace) -> Any:
    async def decide(sale: SaleKey, intent: Intent) -> Decision | Exception:
        [decided] = await process.doors.decide(sale, [intent])
        return await decided if isinstance(decided, asyncio.Future) else decided

    return OneByOne(decide)


async def postgres(process: Process, args: argparse.Namespace) -> Any:
    pool = await postgres_only.create_pool(dsn_for(process.settings, "tessera_app"), args.pool)
    return OneByOne(lambda sale, intent: postgres_only.reserve(pool, sale, intent))


KINDS: Final = {
    "constant": (constant, at_once),
    "refused": (refused, at_once),
    "decided": (plain, at_once),
    "acked": (plain, acked),
    "batched": (plain, batched),
    "unbatched": (plain, unbatched),
    "postgres": (plain, postgres),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench.composed", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pool", type=int, default=8, help="connections of `postgres` (%(default)s)")
    parser.add_argument(
        "--session", action="append", default=[], metavar="NAME=VALUE", help="how sessions plan, instead of `tenants.db.PLANNING`"
    )
    args = parser.parse_args()
    PLANNING.update(setting.split("=") for setting in args.session)
    gate, batcher = KINDS[args.kind]
    app = create_app(Settings.from_env(os.environ))

    async def replace() -> None:
        """After the process was opened and before the first request."""
        process: Process = app.state.process
        changes: dict[str, Any] = {"batcher": cast("Batcher", await batcher(process, args))}
        if args.kind in ("postgres", "acked"):  # neither knows who won before a process began
            changes["doors"] = SimpleNamespace(sold_out=SimpleNamespace(says=lambda *_: False), admitted=set(), decide=process.doors.decide)
        app.state.process = msgspec.structs.replace(process, **changes)

    app.on_startup.append(replace)
    # As `api.server` does it.
    config = uvicorn.Config(
        app, loop="uvloop", http=gate(app), ws="none", lifespan="on", access_log=False, log_config=None, server_header=False,
        proxy_headers=False, timeout_keep_alive=75,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listen("127.0.0.1", args.port)])


if __name__ == "__main__":
    main()
