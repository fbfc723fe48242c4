"""What the figures were measured on: the machine, the versions, and which files the compiled modules are."""

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import asyncpg

from loadtests.bench import compiled
from loadtests.bench.press import ROOT
from loadtests.bench.rig import Rig

PACKAGES: Final = ("litestar", "uvicorn", "uvloop", "httptools", "h11", "redis", "hiredis", "asyncpg", "msgspec", "Cython")


def about_the_machine() -> dict[str, Any]:
    """Processor, cores, memory, kernel, Python; the commit and whether files were changed since."""
    memory_kib = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": said("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "packages": {name: installed(name) for name in PACKAGES},
        "go": said("go", "version").removeprefix("go version ") if shutil.which("go") else "not here",
        "compiled": {module.__name__: str(module.__file__).removeprefix(f"{ROOT}/") for module in compiled.MODULES},
    }


async def about_the_servers(rig: Rig) -> dict[str, Any]:
    """Versions and the settings that matter, as the servers themselves say."""
    conn = await asyncpg.connect(rig.shop.servers.database_url)
    try:
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")
        postgres = {name: await conn.fetchval("SELECT current_setting($1)", name) for name in names}
    finally:
        await conn.close()
    info: Any = rig.redis.info("server")
    settings: Any = rig.redis.config_get("append*")
    valkey = {"version": info.get("valkey_version") or info["redis_version"], **{n: settings[n] for n in ("appendonly", "appendfsync")}}
    return {"postgres": postgres, "valkey": valkey}


def processor() -> str:
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not here"


def said(*command: str) -> str:
    """The first line a program prints, "" when it is not there."""
    line: Sequence[str] = command
    try:
        return subprocess.run(line, capture_output=True, text=True, check=False).stdout.partition("\n")[0].strip()
    except OSError:
        return ""
