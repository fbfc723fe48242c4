"""The compiled modules once more, in a folder of their own: under AddressSanitizer and UBSan, with the debug build's bounds checks.

A copy of the packages is compiled by the same setup.py, so that the working modules stay as they are. A process that is started with
`environment()` in that folder imports them from there.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.house.sources import ROOT

SANITIZE = "-fsanitize=address,undefined"
MADE = {".so", ".c", ".pyc"}  # left out of the copy
STAMP = "built"


def missing() -> str | None:
    """Why nothing can be built here; None when it can."""
    if shutil.which("gcc") is None:
        return "there is no gcc"
    return None if _libasan().is_absolute() else "gcc has no libasan"


def compiled_packages() -> list[Path]:
    return sorted({path.parent for path in ROOT.glob("*/*.pxd")})


def build(folder: Path, packages: Sequence[Path]) -> None:
    """Copies of `packages` in `folder`, compiled; nothing is done when that is so already.

    Raises `RuntimeError` with what the compiler said.
    """
    stamp = _digest(packages)
    if (folder / STAMP).exists() and (folder / STAMP).read_text() == stamp:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "setup.py", folder)
    for package in packages:
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    flags = {"CC": "gcc", "CFLAGS": f"{SANITIZE} -fno-omit-frame-pointer -g -O1", "LDFLAGS": SANITIZE, "TESSERA_DEBUG_BUILD": "1"}
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", "--parallel", str(os.cpu_count() or 1)]
    done = subprocess.run(command, cwd=folder, env=os.environ | flags, capture_output=True, text=True, check=False)
    # A module that cannot be compiled is no error to setup.py: it runs as Python then.
    left = [path for path in folder.glob("*/*.pxd") if not any(path.parent.glob(f"{path.stem}.*.so"))]
    if done.returncode or left:
        raise RuntimeError(f"{[path.stem for path in left]} could not be compiled:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    (folder / STAMP).write_text(stamp)


def environment() -> dict[str, str]:
    """Of a process that may load what was built; its working directory must be the folder, which is then searched first."""
    return os.environ | {
        "LD_PRELOAD": str(_libasan()),
        "PYTHONMALLOC": "malloc",  # each object is an allocation of its own, with a fence around it
        "PYTHONPATH": str(ROOT),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python leaves much to the end of the process
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }


def _libasan() -> Path:
    """A bare name when gcc knows of none."""
    return Path(subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip())


def _digest(packages: Sequence[Path]) -> str:
    def read() -> Iterator[bytes]:
        yield f"{sys.version} {_libasan()}".encode()
        for path in (Path(__file__), ROOT / "setup.py", *(path for package in packages for path in sorted(package.rglob("*")))):
            if path.is_file() and path.suffix not in MADE:
                yield str(path).encode() + path.read_bytes()

    return hashlib.sha256(b"\0".join(read())).hexdigest()
