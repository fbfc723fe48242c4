"""The repository's own files, read once for the house rules."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("checkout_core", "tenants", "api", "workers", "loadtests", "tessera")
FOLDERS = (*PACKAGES, "tests")
GENERATED = {"__pycache__", "node_modules", "dist"}


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """Every file of ours with one of these suffixes, below the folders of the house."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in suffixes)
    return tuple(sorted(path for path in found if not GENERATED & set(path.parts)))


def name(path: Path) -> str:
    """A path as a person writes it."""
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def imported(path: Path) -> set[str]:
    """The full names of all modules a file imports, anywhere in it. A relative import counts as its own package's."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(path.relative_to(ROOT).parts[0] if node.level else node.module or "")
    return found
