"""A folder for each run, so that two demonstrations never meet, and the data of an ended one goes when the next begins."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tessera.embedded import servers

PREFIX = "run-"


@contextmanager
def fresh(root: Path) -> Iterator[Path]:
    """A new folder below `root`, held by this process. What earlier runs left is removed, unless they still run."""
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    with open(root / "lock", "a") as doorway:
        # One at a time sweeps and enters, else a sweep could take a folder its owner has not locked yet.
        fcntl.flock(doorway, fcntl.LOCK_EX)
        sweep(root)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root)).absolute()
        folder.chmod(0o755)  # the servers may run as somebody else; what is secret in it has modes of its own
        held = hold(folder)
        assert held is not None
    with held:
        yield folder


def sweep(root: Path) -> None:
    """Remove the folders of runs that have ended, however they ended."""
    for folder in root.glob(f"{PREFIX}*"):
        if (held := hold(folder)) is not None:
            with held:
                clear(folder)


def clear(folder: Path) -> None:
    """Remove all that a run left."""
    servers.remove(folder / "servers")
    shutil.rmtree(folder, ignore_errors=True)


def hold(folder: Path) -> TextIO | None:
    """The lock of a run's folder, or None while another process has it."""
    lock = open(folder / "lock", "a")  # noqa: SIM115 - given to the caller
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
