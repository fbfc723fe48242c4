"""A pair of servers, Postgres and Valkey, that lives as long as the process which asked for it.

    with Servers(folder) as servers:
        asyncpg.connect(servers.database_url)

`DATABASE_URL`, `REDIS_URL` and `ARQ_REDIS_URL` in the environment replace the embedded ones.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self, TextIO
from urllib.parse import parse_qsl, urlencode, urlsplit

from tessera.embedded import binaries, identity
from tessera.embedded.postgres import Postgres
from tessera.embedded.valkey import Valkey
from tessera.keeper import Keepers, NotReady

SOCKET_PATH_BYTES = 100  # a unix socket's path is limited to 107 by the kernel
SOCKET_FOLDER_PREFIX = "tessera-run-"
SOCKETS_NOTE = "sockets"  # names the folder of a predecessor's sockets
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"


class Servers(Keepers):
    """Postgres and Valkey over `folder`, which keeps their data between runs. One process at a time may use a folder.

    `fsync=False` is for tests: faster, and safe against a killed server but not against a crash of the machine.
    """

    def __init__(self, folder: Path | str, *, fsync: bool = True, environ: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.folder = Path(folder).absolute()
        self.fsync = fsync
        self._environ = os.environ if environ is None else environ
        self._lock: TextIO | None = None
        self._socket_folder: Path | None = None
        self.database_url = self._environ.get("DATABASE_URL", "")
        self.redis_url = self._environ.get("REDIS_URL", "")
        self.arq_redis_url = self._environ.get("ARQ_REDIS_URL", "")

    def __enter__(self) -> Self:
        return self.start()

    def start(self) -> Self:
        """Start what is not replaced, and return when it answers.

        Raises NotReady (with the log's tail) or binaries.MissingBinary; nothing is left running then.
        """
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """End the servers in order, and remove their sockets; the data stays."""
        super().close()
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def environment(self) -> dict[str, str]:
        """What a child process needs in its environment to find the servers."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "ARQ_REDIS_URL": self.arq_redis_url}

    def _start(self) -> None:
        if self.redis_url and not self.arq_redis_url:
            self.arq_redis_url = next_database(self.redis_url)
        if self.database_url and self.redis_url:
            return
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._take_lock()
        pg_bin, valkey = binaries.postgres_bin(self._environ), binaries.valkey_binary(self._environ)
        temp = short_temp()
        who = identity.choose([self.folder, pg_bin / "postgres", valkey, temp])
        data = self.folder
        if who.owner is not None:  # somebody else than we: what that user cannot reach moves to where it can
            if not identity.open_to_all(self.folder):
                data = public_folder(self.folder, who)
            if not identity.open_to_all(pg_bin / "postgres"):
                pg_bin = binaries.copy_of_postgres(pg_bin)
            if not identity.open_to_all(valkey):
                valkey = binaries.copy_of_valkey(valkey)
        self._socket_folder = self._make_socket_folder(temp)
        who.give(self._socket_folder)
        if not self.database_url:
            postgres_service = Postgres(pg_bin, data, self._socket_folder, who, self.fsync)
            self.keep(postgres_service)
            self.database_url = postgres_service.url
        if not self.redis_url:
            valkey_service = Valkey(valkey, data, self._socket_folder, who, self.fsync)
            self.keep(valkey_service)
            self.redis_url = valkey_service.url(0)
            self.arq_redis_url = self.arq_redis_url or valkey_service.url(1)
        self.wait_ready()

    def _take_lock(self) -> None:
        self._lock = open(self.folder / "lock", "a+")  # noqa: SIM115 - held open until close
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReady(f"another process keeps its servers in {self.folder}") from None

    def _make_socket_folder(self, temp: Path) -> Path:
        """A new folder for sockets; the one of a predecessor that was killed goes."""
        remove_sockets(self.folder)
        made = Path(tempfile.mkdtemp(prefix=SOCKET_FOLDER_PREFIX, dir=temp))
        (self.folder / SOCKETS_NOTE).write_text(str(made))
        return made


def remove(folder: Path) -> None:
    """Remove a folder of servers that have ended, and what they kept elsewhere: their data, the sockets of a killed one."""
    remove_sockets(folder)
    shutil.rmtree(public_place(folder.absolute()), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def remove_sockets(folder: Path) -> None:
    note = folder / SOCKETS_NOTE
    if note.exists() and (left_behind := Path(note.read_text())).name.startswith(SOCKET_FOLDER_PREFIX):
        shutil.rmtree(left_behind, ignore_errors=True)


def short_temp() -> Path:
    """The system's temporary folder, or /tmp when a socket's path in that one would be too long."""
    temp = Path(tempfile.gettempdir()).resolve()
    sample = temp / f"{SOCKET_FOLDER_PREFIX}12345678" / LONGEST_SOCKET_NAME
    return temp if len(os.fsencode(sample)) < SOCKET_PATH_BYTES else Path("/tmp")  # noqa: S108 - a private folder is made in it


def public_place(folder: Path) -> Path:
    """Where that is, whether it exists or not."""
    return short_temp() / f"tessera-data-{os.getuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"


def public_folder(folder: Path, who: identity.Identity) -> Path:
    """A folder in the system's temporary one that stands for `folder`, the same one on every run."""
    place = public_place(folder)
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o755)
    if place.is_symlink() or place.stat().st_uid != os.getuid():
        raise NotReady(f"{place} belongs to somebody else; {who.runs_as} has no place for its data")
    place.chmod(0o755)
    return place


def next_database(redis_url: str) -> str:
    """The same server's next database, for the queue: `redis://host/0` gives `redis://host/1`."""
    address, _, query = redis_url.partition("?")
    path = urlsplit(address).path.strip("/")
    if not address.startswith("unix:") and path:
        return f"{address.removesuffix(path)}{int(path) + 1}" + (f"?{query}" if query else "")
    options = dict(parse_qsl(query))
    options["db"] = str(int(options.get("db", "0")) + 1)
    return f"{address}?{urlencode(options)}"
