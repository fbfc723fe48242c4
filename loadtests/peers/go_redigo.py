"""The peer in Go: where its source is, how it is built, how it is started. Debian's packages are enough, and nothing is downloaded:

apt-get install golang-go golang-github-gomodule-redigo-dev golang-golang-x-crypto-dev
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from loadtests.peers.stock import SCRIPT
from loadtests.peers.terms import Keys

SOURCE: Final = Path(__file__).with_name("go") / "main.go"
GOCODE: Final = Path("/usr/share/gocode")  # where Debian puts libraries in Go
NEEDED: Final = ("github.com/gomodule/redigo/redis", "golang.org/x/crypto/blake2b")
BUILD_TIMEOUT_S: Final = 180


class NoGo(Exception):
    """The peer cannot be built here; the message says what is missing."""


def build(folder: Path) -> Path:
    """The program, built anew when its source is newer; the compiler's cache is kept in `folder` too. Raises `NoGo`."""
    folder = folder.absolute()
    program = folder / "go-peer"
    if program.exists() and program.stat().st_mtime > SOURCE.stat().st_mtime:
        return program
    go = shutil.which("go")
    if go is None:
        raise NoGo("there is no go; Debian has it as golang-go")
    if missing := [name for name in NEEDED if not (GOCODE / "src" / name).exists()]:
        raise NoGo(f"{', '.join(missing)} is not in {GOCODE}")
    folder.mkdir(parents=True, exist_ok=True)
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "GOPATH": str(GOCODE), "GOCACHE": str(folder / "go-cache")}
    environ |= {"GO111MODULE": "off", "CGO_ENABLED": "0"}
    line = [go, "build", "-o", str(program), str(SOURCE)]
    done = subprocess.run(line, env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT_S)
    if done.returncode != 0:
        raise NoGo(f"it was not built: {done.stderr.strip()[-500:]}")
    return program


def command(program: Path, port: int, *, constant: bool = False) -> list[str]:
    return [str(program), "-port", str(port), "-script", str(SCRIPT), *(["-constant"] if constant else [])]


def environ_of(secret: bytes, redis_url: str, *, cores: int) -> Mapping[str, str]:
    """What the program finds in its environment; keys do not belong on a command line."""
    keys = Keys(secret)
    return {
        "PEER_SHOPPERS_KEY": keys.shoppers.hex(),
        "PEER_ORDERS_KEY": keys.orders.hex(),
        "REDIS_URL": redis_url,
        "GOMAXPROCS": str(cores),
    }
