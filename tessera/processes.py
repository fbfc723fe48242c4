"""Our own processes as children: API, workers, and whatever else a local shop needs. They end with their parent.

with Processes(folder, environ) as processes:
    processes.run("api-1", "api", "--port", "8001", port=8001)
    processes.wait_ready()
"""

import http.client
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tessera.keeper import Keepers

HOST = "127.0.0.1"
LISTENING = "0A"  # a socket's state in /proc/net/tcp
SETTLED_S = 0.5  # a process without a port counts as up when it has lived so long
LOWEST_PORT = 15_000


class Processes(Keepers):
    """Children that share a log folder and an environment. One that dies is started again."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        super().__init__()
        self.folder = folder
        self._environ = environ
        folder.mkdir(parents=True, exist_ok=True)

    def run(
        self,
        name: str,
        *arguments: str,
        port: int | None = None,
        path: str = "/readyz",
        module: str = "tessera",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Start `python -m MODULE ARGUMENT…`, with its log at `<folder>/<name>.log`; `wait_ready` waits for it.

        The log begins anew, and goes on when the process is started again. With a `port` it is ready when it listens there itself
        and `path` is answered with 200. `environ` is added to the children's environment for this one.
        """
        command = [sys.executable, "-m", module, *arguments]
        self.log(name).unlink(missing_ok=True)
        self.keep(Process(name, command, self.log(name), {**self._environ, **(environ or {})}, port, path))

    def log(self, name: str) -> Path:
        """The file with what a child printed."""
        return self.folder / f"{name}.log"


@dataclass
class Process:
    """One child, as a keeper wants it described."""

    name: str
    arguments: list[str]
    log: Path
    environ: Mapping[str, str]
    port: int | None = None
    path: str = "/readyz"
    runs_as: str = "same"
    stop_signal: signal.Signals = signal.SIGTERM
    cwd: Path = field(default_factory=Path.cwd)
    _began: float = field(default=0.0, init=False)

    def prepare(self) -> None:
        self._began = time.monotonic()

    def command(self) -> list[str]:
        return self.arguments

    def is_ready(self, pid: int) -> bool:
        if self.port is None:
            return time.monotonic() - self._began > SETTLED_S
        # Several may share a port (SO_REUSEPORT), so an answer alone could be a sibling's.
        return listens(pid, self.port) and answers(self.port, self.path)


def listens(pid: int, port: int) -> bool:
    """Whether this very process listens on a TCP port."""
    try:
        tables = [Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
        files = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it has just ended
        return False
    rows = [row.split() for table in tables for row in table]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port}
    for file in files:
        with suppress(OSError):  # closed meanwhile
            if os.readlink(file) in sockets:
                return True
    return False


def answers(port: int, path: str) -> bool:
    """Whether GET `path` is answered with 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """A TCP port nobody has.

    It lies below those the kernel hands to outgoing connections: a load generator opens thousands of these, and one of them would
    sooner or later hold the port of a process that is being restarted.
    """
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(1000):
        port = random.randint(LOWEST_PORT, max(lowest_outgoing, LOWEST_PORT + 5_000) - 1)  # noqa: S311 - no secret
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise OSError("no free port found")
