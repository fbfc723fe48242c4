"""A hunt through the inputs of one seed, in a process that may die of them; what was found, and the input that did it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.build import environment

PATIENCE_S = 60.0  # to import litestar under AddressSanitizer on a busy machine, and for an input that has no end
REPORT = 6000  # characters of what a sanitizer says


class Finding(NamedTuple):
    """`case` is `target:number` and repeats it under the same seed. `literal` is the input as Python writes it."""

    case: str
    what: str
    literal: str


class Hunt(NamedTuple):
    """`inputs` tried, by target."""

    inputs: dict[str, int]
    finding: Finding | None


def hunt(folder: Path, targets: str, seed: int, seconds: float, only: Sequence[str] = ()) -> Hunt:
    """Inputs for so long, or until one is found. `targets` is a module of them, `only` some of their names.

    Raises `RuntimeError` when it does not even begin.
    """
    with tempfile.TemporaryDirectory(prefix="tessera-fuzz-") as scratch:
        progress = Path(scratch) / "progress"
        what = ("--seconds", str(seconds), "--progress", str(progress), "--only", *only)
        wrong, literal = _wrong(folder, targets, seed, *what, patience_s=PATIENCE_S + seconds)
        noted = progress.read_text().strip() if progress.exists() else ""
    if not noted:
        raise RuntimeError(wrong)
    trying, begun = json.loads(noted).values()
    return Hunt(begun, _finding(folder, targets, seed, f"{trying}:{begun[trying] - 1}", wrong, literal))


def again(folder: Path, targets: str, seed: int, case: str) -> Finding | None:
    """The one input."""
    return _finding(folder, targets, seed, case, *_wrong(folder, targets, seed, "--case", case))


def _finding(folder: Path, targets: str, seed: int, case: str, wrong: str | None, literal: str) -> Finding | None:
    if wrong is None:
        return None
    if not literal:  # the dead say nothing: another process makes the same input, and does not read it
        _, literal = _wrong(folder, targets, seed, "--show", case)
    return Finding(case, wrong, literal)


def _wrong(folder: Path, targets: str, seed: int, *what: str, patience_s: float = PATIENCE_S) -> tuple[str | None, str]:
    """What is wrong, in the child's own words or by how it died; and the input, if it lived to say it."""
    command = [sys.executable, "-m", "tests.fuzz.child", targets, "--seed", str(seed), *what]
    try:
        done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=patience_s, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {patience_s:.0f} s", ""
    if done.returncode:
        return f"died with {done.returncode}:\n{done.stderr[:REPORT]}", ""
    said = json.loads(done.stdout)
    return said["finding"], said["literal"]
