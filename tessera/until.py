"""Waiting for the word to stop."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Stop(BaseException):
    """Raised by a signal; no `except Exception` on the way catches it."""


@contextmanager
def until_signalled() -> Iterator[Callable[[], None]]:
    """Within the block SIGTERM and SIGINT end it in order, wherever it is; the value given blocks until one comes."""

    def stop(number: int, frame: object) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)  # the second Ctrl-C does not interrupt the tidying up
        raise _Stop

    before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield _wait
    except _Stop:
        pass
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _wait() -> None:
    while True:
        signal.pause()
