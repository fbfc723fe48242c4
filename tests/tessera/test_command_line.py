"""`tessera` lists its commands and finds each of them."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tessera.__main__ import COMMANDS, main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["help"]])
def test_the_list(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in COMMANDS)


def test_an_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sing"]) == 2
    assert "there is no command 'sing'" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_module(name: str) -> None:
    assert find_spec(f"tessera.commands.{name.replace('-', '_')}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    told = subprocess.run([sys.executable, "-m", "tessera", name, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert f"tessera {name}" in told.stdout


def test_every_module_is_listed() -> None:
    modules = {path.stem.replace("_", "-") for path in (ROOT / "tessera" / "commands").glob("[!_]*.py")}
    assert modules == set(COMMANDS)
