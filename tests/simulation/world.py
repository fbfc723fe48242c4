"""A shop of the simulation: API processes and workers of the product's own code, around its sales."""

import asyncio
import contextvars
import random
import struct
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, Final, NamedTuple
from uuid import UUID

from api import listener
from api.checkouts import NewCheckout, press
from api.doors import Doors
from api.problems import expected
from api.process import FLIGHTS
from checkout_core import intents, keys
from checkout_core.admission import Gatekeeper, Loaded
from checkout_core.batcher import Batcher
from checkout_core.errors import AppError
from checkout_core.ids import encode
from checkout_core.intents import Decision, SaleKey
from checkout_core.partitions import Partitions
from checkout_core.tokens import Shopper
from tests.simulation.loop import Loop, Proc
from tests.simulation.plan import Plan
from tests.simulation.pool import Pool
from tests.simulation.postgres import Connection, Database
from tests.simulation.statements import run
from tests.simulation.stock import TENANT, lay_out, sale_key
from tests.simulation.wire import Net, Transport
from workers import janitor
from workers.duties import Services
from workers.sweep import Sweep

SECRET: Final = b"simulated secret of thirty-two b"
NETWORK_S: Final = 0.001  # between shoppers and processes, one way, mean


class Note(NamedTuple):
    """A line of the timeline. `about` is what it is about: an order, an intent, ''."""

    at_s: float
    who: str
    what: str
    about: str = ""


class Refused(Exception):
    """The client's own: no process was there, or it hung up."""


class Bell:
    """Rings a worker, or nobody."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def ring(self, table: str, tenant_id: UUID, row_id: UUID) -> None:
        world = self._world
        ready = [worker for worker in world.workers if worker.sweep is not None and worker.proc.alive]
        if ready and world.net.reachable and world.dice.random() < 0.8:
            worker = world.dice.choice(ready)
            assert worker.sweep is not None
            world.loop.call_later(
                world.network_s(), worker.proc.spawn, worker.sweep.attend(table, tenant_id, row_id), context=world.context
            )


class Relay:
    """Tells API processes what is new, unless Redis is away; not everything is heard."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def tell(self, tenant_id: UUID, topic: str, event: object) -> None:
        self._world.tell(topic)


class Worker:
    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name
        self.sweep: Sweep | None = None
        self.proc = Proc(name, world.loop)
        self.proc.spawn(self._run())

    async def _run(self) -> None:
        partitions = await Partitions("unix:///simulated").__aenter__()
        # No provider, no keys, no mails, no webhooks.
        services = Services(Pool(self.world.db, 4), None, Relay(self.world), Gatekeeper(partitions), None, None, None)  # type: ignore[arg-type]
        self.sweep = Sweep(services, Pool(self.world.db, 2))
        await asyncio.gather(self.sweep.run(), janitor.run(services.pool, partitions))

    def kill(self) -> None:
        self.proc.kill()
        self.world.db.forget(self.proc)


class Api:
    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name
        self.process: Any = None  # what `press` asks of an `api.process.Process`
        self.proc = Proc(name, world.loop)
        self.asked: list[asyncio.Future[Any]] = []
        self.proc.spawn(self._run())

    async def _run(self) -> None:
        self.pool = Pool(self.world.db, 3)
        partitions = await Partitions("unix:///simulated").__aenter__()
        doors = Doors(self.pool, Gatekeeper(partitions, backlog_max=self.world.plan.backlog_max), Bell(self.world))  # type: ignore[arg-type]
        keys = SimpleNamespace(orders=SECRET, lookups=SECRET)
        self.process = SimpleNamespace(doors=doors, batcher=Batcher(doors.decide, flights=FLIGHTS), keys=keys)

    def kill(self) -> None:
        self.proc.kill()
        self.world.db.forget(self.proc)
        for asked in self.asked:
            if not asked.done():
                asked.set_exception(Refused("the process died"))

    async def ask(self, work: Callable[[], Awaitable[Any]], patience_s: float) -> Any:
        """One request, from outside. Raises `AppError` as the process does, `Refused`, `TimeoutError`."""
        world = self.world
        await asyncio.sleep(world.network_s())
        if self.process is None or not self.proc.alive:
            raise Refused("nobody listens")
        answered: asyncio.Future[Any] = world.loop.create_future()
        self.asked.append(answered)

        def tell(result: Any) -> None:
            if not answered.done():
                answered.set_exception(result) if isinstance(result, Exception) else answered.set_result(result)

        async def serve() -> None:
            try:
                result: Any = await work()
            except AppError as error:
                result = error
            except Exception as error:
                result = expected(error)
                if not isinstance(result, AppError):
                    world.wrong.append(f"{self.name} failed: {error!r}")
                    result = Refused("500")
            world.loop.call_later(world.network_s(), tell, result, context=world.context)

        self.proc.spawn(serve())
        async with asyncio.timeout(patience_s):
            return await answered

    async def press(self, shopper: int, sale: SaleKey, key: str, quantity: int, *, retried: bool, patience_s: float) -> Decision:
        who = Shopper(TENANT, shopper_id(shopper), 0)
        wish = NewCheckout(sale_id=encode("sal", sale.sale_id), quantity=quantity)
        return await self.ask(lambda: press(self.process, who, wish, key, retried=retried), patience_s)


