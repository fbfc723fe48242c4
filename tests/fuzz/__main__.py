"""Mutated inputs to the compiled modules under AddressSanitizer, each held against its readable twin. Also `make fuzz`.

    python -m tests.fuzz --seconds 600                    other inputs each time; the seed is told
    python -m tests.fuzz --only plain hot                 these targets
    python -m tests.fuzz --seed 7 --case plain:1234       one input of a seed, again
    python -m tests.fuzz --controls                       whether planted faults and removed safeties are found

Builds in build/fuzz/ when what is compiled has changed (half a minute). Exit code 1 when a sanitizer reports, a verdict differs, or
something is raised that should not be; 2 when it cannot be built here.
"""

import argparse
import secrets
import sys

from tests.fuzz import controls
from tests.fuzz.build import build, compiled_packages, missing
from tests.fuzz.hunt import Finding, again, hunt
from tests.house.sources import ROOT

FOLDER = ROOT / "build" / "fuzz"
TARGETS = "tests.fuzz.targets"


def tell(finding: Finding, seed: int) -> None:
    print(f"FOUND by {finding.case} of seed {seed}: {finding.what}\nThe input:\n{finding.literal}")
    print(f"Again: python -m tests.fuzz --seed {seed} --case {finding.case}")


def play_controls() -> int:
    folder = FOLDER.with_name("fuzz-controls")
    controls.plant(folder, list(controls.REMOVED))
    missed = 0
    for name in (*controls.FAULTS, *controls.REMOVED):
        is_caught, (inputs, finding) = controls.caught(folder, name)
        missed += not is_caught
        word = "caught" if is_caught else "NOT CAUGHT"
        print(f"{name:24} {word:10} {sum(inputs.values())} inputs: {first_line(finding)}", flush=True)
    return 1 if missed else 0


def first_line(finding: Finding | None) -> str:
    """Of what was found: a sanitizer begins with a rule or with how the process died."""
    lines = finding.what.splitlines() if finding is not None else []
    return next((line for line in lines if "ERROR:" in line or "runtime error:" in line), next(iter(lines), ""))[:140]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of the inputs")
    parser.add_argument("--only", nargs="*", default=[], metavar="TARGET")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--case", metavar="TARGET:NUMBER", help="only this input")
    how.add_argument("--controls", action="store_true")
    args = parser.parse_args()
    if (reason := missing()) is not None:
        print(f"AddressSanitizer cannot be used here: {reason}.")
        return 2
    if args.controls:
        return play_controls()
    build(FOLDER, compiled_packages())
    if args.case:
        finding = again(FOLDER, TARGETS, args.seed, args.case)
        print(f"Seed {args.seed}, {args.case}: {'as it should be' if finding is None else 'not as it should be'}", flush=True)
    else:
        print(f"Seed {args.seed}, {args.seconds:.0f} s", flush=True)
        inputs, finding = hunt(FOLDER, TARGETS, args.seed, args.seconds, args.only)
        print(f"{sum(inputs.values())} inputs: {', '.join(f'{name} {count}' for name, count in inputs.items())}")
    if finding is not None:
        tell(finding, args.seed)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
