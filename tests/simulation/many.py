"""Many seeds, on several processes."""

import multiprocessing
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from tests.simulation import plan
from tests.simulation.play import play

CHUNK: Final = 25
CHUNKS_MAX: Final = 40  # of one process: what abandoned coroutines leave behind is then given back


class Verdict(NamedTuple):
    seed: int
    violations: list[str]
    answers: dict[str, int]
    steps: int
    fingerprint: str


def chunk(seeds: range, faults: Sequence[str] = plan.FAULTS) -> list[Verdict]:
    found = []
    for seed in seeds:
        outcome = play(plan.make(seed, faults))
        found.append(Verdict(seed, outcome.violations, outcome.answers, outcome.steps, outcome.fingerprint))
    return found


def play_all(first: int, count: int, processes: int, faults: Sequence[str]) -> Iterator[Verdict]:
    """In the order of the seeds."""
    chunks = [range(start, min(start + CHUNK, first + count)) for start in range(first, first + count, CHUNK)]
    if processes == 1:
        for seeds in chunks:
            yield from chunk(seeds, faults)
        return
    with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=CHUNKS_MAX) as pool:
        for found in pool.imap(partial(chunk, faults=faults), chunks):
            yield from found
