"""A Postgres of the simulation: rows, row locks, transactions that see what is committed, and everything that may happen to a COMMIT.

A statement takes a moment; what a transaction wrote is seen by others when it is committed. A client may lose its connection at any
statement; at COMMIT it then does not know, and the server may still be about to commit.
"""

import asyncio
import datetime as dt
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg

from tenants.db import IDLE_IN_TRANSACTION_MS, LOCK_TIMEOUT_MS
from tests.simulation.loop import EPOCH_S, Loop, Proc, owner

LOCK_TIMEOUT_S: Final = LOCK_TIMEOUT_MS / 1000
IDLE_IN_TRANSACTION_S: Final = IDLE_IN_TRANSACTION_MS / 1000
USUAL_S: Final = 0.0006  # of a statement, mean

Key = tuple[Any, ...]
Row = dict[str, Any]
TABLES = ("sale", "unit", "orders", "order_line", "give_back")


class Lost(asyncpg.ConnectionDoesNotExistError):
    """The connection went away in the middle of an operation."""


Run = Callable[["Connection", str, tuple[Any, ...]], Awaitable[list[Any]]]


class Database:
    """The server: committed rows, locks, and the sessions of those who are connected. `run` does a statement."""

    def __init__(self, loop: Loop, dice: random.Random, context: Any, run: Run) -> None:
        self.run = run
        self.loop = loop
        self.dice = dice
        self.context = context
        self.tables: dict[str, dict[Key, Row]] = {name: {} for name in TABLES}
        self.locks: dict[Key, Connection] = {}
        self.queues: dict[Key, deque[tuple[Connection, asyncio.Future[None]]]] = {}
        self.sessions: dict[int, Connection] = {}  # in the order they came
        self.count = 0
        self.unlearnt: list[str] = []  # statements that nobody has taught the double
        self.up = True
        self.slow = 1.0
        self.stalls = 0.0  # the chance that a statement takes seconds
        self.trouble = 0.0  # the chance of losing the connection at a statement
        self.commit_trouble = 0.0  # the chance that a COMMIT's answer is lost
        self.on_commit: Callable[[Connection], None] = lambda _: None
        self.on_emit: Callable[[str], None] = lambda _: None

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(EPOCH_S + self.loop.time(), dt.UTC)

    def delay_s(self) -> float:
        stalled = self.stalls and self.dice.random() < self.stalls
        return self.dice.expovariate(0.7 if stalled else 1 / (USUAL_S * self.slow))

    def all(self, table: str) -> list[Row]:
        """What is committed."""
        return list(self.tables[table].values())

    def restart(self) -> None:
        """Every session is gone; a COMMIT under way was or was not done."""
        for session in list(self.sessions.values()):
            session.gone(committed=session.committing and self.dice.random() < 0.5)

    def forget(self, proc: Proc) -> None:
        """The sessions of a dead process end as soon as the server notices."""
        for session in [s for s in self.sessions.values() if s.proc is proc]:
            if session.committing and self.dice.random() < 0.5:
                session.gone(committed=True)
            else:
                self.loop.call_later(self.dice.expovariate(20), session.gone, context=self.context)

    def tire_of(self, proc: Proc) -> None:
        """Transactions of a stopped process are ended after a while: nobody else is to wait for it for ever."""
        for session in [s for s in self.sessions.values() if s.proc is proc]:
            self.loop.call_later(IDLE_IN_TRANSACTION_S, session.end_if_idle, session.transactions, context=self.context)


