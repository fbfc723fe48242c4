"""What breaks, and what the merchant changes, at its time; after the traffic everything is mended."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

from checkout_core.errors import AppError
from checkout_core.intents import SaleKey
from tenants import sales
from tenants.db import TenantTx, tenant_tx
from tests.simulation import contract
from tests.simulation.loop import Proc
from tests.simulation.plan import Event
from tests.simulation.postgres import Connection
from tests.simulation.stock import TENANT
from tests.simulation.world import World

Act = Callable[[World, Event], Awaitable[None]]


async def happen(world: World, event: Event) -> None:
    """Let one event of the plan happen, at its time."""
    await asyncio.sleep(event.at_s)
    world.note("—", f"{event.kind} ({event.size:.2f}, {event.for_s:.2f} s)")
    await ACTS[event.kind](world, event)


def mend(world: World) -> None:
    """Everything runs and answers."""
    net, db = world.net, world.db
    net.reachable, net.frozen_until, net.slow, net.stalls = True, 0.0, 1.0, 0.0
    for server in sorted(net.running - {net.server}, key=lambda s: s.run_id):
        net.retire(server)
    net.server.refusing = ""
    db.up, db.slow, db.stalls, db.trouble, db.commit_trouble = True, 1.0, 0.0, 0.0, 0.0
    for group in (world.apis, world.workers):
        for number, process in enumerate(group):
            if process.proc.stopped:
                process.proc.go_on()
            world.restart(group, number)  # type: ignore[arg-type]


def _one(group: list[Any], event: Event) -> int:
    return int(event.size * len(group)) % len(group)


def _kill(group: str) -> Act:
    async def kill(world: World, event: Event) -> None:
        processes = getattr(world, group)
        number = _one(processes, event)
        processes[number].kill()
        await asyncio.sleep(event.for_s)
        world.restart(processes, number)

    return kill


def _stop(group: str) -> Act:
    async def stop(world: World, event: Event) -> None:
        process = getattr(world, group)[_one(getattr(world, group), event)]
        proc: Proc = process.proc
        if proc.stopped:
            return
        proc.stop()
        world.db.tire_of(proc)
        await asyncio.sleep(event.for_s)
        if proc.stopped:
            world.note(process.name, "goes on")
            proc.go_on()

    return stop


def _cut(*, answered: bool) -> Act:
    async def cut(world: World, event: Event) -> None:
        transports = list(world.net.transports)
        for transport in transports if event.size < 0.5 else transports[: len(transports) // 2 + 1]:
            transport.cut(answered=answered)

    return cut


async def _frozen(world: World, event: Event) -> None:
    world.net.frozen_until = max(world.net.frozen_until, world.loop.time() + event.for_s)


async def _slow(world: World, event: Event) -> None:
    world.net.slow = 10 + 400 * event.size
    await asyncio.sleep(event.for_s)
    world.net.slow = 1.0


def _restarted(data: Callable[[World, Event], Any], *, lingering: bool = False) -> Act:
    """The server dies; another comes up at its address with what `data` says."""

    async def restart(world: World, event: Event) -> None:
        net = world.net
        server = net.server
        kept = data(world, event)
        if not lingering:
            net.retire(server)
        net.reachable = False
        await asyncio.sleep(min(event.for_s, 3.0))
        net.reachable = True
        if server is net.server:
            net.replace(kept() if callable(kept) else kept, lingering=lingering)
        if lingering:
            await asyncio.sleep(event.for_s)
            if event.size < 0.3:
                server.refusing = "READONLY"
                await asyncio.sleep(1)
            net.retire(server)

    return restart


def _past(seconds: Callable[[Event], float]) -> Callable[[World, Event], Any]:
    return lambda world, event: world.net.server.as_it_was(world.redis_clock() - seconds(event))


async def _emptied(world: World, _: Event) -> None:
    world.net.server.data.clear()


async def _promoted(world: World, _: Event) -> None:
    """Demoted and promoted again: the same process, another history."""
    world.net.numbers += 1
    world.net.server.replid = f"{world.net.numbers:039x}e"


async def _no_scripts(world: World, _: Event) -> None:
    world.net.server.scripts.clear()


async def _refuses(world: World, event: Event) -> None:
    server = world.net.server
    server.refusing = "OOM" if event.size < 0.5 else "READONLY"
    await asyncio.sleep(event.for_s)
    server.refusing = ""


async def _away(world: World, event: Event) -> None:
    world.net.reachable = False
    for transport in list(world.net.transports):
        transport.cut(answered=event.size < 0.5)
    await asyncio.sleep(event.for_s)
    world.net.reachable = True


async def _clock(world: World, event: Event) -> None:
    world.clock_skew_s += 6 * event.size - 3


async def _postgres_restarted(world: World, event: Event) -> None:
    world.db.up = False
    world.db.restart()
    await asyncio.sleep(min(event.for_s, 3.0))
    world.db.up = True


async def _commits_unknown(world: World, event: Event) -> None:
    world.db.commit_trouble, world.db.trouble = 0.2 + 0.6 * event.size, 0.02
    await asyncio.sleep(event.for_s)
    world.db.commit_trouble = world.db.trouble = 0.0


async def _redis_stalls(world: World, event: Event) -> None:
    world.net.stalls = 0.02 + 0.3 * event.size
    await asyncio.sleep(event.for_s)
    world.net.stalls = 0.0


async def _restless(world: World, event: Event) -> None:
    """Messages lie somewhere, and meanwhile the sale is changed, slowly, again and again: what comes late comes under an old epoch."""
    until = world.loop.time() + event.for_s
    world.net.stalls, world.net.stall_mean_s = 0.1 + 0.3 * event.size, 0.4
    while world.loop.time() < until:
        await asyncio.sleep(world.dice.expovariate(3))
        with suppress(asyncpg.PostgresError):
            await _bump(world, _sale(world, event))
    world.net.stalls, world.net.stall_mean_s = 0.0, 1.4


async def _bump(world: World, sale: SaleKey) -> None:
    conn = Connection(world.db)
    try:
        await conn.execute("BEGIN")
        await contract.bump(TenantTx(conn, TENANT), sale.sale_id)
        await asyncio.sleep(world.dice.expovariate(3))
        await conn.execute("COMMIT")
    finally:
        conn.gone()


async def _postgres_stalls(world: World, event: Event) -> None:
    world.db.stalls = 0.02 + 0.2 * event.size
    await asyncio.sleep(event.for_s)
    world.db.stalls = 0.0


async def _hiccups(world: World, event: Event) -> None:
    """Now one process stands still, now another."""
    until = world.loop.time() + event.for_s
    while world.loop.time() < until:
        await asyncio.sleep(world.dice.expovariate(10))
        process = world.dice.choice([*world.apis, *world.workers])
        if not process.proc.stopped:
            process.proc.stop()
            await asyncio.sleep(world.dice.expovariate(1.5))
            process.proc.go_on()


async def _postgres_slow(world: World, event: Event) -> None:
    world.db.slow = 5 + 300 * event.size
    await asyncio.sleep(min(event.for_s, 4.0))
    world.db.slow = 1.0


async def _sale_locked(world: World, event: Event) -> None:
    """Somebody at a terminal forgot a transaction."""
    conn = Connection(world.db)
    try:
        await conn.execute("BEGIN")
        await conn.lock("sale", tuple(_sale(world, event)))
        await asyncio.sleep(min(event.for_s, 6.0))
        await conn.execute("ROLLBACK")
    except Exception as error:
        world.note("—", f"the terminal: {error!r}")
    finally:
        conn.gone()


def _sale(world: World, event: Event) -> SaleKey:
    return world.sales[int(event.size * 1000) % len(world.sales)]


Change = Callable[[World, Event, Any], Awaitable[Any]]


def _merchant(*changes: Change) -> Act:
    async def act(world: World, event: Event) -> None:
        for change in changes:
            try:
                await _in_some_api(world, lambda tx, change=change: change(world, event, tx))
            except Exception as error:
                world.note("merchant", f"is told {type(error).__name__}: {error}")
            await asyncio.sleep(min(event.for_s, 2.0))

    return act


async def _in_some_api(world: World, work: Callable[[Any], Awaitable[Any]]) -> None:
    for _ in range(20):
        try:
            await _in(world.apis[0], work)
        except Exception as error:
            if isinstance(error, AppError) and error.status != 503:
                raise
        else:
            return
        await asyncio.sleep(0.5)


async def _in(api: Any, work: Callable[[Any], Awaitable[Any]]) -> None:
    await api.ask(lambda: _tx(api, work), 5.0)


async def _tx(api: Any, work: Callable[[Any], Awaitable[Any]]) -> None:
    async with tenant_tx(api.pool, TENANT) as tx:
        await work(tx)
    for sale in api.world.sales:
        api.process.doors.forget(sale)


async def _new_limit(world: World, event: Event, tx: Any) -> None:
    limit = 1 + int(event.size * 3)
    sale_id = _sale(world, event).sale_id
    world.limits[sale_id].append(limit)
    await sales.set_limit(tx, sale_id, limit, actor="merchant")


ACTS: dict[str, Act] = {
    "kill_api": _kill("apis"),
    "stop_api": _stop("apis"),
    "kill_worker": _kill("workers"),
    "stop_worker": _stop("workers"),
    "cut_before": _cut(answered=False),
    "cut_after": _cut(answered=True),
    "redis_frozen": _frozen,
    "redis_slow": _slow,
    "redis_away": _away,
    "redis_restarted": _restarted(lambda world, _: world.net.server.data),
    "redis_lost_tail": _restarted(_past(lambda event: 2 * event.size)),
    "redis_older": _restarted(_past(lambda event: 12 * event.size)),
    "redis_emptied": _emptied,
    "redis_failover": _restarted(_past(lambda event: 1.5 * event.size), lingering=True),
    "redis_promoted": _promoted,
    "redis_no_scripts": _no_scripts,
    "redis_refuses": _refuses,
    "redis_clock": _clock,
    "postgres_restarted": _postgres_restarted,
    "commits_unknown": _commits_unknown,
    "redis_stalls": _redis_stalls,
    "restless": _restless,
    "postgres_stalls": _postgres_stalls,
    "hiccups": _hiccups,
    "postgres_slow": _postgres_slow,
    "sale_locked": _sale_locked,
    "pause": _merchant(
        lambda w, e, tx: sales.pause(tx, _sale(w, e).sale_id, actor="merchant"),
        lambda w, e, tx: sales.resume(tx, _sale(w, e).sale_id, actor="merchant"),
    ),
    "add_stock": _merchant(lambda w, e, tx: sales.add_stock(tx, _sale(w, e).sale_id, 1 + int(2 * e.size), actor="merchant")),
    "withdraw_stock": _merchant(lambda w, e, tx: sales.withdraw_stock(tx, _sale(w, e).sale_id, 1, actor="merchant")),
    "set_limit": _merchant(_new_limit),
    "end": _merchant(lambda w, e, tx: sales.end(tx, _sale(w, e).sale_id, actor="merchant")),
}
