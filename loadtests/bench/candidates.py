"""Which settings are tried, and what against: a table. What is chosen is said in `tessera/embedded` and `tenants.db.PLANNING`."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

Values = Mapping[str, str]


class Where(Enum):
    """Who has a setting, and how it gets another value."""

    POSTGRES = "Postgres"  # ALTER SYSTEM and a reload, which sessions that are open hear too
    POSTGRES_START = "Postgres, at its start"  # ALTER SYSTEM and a restart
    VALKEY = "Valkey"  # CONFIG SET
    SESSION = "Postgres, of a session"  # another API process, which opens its sessions otherwise


class Candidate(NamedTuple):
    """`others` are tried one by one instead of what is chosen, each with what it needs.

    `kept` says why speed does not choose; without it the figures do.
    """

    name: str
    where: Where
    others: tuple[Values, ...]
    kept: str = ""

    def label(self, other: Values) -> str:
        """The other value, and by their names the values it needs."""
        return ", ".join(value or "none" if name == self.name else f"{name} {value or 'none'}" for name, value in other.items())

    @property
    def names(self) -> list[str]:
        return sorted({name for other in self.others for name in other})


def one(name: str, where: Where, *values: str, kept: str = "", **needs: str) -> Candidate:
    return Candidate(name, where, tuple({name: value, **needs} for value in values), kept)


TRIED: Final = (
    one("synchronous_commit", Where.POSTGRES, "off", kept="a 201 promises that the order is on the disk"),
    one("full_page_writes", Where.POSTGRES, "off", kept="a page torn by a crash could not be made whole"),
    one("wal_sync_method", Where.POSTGRES, "open_datasync", "fsync"),
    one("wal_compression", Where.POSTGRES, "pglz"),
    one("commit_delay", Where.POSTGRES, "200", commit_siblings="1"),
    one("jit", Where.POSTGRES, "on"),
    one("autovacuum_naptime", Where.POSTGRES, "1s"),
    one("pg_stat_statements.track", Where.POSTGRES, "none", kept="who looks for what is slow needs it"),
    one("track_activities", Where.POSTGRES, "off", kept="who looks for what waits needs it"),
    one("track_io_timing", Where.POSTGRES, "on", track_wal_io_timing="on"),
    one("shared_buffers", Where.POSTGRES_START, "128MB", "1GB"),
    one("wal_buffers", Where.POSTGRES_START, "1MB", "64MB"),
    one("io_method", Where.POSTGRES_START, "sync"),
    one("wal_level", Where.POSTGRES_START, "minimal", max_wal_senders="0", kept="replicas and archives need it"),
    one("plan_cache_mode", Where.SESSION, "auto"),
    one("enable_seqscan", Where.SESSION, "on", kept="a plan made while a table was small must be right when it is large"),
    one("enable_bitmapscan", Where.SESSION, "on", kept="the same: without statistics all units of a sale are read and sorted"),
    one("appendfsync", Where.VALKEY, "always", "no", kept="what is lost is counted anew in Postgres, so a second is enough"),
    one("appendonly", Where.VALKEY, "no", kept="a Valkey that comes back empty closes every gate until it is counted anew"),
    one("aof-timestamp-enabled", Where.VALKEY, "no"),
    one("io-threads", Where.VALKEY, "2"),
    one("activerehashing", Where.VALKEY, "no"),
    one("hz", Where.VALKEY, "100"),
    one("hash-max-listpack-entries", Where.VALKEY, "0", "64"),
    one("lazyfree-lazy-user-del", Where.VALKEY, "no"),
    one("latency-tracking", Where.VALKEY, "no"),
)  # fmt: skip
UNTRIED: Final = {
    "fsync": "without it nothing is durable",
    "maxmemory-policy": "`noeviction`, since a counter that vanishes would be stock from nowhere",
    # Tried once, and counted: what these are about did not happen in most of the presses, so the ratios said nothing of it.
    "max_wal_size": "a press writes 8 to 15 MB of WAL, and with 32MB a checkpoint came in one of two; as for `checkpoint_timeout`",
    "wal_recycle": "no press made a segment, since those laid out beforehand sufficed; as for `wal_init_zero`",
    "auto-aof-rewrite-min-size": "`256mb`: a press is too short to meet a rewriting; measured with the core alone (P1)",
    "huge_pages": "`try`, so Postgres takes those a machine has set aside; this one has none",
    "fillfactor": "the schema sets none, and no autovacuum of single tables",
}