class Connection:
    """A session: the client's words in, rows out. One transaction at a time."""

    def __init__(self, database: Database) -> None:
        self.db = database
        database.count += 1
        self.number = database.count
        self.proc = owner()
        self.broken = ""
        self.active = False
        self.committing = False
        self.transactions = 0
        self.begun = database.now()
        self.writes: dict[tuple[str, Key], Row] = {}
        self.locked: list[Key] = []
        self.emitted: list[str] = []
        database.sessions[self.number] = self

    # What the client says

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        return await self.db.run(self, sql, args)

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *args: Any) -> Any:
        rows = await self.fetch(sql, *args)
        return rows[0][0] if rows else None

    async def execute(self, sql: str, *args: Any) -> str:
        match sql.partition(";")[0]:
            case "BEGIN":  # its trip is counted with the first statement that does something
                self.check()
                self.active, self.begun = True, self.db.now()
                self.transactions += 1
            case "COMMIT":
                await self.commit()
            case "ROLLBACK":
                self.end()
            case _:
                await self.fetch(sql, *args)
        return "DONE"

    def is_in_transaction(self) -> bool:
        return self.active

    def is_closed(self) -> bool:
        return bool(self.broken)

    async def trip(self) -> None:
        """To the server and back. Raises `Lost`."""
        await asyncio.sleep(self.db.delay_s())
        if self.db.trouble and self.db.dice.random() < self.db.trouble:
            self.gone()
        self.check()

    def check(self) -> None:
        if self.broken:
            raise Lost(self.broken)

    # What the server does

    def get(self, table: str, key: Key) -> Row | None:
        """As this statement sees it: own writes, else what is committed now."""
        return self.writes.get((table, key)) or self.db.tables[table].get(key)

    def select(self, table: str, where: Callable[[Row], bool]) -> list[Row]:
        mine = {key: row for (name, key), row in self.writes.items() if name == table}
        return [row for row in (self.db.tables[table] | mine).values() if where(row)]

    def put(self, table: str, key: Key, row: Row) -> None:
        """Raises what the constraints raise."""
        if table == "sale" and not 0 <= row["committed"] <= row["allotted"]:
            raise asyncpg.CheckViolationError('new row for relation "sale" violates check constraint "sale_check1"')
        if table == "orders" and (row["state"] in ("awaiting", "closing")) != (row["next_try_at"] is not None):
            raise asyncpg.CheckViolationError('new row for relation "orders" violates check constraint "orders_check1"')
        if table == "unit" and row["slot"] is not None:
            self._check_slot(row)
        self.writes[table, key] = row

    def _check_slot(self, row: Row) -> None:
        slot = (row["sale_id"], row["shopper_id"], row["slot"])
        for other in self.select("unit", lambda u: (u["sale_id"], u["shopper_id"], u["slot"]) == slot):
            if other["id"] != row["id"]:
                raise asyncpg.UniqueViolationError('duplicate key value violates unique constraint "unit_slot"')

    async def lock(self, table: str, key: Key) -> Row | None:
        """The row, locked for this transaction. Raises `LockNotAvailableError` after the lock timeout."""
        db, name = self.db, (table, *key)
        holder = db.locks.get(name)
        if holder is not self:
            if holder is None:
                db.locks[name] = self
                self.locked.append(name)
            else:
                await self._wait(name)
        return self.get(table, key)

    async def _wait(self, name: Key) -> None:
        db = self.db
        turn: asyncio.Future[None] = db.loop.create_future()
        pair = (self, turn)
        db.queues.setdefault(name, deque()).append(pair)

        def give_up() -> None:
            if not turn.done():
                db.queues[name].remove(pair)
                turn.set_exception(asyncpg.LockNotAvailableError("canceling statement due to lock timeout"))

        timer = db.loop.call_later(LOCK_TIMEOUT_S, give_up, context=db.context)
        try:
            await turn
        finally:
            timer.cancel()
        self.check()

    def apply(self) -> None:
        """COMMIT, at the server."""
        for (table, key), row in self.writes.items():
            self.db.tables[table][key] = row
        self.db.on_commit(self)
        for topic in self.emitted:
            self.db.on_emit(topic)
        self.end()

    def end(self) -> None:
        """The transaction is over, its locks are the next one's."""
        self.active = self.committing = False
        self.writes, self.emitted = {}, []
        locked, self.locked = self.locked, []
        for name in locked:
            queue = self.db.queues.get(name)
            while queue:
                waiting, turn = queue.popleft()
                if not turn.done() and not waiting.broken:
                    self.db.locks[name] = waiting
                    waiting.locked.append(name)
                    turn.set_result(None)
                    break
            else:
                del self.db.locks[name]

    def gone(self, *, committed: bool = False) -> None:
        """The session ends, whoever still talks to it."""
        if self.broken:
            return
        self.broken = "the connection was closed in the middle of operation"
        self.db.sessions.pop(self.number, None)
        if self.active:
            if committed:
                self.apply()
            else:
                self.end()
        for queue in self.db.queues.values():
            for waiting, turn in list(queue):
                if waiting is self and not turn.done():
                    queue.remove((waiting, turn))
                    turn.set_exception(Lost(self.broken))

    def end_if_idle(self, transaction: int) -> None:
        if self.active and self.transactions == transaction and self.proc is not None and self.proc.stopped:
            self.gone()

    async def commit(self) -> None:
        """Raises `Lost` when the answer did not come: it was done, was not, or will be in a while."""
        db = self.db
        if not self.writes and not self.emitted:
            self.check()
            self.end()
            return
        self.committing = True
        await asyncio.sleep(db.delay_s())
        self.check()
        if db.commit_trouble and db.dice.random() < db.commit_trouble:
            match db.dice.randrange(4):
                case 0:
                    self.gone()
                case 1:
                    self.gone(committed=True)
                case _:  # the client has lost it, the server has not
                    self.broken = "the connection was closed in the middle of operation"
                    db.sessions.pop(self.number, None)
                    db.loop.call_later(db.dice.expovariate(1.5), self._apply_late, context=db.context)
            raise Lost(self.broken)
        self.apply()
        await asyncio.sleep(db.delay_s())
        self.check()

    def _apply_late(self) -> None:
        if self.active:
            if self.db.up:
                self.apply()
            else:
                self.end()
