"""A circuit breaker: after a row of failures an account's provider is left alone for a while, then tried by one call."""

import time
from collections.abc import Callable

FAILURES_MAX = 5
REST_S = 2.0
REST_MAX_S = 60.0
PROBE_S = 10.0  # longer than any call may take


class Breaker:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._rest_s = REST_S
        self._shut_until = 0.0

    def allow(self) -> bool:
        """Whether a call may go out now. Once the rest is over this says yes to one call, the probe, until its outcome is told
        or `PROBE_S` has passed (a probe that was cancelled never tells)."""
        if self._failures < FAILURES_MAX:
            return True
        now = self._clock()
        if now < self._shut_until:
            return False
        self._shut_until = now + PROBE_S
        return True

    def succeeded(self) -> None:
        self._failures, self._rest_s = 0, REST_S

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_MAX:
            self._shut_until = self._clock() + self._rest_s
            self._rest_s = min(self._rest_s * 2, REST_MAX_S)

    @property
    def retry_after_s(self) -> int:
        return max(1, round(self._shut_until - self._clock()))
