"""Promises of the files at the top: the lock, the build, the Makefile, the guides."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from checkout_core import decide
from tessera.__main__ import COMMANDS
from tests.house.sources import FOLDERS, ROOT, files, imported


def plain(requirement: str) -> str:
    """A requirement's package, spelled as the index does: `PyJWT>=2` is `pyjwt`."""
    return re.split(r"[\[<>=!~;\s]", requirement)[0].lower().replace("_", "-")


LOCK = (ROOT / "requirements.lock").read_text()
GUIDES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_compiled_core_is_loaded() -> None:
    assert decide.__file__.endswith(".so"), "run `make setup`; without a compiler the same file runs as plain Python"


def test_setup_is_small() -> None:
    assert len([line for line in (ROOT / "setup.py").read_text().splitlines() if line]) <= 8


class TestLock:
    def test_names_no_address(self) -> None:
        assert not re.search(r"://|\bfile:|^-|^\s*#|@", LOCK, re.MULTILINE)

    def test_pins_each_package_by_hash(self) -> None:
        pinned = re.split(r"\n(?=\S)", LOCK.strip())
        assert [entry for entry in pinned if not re.match(r"[a-z0-9.-]+==\S+.*\\\n\s+--hash=sha256:[0-9a-f]{64}", entry)] == []
        assert len(pinned) > 50

    def test_has_what_the_project_asks_for(self) -> None:
        project = (ROOT / "pyproject.toml").read_text()
        asked = set(re.findall(r'^    "([A-Za-z0-9-]+)[=><]', project, re.MULTILINE))
        locked = set(re.findall(r"^([a-z0-9.-]+)==", LOCK, re.MULTILINE))
        assert {package.lower() for package in asked} <= locked

    def test_what_the_code_imports_is_asked_for(self) -> None:
        """By name: what comes along with another package today may not tomorrow."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        asked = {plain(line) for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]}
        imports = {module.partition(".")[0] for path in files(".py") for module in imported(path)}
        strange = imports - set(sys.stdlib_module_names) - set(FOLDERS)
        brought_by = packages_distributions()
        assert sorted(module for module in strange if not asked & {plain(package) for package in brought_by.get(module, [])}) == []


class TestMakefile:
    def test_lists_every_target(self) -> None:
        phony = set(re.findall(r"^\.PHONY: ([\w-]+)", (ROOT / "Makefile").read_text(), re.MULTILINE))
        listed = subprocess.run(["make", "--no-print-directory", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
        told = set(re.findall(r"^  make ([\w-]+)", listed, re.MULTILINE))
        assert told <= phony
        assert {name for name in phony - told if "-" not in name} == set(), "what is not for people has a name of two words"
        assert {"setup", "demo", "up", "test", "lint", "types", "fmt", "check", "lock", "clean"} <= phony


class TestGuides:
    @pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
    def test_links_lead_somewhere(self, guide: Path) -> None:
        links = re.findall(r"\]\((?!https?:)([^)#]+)", guide.read_text())
        assert [link for link in links if not (guide.parent / link).exists()] == []

    def test_every_command_and_setting_is_documented(self) -> None:
        told = "\n".join(guide.read_text() for guide in GUIDES)
        sources = [path for path in files(".py") if path.relative_to(ROOT).parts[0] != "tests"]
        settings = {word for path in [*sources, ROOT / "setup.py"] for word in re.findall(r"\bTESSERA_[A-Z_]+\b", path.read_text())}
        assert sorted(setting for setting in settings if setting not in told) == []
        assert sorted(command for command in COMMANDS if f"`tessera {command}`" not in told) == []

    def test_guides_that_the_code_names_exist(self) -> None:
        named = {guide for path in files(".py", ".sql") for guide in re.findall(r"docs/[a-z0-9/-]+\.md", path.read_text())}
        assert sorted(guide for guide in named if not (ROOT / guide).exists()) == []
