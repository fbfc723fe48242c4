"""Anchors: the heads of the chains, signed and kept where the database's own administrator cannot write.

A record is one line of JSON. What is signed (Ed25519, RFC 8032) is the line's `record`, byte for byte as it stands there:

    {"record": {"version": 1, "at": …, "before": …, "heads": [[tenant, seq, hash], …], "closed": [[tenant, seq, hash], …]},
     "key": …, "signature": …}

`before` is the SHA-256 of the line before in the same file, so that a line taken out of the middle is missed. All bytes are in hex.
`closed` are chains of stores that have left: nothing of them is in the database any more. The key follows from the platform's secret.
"""

import asyncio
import datetime as dt
import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from checkout_core.secrets import derive
from tenants.db import Pool, platform_tx

log = logging.getLogger(__name__)

AT_ONCE = 1000  # heads a record, 110 bytes each
UNCHAINED = bytes(32)  # `before` of a record in the log, which knows no line before
FILE = "audit-anchors.jsonl"
LOCK_ID = 0x617564697400  # "audit": one process anchors at a time
_encode = msgspec.json.Encoder().encode


class Anchored(NamedTuple):
    """A head as it was at a time."""

    tenant_id: UUID
    seq: int
    hash: bytes


class NotKept(Exception):
    """The sink did not take a record: the heads stay to be anchored."""


class BadAnchors(Exception):
    """An anchor file that was changed, cut in the middle, or is none. The text says where."""


class Sink(Protocol):
    """Where records go. `write` returns when the record is safe, and raises `OSError` when it is not."""

    def write(self, signer: "Signer", heads: Sequence[Anchored], closed: Sequence[Anchored]) -> None: ...


class _Record(msgspec.Struct, frozen=True):
    version: int
    at: dt.datetime
    before: str
    heads: list[tuple[str, int, str]]
    closed: list[tuple[str, int, str]] = []


class _Line(msgspec.Struct, frozen=True):
    record: msgspec.Raw
    key: str
    signature: str


class Signer:
    """Signs with the key that follows from the platform's secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(derive(secret, "audit-anchors"))

    @property
    def public(self) -> bytes:
        """32 bytes by which anybody can check a record."""
        return self._key.public_key().public_bytes_raw()

    def line(self, before: bytes, heads: Sequence[Anchored], closed: Sequence[Anchored]) -> bytes:
        """A record that follows the line whose SHA-256 is `before`, ending in a newline."""
        plain = [[(one.tenant_id.hex, one.seq, one.hash.hex()) for one in some] for some in (heads, closed)]
        record = _encode(_Record(1, dt.datetime.now(dt.UTC), before.hex(), *plain))
        return _encode(_Line(msgspec.Raw(record), self.public.hex(), self._key.sign(record).hex())) + b"\n"


class Folder:
    """A file in a folder, only ever appended to. Mount there what the database's administrator cannot write."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def write(self, signer: Signer, heads: Sequence[Anchored], closed: Sequence[Anchored]) -> None:
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # several processes of one machine may share the file
            line = signer.line(hashlib.sha256(_last_line(file.fileno())).digest(), heads, closed)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


class Log:
    """The process's log, for those who keep it elsewhere: whole records, one a line."""

    def write(self, signer: Signer, heads: Sequence[Anchored], closed: Sequence[Anchored]) -> None:
        log.info("audit anchor %s", signer.line(UNCHAINED, heads, closed).decode().rstrip())


def sink_of(folder: str) -> Sink:
    """The sink for `TESSERA_ANCHOR_DIR`. Raises `ValueError` for a folder that is none."""
    if not folder:
        return Log()
    if not Path(folder).is_dir():
        raise ValueError(f"TESSERA_ANCHOR_DIR is {folder!r}, which is no folder.")
    return Folder(Path(folder))


