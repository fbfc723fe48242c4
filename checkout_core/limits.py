"""Buckets of tokens in Redis, exact for all processes together: one round trip for all buckets of a request."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from checkout_core import keys, scripts
from checkout_core.partitions import Partitions
from checkout_core.scripts import Script

TAKE: Final = Script.of(scripts.read("take"))


class Bucket(NamedTuple):
    """`who` holds it, `quota` at once; empty, it is full again after `window_s`."""

    name: str
    who: str
    quota: int
    window_s: float


class Level(NamedTuple):
    """What is in a bucket: whole tokens, the seconds until it is full, and those until a token can be taken."""

    left: int
    full_s: float
    wait_s: float


class Limiter:
    """Takes from buckets. All those of one call live together, with what is named by `home`: a tenant, an address."""

    def __init__(self, partitions: Partitions) -> None:
        self._partitions = partitions

    async def take(self, home: str, buckets: Sequence[Bucket]) -> tuple[bool, list[Level]]:
        """Whether a token of each was taken, or of none; and what is in each now.

        Raises `Closed` when none was, `Unknown` when they may have been.
        """
        partition = keys.partition_of_text(home)
        names = [keys.limit(partition, bucket.name, bucket.who) for bucket in buckets]
        terms = [part for bucket in buckets for part in (bucket.quota, round(bucket.window_s * 1_000_000))]
        taken, *numbers = await scripts.run(self._partitions.link(partition), TAKE, names, terms)
        levels = [Level(left, full_us / 1e6, wait_us / 1e6) for left, full_us, wait_us in zip(*[iter(numbers)] * 3, strict=True)]
        return taken == 1, levels
