"""A keeper starts one process, waits until it is ready, and starts it again whenever it dies uncalled.

The death signal a child asks for (`launch.py`) is bound to the *thread* that forked it. So each keeper is one thread that
forks, waits and forks again, and lives as long as the process it keeps may live.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

LAUNCHER = Path(__file__).with_name("launch.py")
PAUSE_S = 0.25  # after a life that was short: a predecessor's lock file may outlive it for a second or two
SHORT_S = 1.0
GIVE_UP_S = 8.0  # of attempts that all end early; then whoever waits is told, and the keeper goes on trying
STOP_S = 20.0  # for a graceful end, before SIGKILL


class NotReady(Exception):
    """A process did not come up; the message ends with the tail of its log."""


class Service(Protocol):
    """What a keeper keeps. `prepare` and `is_ready` are called from the keeper's thread and may block for a moment."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def stop_signal(self) -> signal.Signals: ...
    @property
    def runs_as(self) -> str: ...
    @property
    def cwd(self) -> Path: ...
    @property
    def environ(self) -> Mapping[str, str]: ...
    def prepare(self) -> None: ...
    def command(self) -> list[str]: ...
    def is_ready(self, pid: int) -> bool: ...


def launched(command: list[str], *, death_signal: signal.Signals = signal.SIGTERM, runs_as: str = "same") -> list[str]:
    """The command line that runs `command` as `runs_as` and ends it when the calling thread ends."""
    return [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(death_signal)), runs_as, *command]


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"


class Keeper:
    """Keeps one service alive. All methods may be called from any thread."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._changed = threading.Condition()
        self._wanted = True
        self._closed = False
        self._ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._doomed: subprocess.Popen[bytes] | None = None  # was sent a signal to die of; never ready again
        self._failing_since: float | None = None
        self._problem = ""
        self.starts = 0
        self._thread = threading.Thread(target=self._run, name=f"keeper of {service.name}", daemon=True)

    # What others ask of it

    def start(self) -> None:
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The process id, None while there is none."""
        process = self._process
        return process.pid if process is not None else None

    @property
    def is_ready(self) -> bool:
        return self._ready

    def wait_ready(self, timeout_s: float = 120.0) -> None:
        """Return when the process answers. Raises NotReady when it keeps ending early, or after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._ready:
                now = time.monotonic()
                failing = self._failing_since is not None and now - self._failing_since > GIVE_UP_S
                if failing or now > deadline or self._closed:
                    raise NotReady(f"{self.service.name} does not come up. {self._problem}\n{tail(self.service.log)}")
                self._changed.wait(min(1.0, deadline - now + 0.01))

    def kill(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal the process is expected to die of; the keeper starts it again. `wait_ready` waits for the new one."""
        with self._changed:
            self._doomed = process = self._process
            self._ready = False
            if process is not None:
                process.send_signal(sig)
        if process is not None:
            process.wait(STOP_S)

    def stop(self) -> None:
        """End the process and keep it down until `resume`."""
        self._ask_to_stop()
        self._await_the_end()

    def resume(self) -> None:
        with self._changed:
            self._wanted = True
            self._failing_since = None
            self._changed.notify_all()

    def ask_to_close(self) -> None:
        """Begin to end the process for good; `close` waits for it. So that many may end at the same time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._ask_to_stop()

    def close(self) -> None:
        """End the process for good."""
        self.ask_to_close()
        while self._thread.is_alive():
            self._await_the_end()
            self._thread.join(0.05)

    def _ask_to_stop(self) -> None:
        with self._changed:
            already, self._wanted = not self._wanted, False
            self._ready = False
            if self._process is not None and not already:
                self._process.send_signal(self.service.stop_signal)

    def _await_the_end(self) -> None:
        process = self._process
        if process is not None:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # Its own thread

    def _run(self) -> None:
        while self._wait_until_wanted():
            began = time.monotonic()
            self._live_once()
            if time.monotonic() - began < SHORT_S:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, PAUSE_S)

    def _wait_until_wanted(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._closed)
            return not self._closed

    def _live_once(self) -> None:
        """One life of the process, from start to end."""
        try:
            self.service.prepare()
            process = self._spawn()
        except (OSError, subprocess.SubprocessError, NotReady) as problem:
            self._note_failure(str(problem))
            return
        became_ready = self._watch_until_ready(process)
        code = process.wait()
        with self._changed:
            self._process = None
            self._ready = False
            self._changed.notify_all()
        if not became_ready:
            self._note_failure(f"It ended with code {code}.")

    def _spawn(self) -> subprocess.Popen[bytes]:
        service = self.service
        with open(service.log, "ab") as log:
            process = subprocess.Popen(
                launched(service.command(), death_signal=service.stop_signal, runs_as=service.runs_as),
                # A session of its own: Ctrl-C in a terminal reaches the parent only, which ends its children in order.
                start_new_session=True,
                cwd=service.cwd,
                env=dict(service.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        with self._changed:
            self._process = process
            self.starts += 1
            if not self._wanted:
                process.send_signal(service.stop_signal)
        return process

    def _watch_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        while process.poll() is None:
            if self.service.is_ready(process.pid):
                with self._changed:
                    self._ready = self._wanted and process is not self._doomed
                    self._failing_since = None
                    self._changed.notify_all()
                return True
            time.sleep(0.01)
        return False

    def _note_failure(self, problem: str) -> None:
        with self._changed:
            self._problem = problem
            if self._failing_since is None:
                self._failing_since = time.monotonic()
            self._changed.notify_all()


class Keepers:
    """Several kept processes, by name. A context manager: all end with the block, at the same time."""

    def __init__(self) -> None:
        self._keepers: dict[str, Keeper] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def keep(self, service: Service) -> None:
        """Start a service; `wait_ready` waits for it."""
        if service.name in self._keepers:
            raise ValueError(f"there is a {service.name} already")
        self._keepers[service.name] = keeper = Keeper(service)
        keeper.start()

    @property
    def pids(self) -> dict[str, int | None]:
        """Process ids by name, None while one is down."""
        return {name: keeper.pid for name, keeper in self._keepers.items()}

    def wait_ready(self, *names: str) -> None:
        """Return when these, or all when none is named, answer. Raises NotReady."""
        for name in names or tuple(self._keepers):
            self._keepers[name].wait_ready()

    def kill(self, name: str, sig: signal.Signals = signal.SIGKILL) -> None:
        """Kill one; it is dead when this returns, and comes back by itself. See `wait_ready`."""
        self._keepers[name].kill(sig)

    def stop(self, name: str) -> None:
        """End one gracefully and leave it down until `resume`."""
        self._keepers[name].stop()

    def resume(self, name: str) -> None:
        """Bring a stopped one back, and wait for it."""
        self._keepers[name].resume()
        self._keepers[name].wait_ready()

    def restart(self, name: str) -> None:
        """A graceful end and a new start."""
        self.stop(name)
        self.resume(name)

    def close(self) -> None:
        """End all, in order."""
        for keeper in self._keepers.values():
            keeper.ask_to_close()
        for keeper in self._keepers.values():
            keeper.close()
        self._keepers.clear()
