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
from typing import Protocol

LAUNCHER = Path(__file__).with_name("launch.py")
PAUSE_S = 0.25  # between attempts: a predecessor's lock file may outlive it for a second or two
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

    def stop(self, sig: signal.Signals | None = None) -> None:
        """End the process and keep it down until `resume`."""
        with self._changed:
            self._wanted = False
            self._ready = False
            process = self._process
            if process is not None:
                process.send_signal(sig or self.service.stop_signal)
        if process is not None:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def resume(self) -> None:
        with self._changed:
            self._wanted = True
            self._failing_since = None
            self._changed.notify_all()

    def close(self) -> None:
        """End the process for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.stop()
        if self._thread.is_alive():
            self._thread.join()

    # Its own thread

    def _run(self) -> None:
        while self._wait_until_wanted():
            if not self._live_once():
                time.sleep(PAUSE_S)

    def _wait_until_wanted(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._closed)
            return not self._closed

    def _live_once(self) -> bool:
        """One life of the process, from start to end. False when it never became ready."""
        try:
            self.service.prepare()
            process = self._spawn()
        except (OSError, subprocess.SubprocessError, NotReady) as problem:
            self._note_failure(str(problem))
            return False
        became_ready = self._watch_until_ready(process)
        code = process.wait()
        with self._changed:
            self._process = None
            self._ready = False
            self._changed.notify_all()
        if not became_ready:
            self._note_failure(f"It ended with code {code}.")
        return became_ready

    def _spawn(self) -> subprocess.Popen[bytes]:
        service = self.service
        with open(service.log, "ab") as log:
            process = subprocess.Popen(
                launched(service.command(), death_signal=service.stop_signal, runs_as=service.runs_as),
                # A session of its own: Ctrl-C in a terminal reaches the parent only, which ends its children in order.
                start_new_session=True,
                cwd="/",
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
