"""How late this process itself is. That is part of every latency it measures, so it is looked at all the time and told apart."""

import time
from threading import Thread
from time import perf_counter
from typing import Any

from locust import events

from loadtests.locust.running import REHEARSAL

BEAT_S = 0.02


def beat() -> None:
    """Sleep a little, again and again: by what it overslept, anybody else who was due then was late too."""
    while not REHEARSAL.is_over:
        began = perf_counter()
        time.sleep(BEAT_S)
        if time.time() >= REHEARSAL.first_due:
            REHEARSAL.notes.lag.append(max(0.0, (perf_counter() - began - BEAT_S) * 1000))


def start(**_: Any) -> None:
    Thread(target=beat, daemon=True).start()  # a light one, as Locust has made all threads here


events.test_start.add_listener(start)  # type: ignore[no-untyped-call]  # Locust leaves it without types
