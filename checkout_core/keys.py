"""The names of everything that we keep in Redis, made here only and always passed to the scripts.

All keys of a sale carry its partition's hash tag, so that a script touches one slot of a cluster.
"""

import re
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID
from zlib import crc32

from checkout_core.intents import SaleKey

NOUNS = ("sale", "by", "journal")
PATTERN = "{p[0-9][0-9]}:*"
_NAME = re.compile(rb"\{p\d\d\}:(?:%b):([0-9a-f]{32}):([0-9a-f]{32})" % "|".join(NOUNS).encode())
PARTITIONS = 64  # fixed for ever: another number would move every key


class SaleKeys(NamedTuple):
    partition: int
    sale: bytes  # hash: ident, epoch, state, avail, limit, given, starts_ms, ends_ms
    by: bytes  # hash: shopper (16 bytes) → units held or asked for
    journal: bytes  # hash: order id (16 bytes) → admitted and not yet decided intent, see `checkout_core.journal`


class RoomKeys(NamedTuple):
    """Of a sale's waiting room; beside the gate's, so that a script sees both."""

    partition: int
    sale: bytes
    by: bytes
    line: bytes  # zset: shopper → arrival
    seen: bytes  # zset: shopper → milliseconds
    turns: bytes  # zset: shopper → milliseconds
    passed: bytes  # zset: shopper → milliseconds
    room: bytes  # hash: seq, issued, since_ms


def partition_of(sale: SaleKey) -> int:
    return crc32(sale.tenant_id.bytes + sale.sale_id.bytes) % PARTITIONS


def tag(partition: int) -> str:
    """The hash tag: what a cluster computes the slot from."""
    return f"{{p{partition:02d}}}"


def sale_of(name: bytes) -> SaleKey | None:
    """The sale a key belongs to; None when it belongs to none. `PATTERN` finds such keys."""
    if found := _NAME.fullmatch(name):
        return SaleKey(UUID(found[1].decode()), UUID(found[2].decode()))
    return None


def partition_of_text(text: str) -> int:
    return crc32(text.encode()) % PARTITIONS


def limit(partition: int, name: str, who: str) -> bytes:
    """A bucket. Who holds it may be of any length, and be a mail that is nobody's business: its hash will do."""
    return f"{tag(partition)}:limit:{name}:{blake2b(who.encode(), digest_size=12).hexdigest()}".encode()


@lru_cache(maxsize=4096)
def of(sale: SaleKey) -> SaleKeys:
    partition = partition_of(sale)
    of_sale = f"{sale.tenant_id.hex}:{sale.sale_id.hex}"
    return SaleKeys(partition, *(f"{tag(partition)}:{noun}:{of_sale}".encode() for noun in NOUNS))


@lru_cache(maxsize=1024)
def room_of(sale: SaleKey) -> RoomKeys:
    names = of(sale)
    start, of_sale = f"{tag(names.partition)}:", f":{sale.tenant_id.hex}:{sale.sale_id.hex}"
    own = [f"{start}{noun}{of_sale}".encode() for noun in ("line", "seen", "turns", "passed", "room")]
    return RoomKeys(names.partition, names.sale, names.by, *own)
