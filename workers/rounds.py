"""What a worker does again and again, past the sweep: a round that fails is logged, and the next one comes all the same."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

log = logging.getLogger(__name__)


class Round(NamedTuple):
    """`work` each `every_s`, the first time after `first_s`. What it answers, if anything, is logged."""

    name: str
    work: Callable[[], Awaitable[object]]
    every_s: float
    first_s: float = 0.0


async def go(each: Round) -> None:
    """Go on until cancelled."""
    await asyncio.sleep(_about(each.first_s))
    while True:
        await once(each)
        await asyncio.sleep(_about(each.every_s))


async def once(each: Round) -> None:
    try:
        if done := await each.work():
            log.info("%s: %s", each.name, done)
    except Exception as error:
        log.warning("%s failed and is tried again: %s: %s", each.name, type(error).__name__, error)


def _about(seconds: float) -> float:
    """So that workers that were started together do not work together."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311  jitter, not a secret
