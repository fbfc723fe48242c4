"""How often those who look on are to ask: the more there are the seldomer, so that all of them together cost a process the same."""

import time
from collections.abc import Callable

ASKS_PER_S = 50.0  # of a process; what they cost it is in docs/storefront.md
AGAIN_S_MIN, AGAIN_S_MAX = 4.0, 60.0


class Pace:
    """How long viewers are to wait: in a window as long as that each of them asks once, so what was asked in it is how many there are."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked = 0
        self._begun = clock()
        self.again_s = AGAIN_S_MIN

    def asked(self) -> float:
        """One more has asked; the seconds after which he may again."""
        now = self._clock()
        over_s = now - self._begun
        if over_s >= self.again_s:
            viewers = self._asked * self.again_s / over_s
            self.again_s = min(max(viewers / ASKS_PER_S, AGAIN_S_MIN), AGAIN_S_MAX)
            self._asked, self._begun = 0, now
        elif self._asked >= 2 * ASKS_PER_S * self.again_s:
            # Twice as many as there should be, before the window is over: a crowd has come.
            self.again_s = min(2 * self.again_s, AGAIN_S_MAX)
        self._asked += 1
        return self.again_s
