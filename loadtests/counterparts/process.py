"""What counterparts have in common as processes: how they end, and whom they do not outlive."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator

import uvicorn

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """End with the process that started this one (Linux: with the thread that did)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:
            sys.exit("The parent process is gone.")


class Server(uvicorn.Server):
    """uvicorn's own handler raises the signal again once it is done, which would end the process before the books are closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.handle_exit, number, None)
        yield
