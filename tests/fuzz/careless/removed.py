"""The shop's reader with a safety removed, once for each, as targets; for a process in the folder of a build."""

import importlib
from pathlib import Path

from loadtests.bench.compiled import twin
from tests.fuzz import presses
from tests.fuzz.target import Target

LOADED = [importlib.import_module(f"careless.{path.stem}") for path in sorted(Path(__file__).parent.glob("without_*.py"))]
TARGETS = [
    Target(module.__name__.rpartition(".")[2], presses.request, presses.read(module), presses.read(twin(module))) for module in LOADED
]
