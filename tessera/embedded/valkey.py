"""Valkey (or Redis 7) as a service for a keeper: an append-only file, a unix socket, nothing ever evicted."""

import os
import re
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tessera.embedded.identity import Identity

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "databases": "16",
    "maxmemory-policy": "noeviction",  # a counter that vanishes would be stock from nowhere
    "appendonly": "yes",
    "aof-timestamp-enabled": "yes",
    # To write the file anew forks in the middle of a rush. A wish is 160 bytes of it, so the default of 64 MB is 400,000 of them, and this
    # more than a million. `loadtests.bench.core`, four runs each: 273,000 wishes a second with 64 MB and 332,000 with 1 GB; before that, in
    # a slow minute, no difference.
    "auto-aof-rewrite-min-size": "256mb",
    "save": "",
    "daemonize": "no",
}
AOF_FOLDER = "appendonlydir"
# What a start says of a file that no later start can read either. A tail that was cut off is not among it: Valkey does without.
READY = b"Ready to accept connections"
UNREADABLE = re.compile(rb" # .*(reading the append only file|AOF manifest|RDB|rdb file|loading DB)|BUG REPORT START")


@dataclass
class Valkey:
    """`folder` gets the data and the log; `socket_folder` the socket. Without `fsync` the file is flushed when the kernel likes."""

    binary: Path
    folder: Path
    socket_folder: Path
    identity: Identity
    fsync: bool = True
    name: str = "valkey"
    stop_signal: signal.Signals = signal.SIGTERM
    cwd: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=lambda: {"PATH": os.defpath, "LC_ALL": "C.UTF-8"})
    _said: int | None = field(default=None, init=False)  # bytes of the log before the last start

    @property
    def runs_as(self) -> str:
        return self.identity.runs_as

    @property
    def data(self) -> Path:
        return self.folder / "valkey"

    @property
    def log(self) -> Path:
        return self.folder / "valkey.log"

    @property
    def socket_path(self) -> Path:
        return self.socket_folder / "valkey.sock"

    def url(self, database: int) -> str:
        return f"unix://{self.socket_path}?db={database}"

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._set_damage_aside()
        self.identity.give(self.data)
        self.socket_path.unlink(missing_ok=True)

    def _set_damage_aside(self) -> None:
        """A file that the last start could not read is kept under another name, and Valkey begins anew.

        Nothing in it is the truth: gates are counted anew in Postgres, and what a lost bell did not tell the sweep finds.
        """
        said, self._said = self._said, self.log.stat().st_size if self.log.exists() else 0
        if said is None or self._said <= said:
            return
        with self.log.open("rb") as log:
            log.seek(said)
            since = log.read()
        if UNREADABLE.search(since) and READY not in since and (damaged := self.data / AOF_FOLDER).exists():
            aside = self.data / f"{AOF_FOLDER}.damaged-{time.time_ns()}"
            damaged.rename(aside)
            with self.log.open("ab") as log:
                log.write(f"The append-only file could not be read. It is kept as {aside}, and Valkey begins anew.\n".encode())

    def command(self) -> list[str]:
        settings = SETTINGS | {
            "unixsocket": str(self.socket_path),
            "dir": str(self.data),
            "appendfsync": "everysec" if self.fsync else "no",
        }
        return [str(self.binary), *(part for name, value in settings.items() for part in (f"--{name}", value))]

    def is_ready(self, pid: int) -> bool:
        # The socket was removed before the start, so whoever answers is the new process.
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2.0)
            try:
                client.connect(str(self.socket_path))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")  # -LOADING while it reads its file back
            except OSError:
                return False