async def anchor(platform: Pool, signer: Signer, sink: Sink) -> int:
    """Sign and keep all heads that moved since they were anchored; how many. Safe to call from many processes.

    A crash between keeping a record and noting it anchors the same heads again, which says nothing new.
    Raises `NotKept` when the sink does not take the record: the heads stay to be anchored.
    """
    anchored = 0
    while True:
        async with platform_tx(platform) as conn:
            if not await conn.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK_ID):
                return anchored
            # As the platform, whose policy shows it the heads of all tenants, and of everything else nothing.
            sql = "SELECT tenant_id, seq, hash FROM audit_head WHERE seq > anchored_seq ORDER BY tenant_id LIMIT $1"
            heads = [Anchored(*row) for row in await conn.fetch(sql, AT_ONCE)]
            if not heads:
                return anchored
            await keep(sink, signer, heads, [])
            sql = """UPDATE audit_head SET anchored_seq = kept.seq FROM unnest($1::uuid[], $2::bigint[]) AS kept (tenant_id, seq)
                     WHERE audit_head.tenant_id = kept.tenant_id"""
            await conn.execute(sql, [head.tenant_id for head in heads], [head.seq for head in heads])
        anchored += len(heads)


async def keep(sink: Sink, signer: Signer, heads: Sequence[Anchored], closed: Sequence[Anchored]) -> None:
    """Write a record without holding up the loop. Raises `NotKept`."""
    try:
        await asyncio.to_thread(sink.write, signer, heads, closed)
    except OSError as error:
        raise NotKept(f"the anchor was not kept: {error}") from error


class Kept(NamedTuple):
    """All that a folder of anchors says. `closed` are tenants whose data was removed in order."""

    heads: list[Anchored]
    closed: set[UUID]
    records: int


def read(folder: Path, public: bytes) -> Kept:
    """Every record in the files `*.jsonl` of `folder`, each verified by the key `public` (32 bytes). Raises `BadAnchors`, `OSError`."""
    key = Ed25519PublicKey.from_public_bytes(public)
    kept = Kept([], set(), 0)
    for path in sorted(folder.glob("*.jsonl")):
        for record in _records(path, key):
            closed = [_anchored(one) for one in record.closed]
            kept.heads.extend(_anchored(one) for one in record.heads)
            kept.closed.update(one.tenant_id for one in closed)
            kept = kept._replace(records=kept.records + 1)
    if not kept.records:
        raise BadAnchors(f"{folder} holds no anchors.")
    return kept


def _records(path: Path, key: Ed25519PublicKey) -> Iterator[_Record]:
    before = hashlib.sha256(b"").digest()
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            where = f"{path.name}, line {number}"
            try:
                line = msgspec.json.decode(text, type=_Line)
                key.verify(bytes.fromhex(line.signature), bytes(line.record))
                record = msgspec.json.decode(line.record, type=_Record)
            except InvalidSignature:
                raise BadAnchors(f"{where}: the signature is not by this platform's key.") from None
            except ValueError as error:
                raise BadAnchors(f"{where}: {error}") from None
            if record.before not in (before.hex(), UNCHAINED.hex()):
                raise BadAnchors(f"{where}: the line before is not the one that was there when this was signed.")
            before = hashlib.sha256(text).digest()
            yield record


def _anchored(one: tuple[str, int, str]) -> Anchored:
    return Anchored(UUID(hex=one[0]), one[1], bytes.fromhex(one[2]))


def _last_line(descriptor: int) -> bytes:
    """The last whole line of a file, empty for an empty one. A record that a crash cut short is completed to a line, and told by `read`."""
    size = os.fstat(descriptor).st_size
    tail = b""
    while size and tail.count(b"\n") < 2:
        step = min(size, 1 << 16)
        size -= step
        tail = os.pread(descriptor, step, size) + tail
    if tail and not tail.endswith(b"\n"):
        os.write(descriptor, b"\n")
        tail += b"\n"
    return tail[tail.rfind(b"\n", 0, -1) + 1 :]
