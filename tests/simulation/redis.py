"""A Redis of the simulation: hashes, the shipped Lua, a clock of its own, and everything that may happen to a Redis.

It remembers what it was a while ago, because what a restart brings back may be older than what was answered.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from tests.simulation.lua import Error, Reply, run_script

Data = dict[bytes, dict[bytes, bytes]]
PAST_MAX = 200
PAST_EVERY_S = 0.02
_WRITES = frozenset({b"HSET", b"HDEL", b"HINCRBY", b"UNLINK"})


class Server:
    """One Redis process. Another one, with the same data or older, has another run id."""

    def __init__(self, number: int, now: Callable[[], float], data: Data | None = None, replid: str = "") -> None:
        self.run_id = f"{number:040x}"
        self.replid = replid or f"{number:039x}f"
        self.data: Data = data if data is not None else {}
        self.scripts: dict[bytes, bytes] = {}
        self.past: deque[tuple[float, Data]] = deque(maxlen=PAST_MAX)
        self.refusing = ""  # an error word that every script gets: READONLY, OOM, LOADING
        self._now = now
        self._remembered = -1.0

    @property
    def ident(self) -> str:
        return f"{self.run_id}:{self.replid}"

    def as_it_was(self, at: float) -> Data:
        """A copy of the data as it was at that time, or as far back as anybody remembers."""
        found: Data = self.data
        for when, data in reversed(self.past):
            found = data
            if when <= at:
                break
        return copy(found)

    def answer(self, parts: Sequence[bytes]) -> Reply:
        """What a client gets; raises `Error`."""
        verb = parts[0].upper()
        if verb == b"EVALSHA":
            body = self.scripts.get(parts[1])
            if body is None:
                raise Error("NOSCRIPT No matching script. Please use EVAL.")
            return self._script(body, parts)
        if verb == b"EVAL":
            self.scripts[hashlib.sha1(parts[1]).hexdigest().encode()] = parts[1]
            return self._script(parts[1], parts)
        if verb == b"INFO":
            return self._about(parts[1])
        return self.execute(parts)

    def _script(self, body: bytes, parts: Sequence[bytes]) -> Reply:
        if self.refusing:
            raise Error(f"{self.refusing} this server does not write now")
        now = self._now()
        if now > self._remembered + PAST_EVERY_S:
            self._remembered = now
            self.past.append((now, copy(self.data)))
        count = int(parts[2])
        return run_script(body, parts[3 : 3 + count], parts[3 + count :], self.execute)

    def _about(self, section: bytes) -> bytes:
        match section:
            case b"server":
                return f"# Server\r\nrun_id:{self.run_id}\r\n".encode()
            case b"replication":
                return f"# Replication\r\nrole:master\r\nmaster_replid:{self.replid}\r\n".encode()
            case _:
                return b"# Cluster\r\ncluster_enabled:0\r\n"

    def execute(self, parts: Sequence[bytes]) -> Reply:
        verb = parts[0].upper()
        if verb == b"TIME":
            micros = int(self._now() * 1_000_000)
            return [b"%d" % (micros // 1_000_000), b"%d" % (micros % 1_000_000)]
        if verb == b"SCAN":
            return [b"0", sorted(self.data)]
        key = parts[1]
        stored = self.data.get(key, {})
        match verb:
            case b"HGET":
                return stored.get(parts[2])
            case b"HMGET":
                return [stored.get(field) for field in parts[2:]]
            case b"HLEN":
                return len(stored)
            case b"HGETALL":
                return [part for pair in stored.items() for part in pair]
            case b"HSCAN":
                # A small hash is handed out in one piece, whatever COUNT says.
                return [b"0", [part for pair in stored.items() for part in pair]]
            case b"HSET":
                fields = self.data.setdefault(key, {})
                before = len(fields)
                fields.update(zip(parts[2::2], parts[3::2], strict=True))
                return len(fields) - before
            case b"HINCRBY":
                fields = self.data.setdefault(key, {})
                fields[parts[2]] = b"%d" % (int(fields.get(parts[2], b"0")) + int(parts[3]))
                return int(fields[parts[2]])
            case b"HDEL":
                removed = sum(stored.pop(field, None) is not None for field in parts[2:])
                if not stored:
                    self.data.pop(key, None)
                return removed
            case b"UNLINK":
                return sum(self.data.pop(name, None) is not None for name in parts[1:])
            case _:
                raise Error(f"ERR unknown command {verb!r}")


def copy(data: Data) -> Data:
    return {key: dict(fields) for key, fields in data.items()}


def encode(reply: Any) -> bytes:
    """A reply in RESP 2."""
    if type(reply) is bytes:
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    if type(reply) is int:
        return b":%d\r\n" % reply
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, Error):
        return b"-%b\r\n" % str(reply).encode()
    return b"*%d\r\n" % len(reply) + b"".join(map(encode, reply))
