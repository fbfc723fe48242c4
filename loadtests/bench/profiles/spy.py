"""Which Python functions a process is in, by py-spy: perf sees the interpreter, not whom it interprets.

What is compiled has no Python frame, and counts as the function that called it; what the event loop calls directly, as the loop.
"""

import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from loadtests.bench.profiles.perf import END_S, NotHere

HERTZ: Final = 500
TOP: Final = 15
OURS: Final = ("api", "checkout_core", "tenants", "workers", "tessera", "loadtests")
LOOP: Final = "the event loop, sockets, compiled parts"
NAMED_TUPLE: Final = "namedtuple"
OTHER_THREAD: Final = "Thread._bootstrap"
_FRAME: Final = re.compile(r"^(?P<function>.+) \((?P<file>[^()]+?)(:\d+)?\)$")


def ensure() -> str:
    """Where it is. Raises `NotHere`."""
    beside = Path(sys.executable).with_name("py-spy")
    if found := shutil.which("py-spy") or (str(beside) if beside.exists() else None):
        return found
    raise NotHere("py-spy is not installed: pip install py-spy, into any environment on the PATH")


class Spy:
    """Looks at one process while entered; its `text` is there afterwards. Stopping for each look costs the process some speed."""

    def __init__(self, folder: Path, pid: int) -> None:
        self._file = folder / "api.spy"
        self._line = [ensure(), "record", "--pid", str(pid), "--rate", str(HERTZ), "--format", "raw", "--output", str(self._file)]

    def __enter__(self) -> Self:
        self._running = subprocess.Popen(self._line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._running.send_signal(signal.SIGINT)
        said = self._running.communicate(timeout=END_S)[1]
        if kind is None and not self._file.exists():
            raise NotHere(f"py-spy wrote nothing: {' '.join(said.split())[-200:]}")

    @property
    def text(self) -> str:
        return self._file.read_text(encoding="utf-8")


def name_of(frame: str) -> str:
    """`api.gate:Gate.data_received` of our own functions; of others' the package alone. Frames are as py-spy's raw format has them."""
    if not (match := _FRAME.match(frame)):
        return frame
    file, function = match["file"], match["function"]
    if function == "Runner.run":
        return LOOP
    if file == "<string>":  # where the standard library compiles what it writes
        return NAMED_TUPLE
    package = file.strip("<>").removeprefix("frozen ").partition("/")[0].removesuffix(".py")
    return f"{file.removesuffix('.py').replace('/', '.')}:{function}" if package in OURS else package


def fold(text: str, cpu_us: float) -> dict[str, Any]:
    """µs per answer of the functions (of others: packages) that were seen most, by themselves and with those they call.

    Only the main thread is counted: py-spy takes the others for busy while they wait for work.
    """
    own: Counter[str] = Counter()
    inclusive: Counter[str] = Counter()
    for line in text.splitlines():
        frames, _, count = line.rpartition(" ")
        if frames.startswith(OTHER_THREAD):
            continue
        names = [name_of(frame) for frame in frames.split(";")]
        own[names[-1]] += int(count)
        for name in set(names):
            inclusive[name] += int(count)
    each = cpu_us / max(1, own.total())
    functions = {
        name: {"self_us": round(n * each, 2), "inclusive_us": round(inclusive[name] * each, 2)} for name, n in own.most_common(TOP)
    }
    return {"samples": own.total(), "cpu_us": cpu_us, "functions": functions}
