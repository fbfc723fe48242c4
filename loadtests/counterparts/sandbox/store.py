"""SQLite under the books: many requests, one transaction.

Every write that arrives in one turn of the event loop joins one transaction, and nobody is answered before it is committed.
WAL with synchronous=NORMAL: a commit survives a kill -9 of this process; a loss of power may take the last moments, which a
sandbox may do and a real provider may not. Such a commit does no fsync (about 20 µs), so it runs on the loop itself; a thread
with its own connection moves the log into the database, and that is where the fsyncs are.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from loadtests.counterparts.sandbox.wire import Refusal

T = TypeVar("T")
CHECKPOINT_S = 2.0


class Store:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "books.sqlite3"
        self.db = self._connect()
        self.db.executescript(Path(__file__).with_name("schema.sql").read_text())
        self.db.execute("PRAGMA wal_autocheckpoint = 0")
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._after: list[Callable[[], None]] = []
        self._ended = threading.Event()
        self._checkpointer = threading.Thread(target=self._checkpoint, name="checkpoint", daemon=True)
        self._checkpointer.start()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=5)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        return db

    async def write(self, work: Callable[[], T]) -> T:
        """Run `work` in the transaction of this turn of the loop; return what it returned once that is committed.

        Whatever `work` raises undoes what `work` did, and nothing else.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._commit)
        self._waiting.append((work, future))
        return await future

    def after_commit(self, then: Callable[[], None]) -> None:
        """For `work`: what is to be done once its transaction is committed, and not at all if it is not."""
        self._after.append(then)

    def _commit(self) -> None:
        batch, self._waiting = self._waiting, []
        self._after = []
        answers: list[tuple[asyncio.Future[Any], Any, Exception | None]] = []
        try:
            self.db.execute("BEGIN IMMEDIATE")
            for work, future in batch:
                self.db.execute("SAVEPOINT one")
                mark = len(self._after)
                try:
                    answers.append((future, work(), None))
                except (Refusal, sqlite3.Error) as e:
                    self.db.execute("ROLLBACK TO one")
                    del self._after[mark:]
                    answers.append((future, None, e))
                self.db.execute("RELEASE one")
            self.db.execute("COMMIT")
        except Exception as e:  # a bug or a full disk: nothing of this turn happened, and everybody is told
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            answers, self._after = [(future, None, e) for _, future in batch], []
        for then in self._after:
            then()
        for future, answer, error in answers:
            if future.done():
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(answer)

    def snapshot(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run `read` on a connection of its own, at one instant of the books. For a thread, so that the loop goes on."""
        db = self._connect()
        try:
            db.execute("BEGIN")
            return read(db)
        finally:
            db.close()

    def _checkpoint(self) -> None:
        db = self._connect()
        while not self._ended.wait(CHECKPOINT_S):
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.close()

    def close(self) -> None:
        self._ended.set()
        self._checkpointer.join()
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()