class World:
    def __init__(self, plan: Plan, loop: Loop) -> None:
        self.plan = plan
        self.loop = loop
        self.dice = random.Random(f"world {plan.seed}")
        self.context = contextvars.copy_context()  # of nobody: the network, the servers, the shoppers
        self.clock_skew_s = plan.clock_skew_s
        self.net = Net(loop, self.dice, self.context, self.redis_clock)
        self.db = Database(loop, self.dice, self.context, run)
        self.timeline: list[Note] = []
        self.wrong: list[str] = []
        self.states: dict[UUID, list[tuple[float, str]]] = {}  # of each order, as committed
        self.sales = [sale_key(number) for number in range(len(plan.offers))]
        self.lefts: dict[UUID, list[tuple[float, int]]] = {key.sale_id: [] for key in self.sales}  # units left, as committed
        self.returns: list[tuple[float, UUID, int]] = []  # units on their way back to the gate, as committed
        self.loads: list[tuple[float, UUID, int]] = []  # when the gate of a sale was loaded, and the epoch
        self.limits = {key.sale_id: [offer.limit] for key, offer in zip(self.sales, plan.offers, strict=True)}
        self.probes: set[UUID] = set()  # orders of those who asked when all was at rest
        lay_out(self.db, plan)
        self.db.on_commit, self.db.on_emit, self.net.asked = self._committed, self.tell, self._asked
        self.apis: list[Api] = [Api(self, f"api{n}") for n in range(plan.apis)]
        self.workers: list[Worker] = [Worker(self, f"worker{n}") for n in range(plan.workers)]
        self.watch: Callable[[], None] = lambda: None

    def redis_clock(self) -> float:
        from tests.simulation.loop import EPOCH_S

        return EPOCH_S + self.loop.time() + self.clock_skew_s

    def network_s(self) -> float:
        return self.dice.expovariate(1 / NETWORK_S)

    def note(self, who: str, what: str, about: str = "") -> None:
        self.timeline.append(Note(self.loop.time(), who, what, about))

    def restart(self, group: list[Any], number: int) -> None:
        """Another process in the place of one that is dead."""
        old = group[number]
        if not old.proc.alive:
            base, _, life = old.name.partition("'")
            group[number] = type(old)(self, f"{base}'{int(life or 0) + 1}")
            self.note(group[number].name, "is started")

    def _committed(self, conn: Connection) -> None:
        now, who = self.loop.time(), conn.proc.name if conn.proc else "?"
        for (table, _), row in conn.writes.items():
            if table == "orders":
                known = self.states.setdefault(row["id"], [])
                if not known or known[-1][1] != row["state"]:
                    known.append((now, row["state"]))
                    self.note(
                        who,
                        f"COMMIT order {short(row['id'])} {row['state']}{'' if row['refusal'] is None else row['refusal']}",
                        str(row["id"]),
                    )
            elif table == "sale":
                left = row["allotted"] - row["committed"]
                self.lefts[row["id"]].append((now, left))
                counts = f"{row['committed']} of {row['allotted']} taken, {row['give_seq']} given back"
                self.note(who, f"COMMIT sale{row['id'].int & 1}: epoch {row['epoch']}, {counts}", "sale")
            elif table == "give_back":
                self.returns.append((now, row["sale_id"], row["units"]))
                self.note(
                    who,
                    f"COMMIT sale{row['sale_id'].int & 1} give-back {row['seq']} of epoch {row['epoch']} for {row['reason'][:12]}",
                    row["reason"],
                )

    def tell(self, topic: str) -> None:
        """An event on its way to all processes."""
        if topic in listener.TOPICS and self.net.reachable:
            for api in self.apis:
                if api.process is not None and self.dice.random() < 0.8:
                    for sale in self.sales:
                        self.loop.call_later(0.1 * self.dice.random(), api.process.doors.forget, sale, context=api.proc.context)

    def _asked(self, transport: Transport, parts: list[bytes], reply: Any) -> None:
        if parts[0] in (b"EVALSHA", b"EVAL"):
            who = transport.proc.name if transport.proc else "?"
            if name_of(parts).startswith("load ") and isinstance(reply, list) and reply[0] == Loaded.LOADED:
                key = next(key for key in self.sales if keys.of(key).sale == parts[3])
                self.loads.append((self.loop.time(), key.sale_id, reply[1]))
            old = "" if transport.server is self.net.server else f" (old server {transport.server.run_id[-2:]})"
            self.timeline.append(Note(self.loop.time(), who, f"sale{parts[3][-1] & 1} {name_of(parts)} → {reply!r}{old}", "script"))
            self.watch()


def short(value: UUID) -> str:
    return value.hex[:6]


def shopper_id(number: int) -> UUID:
    return UUID(int=0x51_0000_0000_0000 << 64 | 0x8000_0000_0000_0000 | number + 1)


def order_id_of(shopper: int, key: str) -> UUID:
    return intents.order_id(SECRET, TENANT, shopper_id(shopper), key)


def column(ids: bytes) -> list[str]:
    """The beginnings of ids that stand one behind the other."""
    return [ids[at : at + 16].hex()[:6] for at in range(0, len(ids), 16)]


def name_of(parts: list[bytes]) -> str:
    from checkout_core.admission import ACK, ADMIT, DROP, GIVE_BACK, LOAD

    names = {"admit": ADMIT, "ack": ACK, "give_back": GIVE_BACK, "load": LOAD, "drop": DROP}
    for name, script in names.items():
        if parts[1] in (script.sha, script.body):
            args = parts[3 + int(parts[2]) :]
            match name:
                case "admit":
                    quantities = struct.unpack(f">{len(args[4]) // 4}I", args[4])
                    return f"admit {', '.join(f'{order}×{n}' for order, n in zip(column(args[2]), quantities, strict=True))}"
                case "ack":
                    return f"ack {', '.join(column(args[0]))}"
                case "give_back":
                    return f"give_back epoch {int(args[1])} after {int(args[2])}, {len(args) // 4} rows"
                case "load":
                    return f"load epoch {int(args[1])} {args[2].decode()}, {int(args[3])} left, given {int(args[5])}"
                case _:
                    return f"drop epoch {int(args[0])}"
    return "a script"
