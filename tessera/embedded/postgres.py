"""PostgreSQL as a service for a keeper: a data folder made on first use, a unix socket, settings for one machine."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tessera.embedded.identity import Identity
from tessera.keeper import NotReady, launched

SETTINGS = {
    "listen_addresses": "",  # a unix socket only, in a folder nobody else may enter: that folder is the lock on the door
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "synchronous_commit": "on",
    "jit": "off",
    "shared_preload_libraries": "pg_stat_statements",
    # A sale of minutes should not meet a checkpoint forced by the volume of WAL; the timed ones are spread out.
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "wal_buffers": "16MB",
    "log_checkpoints": "off",
    "log_lock_waits": "on",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
}
# Segments of WAL laid out before the first start, 16 MB each: 70,000 orders. Postgres keeps `min_wal_size` of old ones for use again, but a
# new cluster has none, and whoever commits when a segment is full waits until the next is written full of zeros: 60 ms for everybody, once
# a second in a rush (p99 75 to 95 ms with it, 38 to 52 without; 20,000 units, 256 connections).
WAL_SEGMENTS = 8
FILL_A_SEGMENT = "SELECT pg_logical_emit_message(true, '', ''), pg_switch_wal();\n"
READY = "ready"
STATUS_LINE = 7  # of postmaster.pid, counted from 0: what pg_ctl itself waits for


@dataclass
class Postgres:
    """`folder` gets the data and the log; `socket_folder` the socket. Without `fsync` a crash of the machine loses data."""

    bin_folder: Path
    folder: Path
    socket_folder: Path
    identity: Identity
    fsync: bool = True
    name: str = "postgres"
    stop_signal: signal.Signals = signal.SIGINT  # "fast": open transactions are rolled back
    cwd: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=lambda: {"PATH": os.defpath, "LC_ALL": "C.UTF-8"})

    @property
    def runs_as(self) -> str:
        return self.identity.runs_as

    @property
    def data(self) -> Path:
        return self.folder / "postgres"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def config(self) -> Path:
        """The settings, written before each start. What ALTER SYSTEM was told goes before them."""
        return self.folder / "postgres.conf"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.socket_folder}"

    def prepare(self) -> None:
        """Make the data folder if there is none, and write the settings. Raises NotReady with initdb's words when that fails."""
        if not self.data.exists():
            self._make_data()
        self.identity.give(self.data)
        self._configure()

    def _make_data(self) -> None:
        # Made under another name and renamed, so a folder that is there is whole.
        half = self.folder / "postgres.new"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        self.identity.give(half)
        initdb = [str(self.bin_folder / "initdb"), f"--pgdata={half}", "--username=postgres", "--auth=trust", "--encoding=UTF8"]
        initdb += ["--locale=C.UTF-8", "--data-checksums", "--no-instructions", *([] if self.fsync else ["--no-sync"])]
        self._run(initdb)
        if self.fsync:
            kept = f"min_wal_size={SETTINGS['min_wal_size']}"
            alone = [str(self.bin_folder / "postgres"), "--single", "-D", str(half), "-c", kept, "postgres"]
            self._run(alone, said=FILL_A_SEGMENT * WAL_SEGMENTS)
        half.rename(self.data)

    def _run(self, command: list[str], *, said: str = "") -> None:
        launch = launched(command, runs_as=self.runs_as)
        done = subprocess.run(launch, cwd="/", env=dict(self.environ), input=said, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NotReady(f"{Path(command[0]).name} failed: {done.stdout}{done.stderr}")

    def _configure(self) -> None:
        durable = "on" if self.fsync else "off"
        settings = SETTINGS | {"unix_socket_directories": str(self.socket_folder), "fsync": durable, "full_page_writes": durable}
        lines = [f"include {quoted(self.data / 'postgresql.conf')}", *(f"{name} = {quoted(value)}" for name, value in settings.items())]
        self.config.write_text("\n".join(lines) + "\n")
        self.config.chmod(0o644)

    def command(self) -> list[str]:
        # The settings are in a file: options would outrank ALTER SYSTEM, which would say yes and change nothing.
        return [str(self.bin_folder / "postgres"), "-D", str(self.data), "-c", f"config_file={self.config}"]

    def is_ready(self, pid: int) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == READY


def quoted(value: object) -> str:
    """As Postgres' configuration files have it."""
    doubled = str(value).replace("'", "''")
    return f"'{doubled}'"
