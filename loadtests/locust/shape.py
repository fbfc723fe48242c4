"""How many people are at the store at the same time. When they come is the plan's affair; this ends the run when all have gone."""

import time

from locust import LoadTestShape

from loadtests.locust.running import REHEARSAL

SPAWN_S = 4.0  # to have all hands ready


class Rehearsed(LoadTestShape):
    """All hands from the beginning, each waiting for somebody's moment."""

    def tick(self) -> tuple[int, float] | None:
        settings = REHEARSAL.settings
        if REHEARSAL.is_over or time.time() > REHEARSAL.last_due + settings.patience:
            return None
        return settings.hands, settings.hands / SPAWN_S
