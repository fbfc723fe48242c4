"""The process under AddressSanitizer, which may die of what it finds: `tests.fuzz.hunt` starts it in the folder of the build.

    python -m tests.fuzz.child TARGETS --seed 7 --seconds 60 --progress FILE      until something is found or the time is over
    python -m tests.fuzz.child TARGETS --seed 7 --case plain:12                   that one input
    python -m tests.fuzz.child TARGETS --seed 7 --show plain:12                   that input itself, which nobody reads

TARGETS is a module with `TARGETS`, of which `--only` names some, and with the modules that must be `LOADED` from the folder. In FILE the
process notes what it is about to try. Prints {"finding": what is wrong or null, "literal": its input}.
"""

import argparse
import importlib
import json
import logging
import mmap
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.fuzz.target import Target, case, try_case

SLICE_S = 0.05


class Progress:
    """A file that says which target is being tried, and how many inputs of each have been begun: a dead process cannot say it any more."""

    SIZE = 1024

    def __init__(self, path: Path) -> None:
        path.write_bytes(b" " * self.SIZE)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), self.SIZE)
        self._begun: dict[str, int] = {}

    def begin(self, name: str) -> int:
        """The number of the input that is begun."""
        number = self._begun.get(name, 0)
        self._begun[name] = number + 1
        self._memory[:] = json.dumps({"trying": name, "begun": self._begun}).encode().ljust(self.SIZE)
        return number


def not_from(folder: Path, modules: Sequence[ModuleType]) -> list[str]:
    """Those that are not the compiled ones of this folder."""
    return [str(m.__file__) for m in modules if not str(m.__file__).startswith(f"{folder}/") or not str(m.__file__).endswith(".so")]


def hunt(targets: Sequence[Target], progress: Progress, seed: int, seconds: float) -> tuple[str | None, Any]:
    """What was found first, and by which input. Targets take turns, so that each has its share of the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for target in targets:
            turn_ends = time.monotonic() + SLICE_S * target.share
            while time.monotonic() < turn_ends:
                value = case(target, seed, progress.begin(target.name))
                found = try_case(target, value)
                if found is not None:
                    return found, value
    return None, None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.child")
    parser.add_argument("targets")
    parser.add_argument("--only", nargs="*", metavar="TARGET")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--progress", type=Path)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seconds", type=float)
    what.add_argument("--case")
    what.add_argument("--show")
    args = parser.parse_args()
    module = importlib.import_module(args.targets)
    strange = not_from(Path.cwd(), module.LOADED)
    assert not strange, f"not of this build: {strange}"
    logging.disable(logging.CRITICAL)
    targets: dict[str, Target] = {target.name: target for target in module.TARGETS}
    if args.seconds is not None:
        found, value = hunt([targets[name] for name in args.only or targets], Progress(args.progress), args.seed, args.seconds)
    else:
        name, _, number = (args.case or args.show).partition(":")
        value = case(targets[name], args.seed, int(number))
        found = None if args.show else try_case(targets[name], value)
    print(json.dumps({"finding": found, "literal": repr(value)}))


if __name__ == "__main__":
    main()
