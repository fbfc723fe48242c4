"""Cuts the line to Postgres at a COMMIT, so that its outcome is unknown to the one who asked: once it has happened, or before it could.

Understands as much of Postgres' protocol as that takes: which statements a transaction sent, by simple query, by Parse or by the name of
a statement prepared earlier; that one of them is COMMIT; and that the server said it is done.
"""

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Literal

from tests.drills.proxy import Then

Side = Literal["before", "after"]

HEAD = 5  # a message's type, one byte, and its length, four, which counts itself
STARTUP = (196608, 196610)  # protocols 3.0 and 3.2; other codes ask for TLS, or to cancel, and another such message may follow
COMMITS = re.compile(rb"(?i)(^|;)\s*(commit|end)\b")
ENDS = re.compile(rb"(?i)(^|;)\s*(commit|end|rollback|abort)\b")
DONE = b"C\x00\x00\x00\x0bCOMMIT\x00"
IDLE = b"Z\x00\x00\x00\x05I"  # ready for the next transaction: this one has ended, whatever became of it


class Cutter:
    """Decides for all connections of a proxy. `cut` counts by side; it is inactive while `side` is None.

    Only transactions of which a statement matches `of` are cut, each with probability `chance`.
    """

    def __init__(self, chance: float, of: str = "", seed: int = 0) -> None:
        self.side: Side | None = None
        self.cut: Counter[str] = Counter()
        self._chance = chance
        self._of = re.compile(of.encode())
        self._random = random.Random(seed)

    def side_for(self, statements: list[bytes]) -> Side | None:
        """Where the transaction that sent `statements` is to be cut."""
        if self.side is None or not any(map(self._of.search, statements)) or self._random.random() >= self._chance:
            return None
        return self.side

    def sight(self) -> "Session":
        """For one more connection."""
        return Session(self.side_for, self.cut)


class Session:
    """One connection. `side_for` is asked at each COMMIT, before it goes on."""

    def __init__(self, side_for: Callable[[list[bytes]], Side | None], cut: Counter[str]) -> None:
        self._side_for = side_for
        self._cut = cut
        self._unread = b""
        self._started = False
        self._prepared: dict[bytes, bytes] = {}
        self._statements: list[bytes] = []  # of the transaction so far
        self._awaits_commit = False
        self._swallowed = b""

    def client_says(self, data: bytes) -> tuple[bytes, Then]:
        """Whole messages go on; one that has not arrived in full waits for its end."""
        self._unread += data
        begin = at = 0
        head = 0 if not self._started else 1
        while len(self._unread) >= at + head + 4:
            end = at + head + int.from_bytes(self._unread[at + head : at + head + 4])
            if len(self._unread) < end:
                break
            if not self._started:
                self._started = int.from_bytes(self._unread[at + 4 : at + 8]) in STARTUP
                head = 1 if self._started else 0
            elif self._look(self._unread[at : at + 1], self._unread[at + HEAD : end]):
                return self._unread[begin:at], Then.RESET
            at = end
        whole, self._unread = self._unread[begin:at], self._unread[at:]
        return whole, Then.PASS

    def server_says(self, data: bytes) -> tuple[bytes, Then]:
        if not self._awaits_commit:
            return data, Then.PASS
        self._swallowed += data
        if DONE in self._swallowed:
            self._cut["after"] += 1
        elif IDLE not in self._swallowed:
            return b"", Then.PASS
        return b"", Then.RESET

    def _look(self, kind: bytes, body: bytes) -> bool:
        """Read one message; whether it must not go on."""
        statement = self._statement(kind, body)
        if statement is None:
            return False
        if COMMITS.search(statement):
            side = self._side_for([*self._statements, statement])
            if side == "before":
                self._cut["before"] += 1
                return True
            self._awaits_commit = side == "after"
        if ENDS.search(statement):
            self._statements.clear()
        else:
            self._statements.append(statement)
        return False

    def _statement(self, kind: bytes, body: bytes) -> bytes | None:
        """What the message asks to be executed, None when nothing."""
        if kind == b"Q":
            return body.rstrip(b"\x00")
        if kind == b"P":
            name, query, _ = body.split(b"\x00", 2)
            self._prepared[name] = query
        elif kind == b"B":
            _, name, _ = body.split(b"\x00", 2)
            return self._prepared.get(name, b"")
        return None
