"""An event loop whose clock jumps: nothing is waited for, everything happens in an order that the seed decides.

What belongs to a simulated process carries its name in the context of each callback; so a process can be killed or stopped between any
two steps, as by SIGKILL and SIGSTOP: what it would have done next does not happen, or happens later with an old view of the world.
"""

import asyncio
import contextvars
import gc
import heapq
import os
import random
import time
from asyncio import events
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

STEPS_MAX: Final = 2_000_000  # callbacks of one seed; some thousands are usual
EPOCH_S: Final = 1_900_000_000.0  # what the clocks of the simulated machines say at its start, Unix seconds

_owner: contextvars.ContextVar["Proc | None"] = contextvars.ContextVar("owner", default=None)


class Stalled(Exception):
    """Nothing is left to happen, or it never ends."""


class Proc:
    """A simulated process. `on_kill` are what the kernel would do for it: close its sockets."""

    def __init__(self, name: str, loop: "Loop") -> None:
        self.name = name
        self.loop = loop
        self.alive = True
        self.stopped = False
        self.kept: list[events.Handle] = []  # what it does when it is continued
        self.on_kill: list[Callable[[], None]] = []
        self.context = contextvars.copy_context()
        self.context.run(_owner.set, self)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Start a task of this process."""
        return self.loop.create_task(work, context=self.context.copy())

    def kill(self) -> None:
        self.alive = False
        self.kept.clear()
        for close in self.on_kill:
            close()

    def stop(self) -> None:
        self.stopped = True

    def go_on(self) -> None:
        self.stopped = False
        self.loop._ready.extend(self.kept)  # type: ignore[attr-defined]
        self.kept.clear()


def owner() -> Proc | None:
    """The process whose code is running."""
    return _owner.get()


class Loop(asyncio.BaseEventLoop):
    """Virtual time; no sockets but those that `connect` makes."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self.steps = 0
        self.tasks: list[asyncio.Task[Any]] = []  # also those of the dead: what nobody holds would run its `finally` blocks
        self.connect: Callable[[Callable[[], asyncio.Protocol], str], Coroutine[Any, Any, None]] | None = None
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        return self._now

    async def create_unix_connection(self, protocol_factory: Any, path: Any = None, **_: Any) -> Any:
        assert self.connect is not None
        await self.connect(protocol_factory, path)

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        task = asyncio.Task(work, loop=loop, **kwargs)
        self.tasks.append(task)
        return task

    def _write_to_self(self) -> None: ...

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not ready:
            if not scheduled:
                raise Stalled("nothing is left to happen")
            self._now = max(self._now, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= self._now:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        self.steps += len(ready)
        if self.steps > STEPS_MAX:
            raise Stalled(f"no end after {STEPS_MAX} steps, at {self._now:.3f} s")
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            proc: Proc | None = handle._context.get(_owner)
            if proc is not None:
                if not proc.alive:
                    continue
                if proc.stopped:
                    proc.kept.append(handle)
                    continue
            handle._run()

    def bury(self) -> None:
        """End what has not ended. The world is over; what the dead would still say or do is nobody's business."""
        for task in self.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                for _ in range(20):
                    try:
                        task.get_coro().throw(asyncio.CancelledError())  # type: ignore[union-attr]
                    except BaseException:  # whatever it wanted to say
                        break
        self.tasks.clear()
        self._ready.clear()  # type: ignore[attr-defined]
        self._scheduled.clear()  # type: ignore[attr-defined]
        self.close()


@contextmanager
def virtual(seed: int) -> Iterator[Loop]:
    """A loop, with the clocks and the dice of this interpreter in its hands until the end."""
    loop = Loop()
    dice = random.Random(f"os {seed}")
    before = (time.monotonic, time.time, time.time_ns, time.perf_counter, os.urandom)
    state = random.getstate()
    collecting = gc.isenabled()
    random.seed(seed)
    # The collector would end abandoned coroutines at moments that no seed decides.
    gc.disable()
    time.monotonic = time.perf_counter = loop.time
    time.time = lambda: EPOCH_S + loop.time()
    time.time_ns = lambda: int((EPOCH_S + loop.time()) * 1e9)
    os.urandom = dice.randbytes
    try:
        yield loop
    finally:
        loop.bury()
        time.monotonic, time.time, time.time_ns, time.perf_counter, os.urandom = before
        random.setstate(state)
        if collecting:
            gc.enable()
