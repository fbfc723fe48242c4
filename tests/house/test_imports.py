"""An import only ever goes down the house.

loadtests, admin_ui      speak HTTP only; import nothing of ours
api        workers       know what is below, never each other
     tenants             rules and Postgres
  checkout_core          knows no route and no table
"""

from pathlib import Path

import pytest

from tests.house.sources import FOLDERS, PACKAGES, ROOT, files, imported, name

ALLOWED = {
    "checkout_core": set[str](),
    "tenants": {"checkout_core"},
    "api": {"tenants", "checkout_core"},
    "workers": {"tenants", "checkout_core"},
    "loadtests": set[str](),
    "tessera": set(PACKAGES) - {"loadtests"},  # it starts the load tests as processes, and imports none of them
    "tests": set(FOLDERS),
}
MORE = {  # what we race against may use the core, and the race puts all together
    ROOT / "loadtests" / "peers": {"checkout_core"},
    ROOT / "loadtests" / "bench": {"checkout_core", "tenants", "api", "tessera"},
}
NOT_HERE = {
    "checkout_core": {"litestar", "uvicorn", "httpx", "asyncpg"},
    "tenants": {"litestar", "uvicorn"},
    "tests": {"locust", "gevent"},  # they patch the standard library of the process that imports them
}


A_TYPE = {"asyncpg.pgproto.pgproto"}  # the class of uuids that rows bring; it knows no table


def ours(path: Path) -> set[str]:
    return {module.partition(".")[0] for module in imported(path)} & set(FOLDERS)


def test_an_import_goes_down() -> None:
    upward = {}
    for path in files(".py"):
        package = path.relative_to(ROOT).parts[0]
        allowed = (ALLOWED[package] | {package}).union(*(more for folder, more in MORE.items() if path.is_relative_to(folder)))
        if wrong := ours(path) - allowed:
            upward[name(path)] = wrong
    assert upward == {}


def test_a_layer_knows_only_its_own_libraries() -> None:
    strange = {}
    for path in files(".py"):
        forbidden = NOT_HERE.get(path.relative_to(ROOT).parts[0], set())
        if wrong := {module.partition(".")[0] for module in imported(path) - A_TYPE} & forbidden:
            strange[name(path)] = wrong
    assert strange == {}


def test_no_test_reaches_locust() -> None:
    """Not through our own load tests either: of these, tests import what does not know it, and start the rest as processes."""
    imports = {dotted(path): imported(path) for path in files(".py") if path.is_relative_to(ROOT / "loadtests")}
    knowing: set[str] = {"locust"}
    while more := {module for module, names in imports.items() if names & knowing} - knowing:
        # Whoever imports from the package may mean the module in it.
        knowing |= more | {module.rpartition(".")[0] for module in more}
    assert "loadtests.locust.person" in knowing
    assert "loadtests.locust.__main__" not in knowing
    assert {
        name(path): found for path in files(".py") if "tests" in path.relative_to(ROOT).parts[:1] and (found := imported(path) & knowing)
    } == {}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_every_arrow_is_decided() -> None:
    assert set(ALLOWED) == set(FOLDERS)


class TestTheTestItself:
    """The reader of imports sees every form; else the arrows above would hold nothing."""

    @pytest.mark.parametrize(
        "line",
        [
            "import tenants.db",
            "from tenants import db",
            "from tenants.db import Pool",
            "def f():\n    import tenants",
            "import os, tenants as t",
        ],
    )
    def test_sees(self, tmp_path: Path, line: str) -> None:
        source = tmp_path / "module.py"
        source.write_text(line)
        assert "tenants" in ours(source)
