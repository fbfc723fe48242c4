"""Cuts the line to Postgres at a COMMIT, so that its outcome is unknown to the one who asked: once it has happened, or before it could.

Understands as much of Postgres' protocol as that takes: which statements a transaction sent, by simple query, by Parse or by the name of
a statement prepared earlier; that one of them is COMMIT; and that the server said it is done.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

from tests.drills.proxy import Then

Side = Literal["before", "after"]
Cut = tuple[Side, str]

HEAD = 5  # a message's type, one byte, and its length, four, which counts itself
STARTUP = (196608, 196610)  # protocols 3.0 and 3.2; other codes ask for TLS, or to cancel, and another such message may follow
COMMITS = re.compile(rb"(?i)(^|;)\s*(commit|end)\b")
ENDS = re.compile(rb"(?i)(^|;)\s*(commit|end|rollback|abort)\b")
DONE = b"C\x00\x00\x00\x0bCOMMIT\x00"
IDLE = b"Z\x00\x00\x00\x05I"  # ready for the next transaction: this one has ended, whatever became of it


class Cutter:
    """Decides for all connections of a proxy; it cuts nothing while `side` is None.

    `of` names what a transaction is by a pattern that one of its statements matches; the first name counts. Those without a name are left
    alone, the others are cut with probability `chance`. `cut` counts them by side and name.
    """

    def __init__(self, chance: float = 0.0, of: Mapping[str, str] | None = None, seed: int = 0) -> None:
        self.side: Side | None = None
        self.chance = chance
        self.cut: Counter[tuple[Side, str]] = Counter()
        self.at_commit: Callable[[], None] | None = None  # called once, when a named transaction is about to say COMMIT
        self._of = {name: re.compile(pattern.encode()) for name, pattern in (of or {}).items()}
        self._random = random.Random(seed)

    def decide(self, statements: list[bytes]) -> Cut | None:
        """Where the transaction that sent `statements` is to be cut, and its name."""
        name = next((name for name, pattern in self._of.items() if any(map(pattern.search, statements))), None)
        if name is None:
            return None
        if self.at_commit is not None:
            call, self.at_commit = self.at_commit, None
            call()
        return (self.side, name) if self.side and self._random.random() < self.chance else None

    def sight(self) -> "Session":
        """For one more connection."""
        return Session(self.decide, self.cut)


class Session:
    """One connection. `decide` is asked at each COMMIT, before it goes on."""

    def __init__(self, decide: Callable[[list[bytes]], Cut | None], cut: Counter[Cut]) -> None:
        self._decide = decide
        self._cut = cut
        self._unread = b""
        self._started = False
        self._prepared: dict[bytes, bytes] = {}
        self._statements: list[bytes] = []  # of the transaction so far
        self._awaited: Cut | None = None  # once it has happened
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
        if self._awaited is None:
            return data, Then.PASS
        self._swallowed += data
        if DONE in self._swallowed:
            self._cut[self._awaited] += 1
        elif IDLE not in self._swallowed:
            return b"", Then.PASS
        return b"", Then.RESET

    def _look(self, kind: bytes, body: bytes) -> bool:
        """Read one message; whether it must not go on."""
        statement = self._statement(kind, body)
        if statement is None:
            return False
        if COMMITS.search(statement):
            cut = self._decide([*self._statements, statement])
            if cut is not None and cut[0] == "before":
                self._cut[cut] += 1
                return True
            self._awaited = cut
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
