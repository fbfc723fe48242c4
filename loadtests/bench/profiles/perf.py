"""Samples of running processes by Linux perf: started before a press, ended after it, read back as text."""

import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from loadtests.loader import cpu

HERTZ: Final = 997  # prime, so that nothing that ticks with the clock is always or never seen; more often costs throughput
# Virtual machines seldom have the counters of the processor; this one is the kernel's timer.
EVENT: Final = "cpu-clock"
RECORD: Final = ("perf", "record", "-q", "-a", "-e", EVENT, "-F", str(HERTZ), "-g")
END_S: Final = 30


class NotHere(Exception):
    """A tool is missing or may not do its work. The message says what to do."""


def ensure() -> None:
    """Raises `NotHere` unless all processes and the kernel below them can be sampled."""
    if not shutil.which("perf"):
        raise NotHere("perf is not installed: apt-get install linux-perf (Debian), linux-tools-generic (Ubuntu), perf (Fedora, Arch)")
    tried = subprocess.run([*RECORD, "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        words = " ".join(tried.stderr.split())[:200]
        raise NotHere(f"perf may not look into all processes and the kernel: be root, or set kernel.perf_event_paranoid to -1 ({words})")


class Samples:
    """Samples of each of the named processes, with all below it, while entered; their text by name afterwards. `folder` takes the file.

    All that runs is sampled and the others are left out when it is read: a counter for each process would be stopped and started
    whenever the processor turns to another one, and reservations are made by three of them in turns.
    """

    def __init__(self, folder: Path, pids: Mapping[str, Iterable[int]]) -> None:
        self._file = folder / "samples.perf"
        self._roots = {name: list(roots) for name, roots in pids.items()}
        self._pids: dict[str, set[int]] = {name: set() for name in pids}

    def __enter__(self) -> Self:
        self._file.unlink(missing_ok=True)
        self._note()
        self._running = subprocess.Popen([*RECORD, "-o", str(self._file)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._note()
        self._running.send_signal(signal.SIGINT)
        said = self._running.communicate(timeout=END_S)[1]
        if kind is None and not self._file.exists():
            raise NotHere(f"perf wrote nothing: {' '.join(said.split())[:200]}")

    def text(self, name: str) -> str:
        """Every sample of that process, as `layers.stacks_of` reads it."""
        pids = ",".join(map(str, sorted(self._pids[name])))
        line = ["perf", "script", "-i", str(self._file), "--pid", pids, "--no-inline", "-F", "comm,tid,ip,sym,dso"]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout

    def _note(self) -> None:
        """Postgres may start processes meanwhile, and end some."""
        for name, roots in self._roots.items():
            self._pids[name].update(each for pid in roots for each in below(pid))


def below(pid: int) -> list[int]:
    """That process and its descendants."""
    return [pid] + [each for child in cpu.children(pid) for each in below(child)]
