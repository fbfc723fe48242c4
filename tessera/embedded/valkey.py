"""Valkey (or Redis 7) as a service for a keeper: an append-only file, a unix socket, nothing ever evicted."""

import os
import signal
import socket
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
    "save": "",
    "daemonize": "no",
}


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
        self.identity.give(self.data)
        self.socket_path.unlink(missing_ok=True)

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
