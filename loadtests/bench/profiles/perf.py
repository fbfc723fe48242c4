"""Samples of running processes by Linux perf: started before a press, ended after it, read back as text."""

import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from loadtests.loader import cpu

HERTZ: Final = 1999  # odd, so that nothing that ticks with the clock is always or never seen
# Virtual machines seldom have the counters of the processor; this one is the kernel's timer, which runs while the process does.
EVENT: Final = "cpu-clock"
END_S: Final = 30


class NotHere(Exception):
    """A tool is missing or may not do its work. The message says what to do."""


def ensure() -> None:
    """Raises `NotHere` unless processes and the kernel below them can be sampled."""
    if not shutil.which("perf"):
        raise NotHere("perf is not installed: apt-get install linux-perf (Debian), linux-tools-generic (Ubuntu), perf (Fedora, Arch)")
    tried = subprocess.run(
        ["perf", "record", "-q", "-e", f"{EVENT}:k", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        words = " ".join(tried.stderr.split())[:200]
        raise NotHere(f"perf may not look into the kernel: be root, or set kernel.perf_event_paranoid to 1 ({words})")


class Samples:
    """Samples each of the named processes, with all below it, while entered; text by name afterwards. One file for each in `folder`."""

    def __init__(self, folder: Path, pids: Mapping[str, Iterable[int]]) -> None:
        self._files = {name: folder / f"{name}.perf" for name in pids}
        self._pids = {name: [each for pid in roots for each in below(pid)] for name, roots in pids.items()}
        self._running: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        for name, file in self._files.items():
            pids = ",".join(map(str, self._pids[name]))
            line = ["perf", "record", "-q", "-e", EVENT, "-F", str(HERTZ), "-g", "-p", pids, "-o", str(file)]
            self._running.append(subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._running:
            process.send_signal(signal.SIGINT)
        said = [process.communicate(timeout=END_S)[1] for process in self._running]
        if kind is None and (missing := [file for file in self._files.values() if not file.exists()]):
            raise NotHere(f"perf wrote no {missing[0].name}: {' '.join(' '.join(said).split())[:200]}")

    def text(self, name: str) -> str:
        """Every sample of that process, as `layers.stacks_of` reads it."""
        line = ["perf", "script", "-i", str(self._files[name]), "--no-inline", "-F", "comm,tid,ip,sym,dso"]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout


def below(pid: int) -> list[int]:
    """That process and its descendants."""
    return [pid] + [each for child in cpu.children(pid) for each in below(child)]
