"""Instructions of one press of the gate, by the file they are in. Counted by valgrind, so that a busy machine changes little; they say
what is executed, not how long it takes, and leave out the kernel.

    python -m tests.bench.gate_instructions [presses]        under a minute

valgrind writes down what it has counted whenever the program enters `getsid`, which nobody calls but this bench: before and after the
presses of each kind. The first round is not counted.
"""

import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import uvloop

from tests.bench.gate import KINDS, measure

ROOT = Path(__file__).parents[2]
ROUNDS = 2
PRESSES = 512
LEAST = 20  # instructions of a file per press, below which it goes with the rest
_OBJECT = re.compile(r"c?ob=\((\d+)\)(?: (.*))?")
_COST = re.compile(r"[+*\-\d]\S* (\d+)$")


def counts(text: str) -> Counter[str]:
    """Instructions by the name of the file they are in, of one file that callgrind wrote.

    `ob=(1) /lib/x.so` names the file of the cost lines below it, `ob=(1)` names it again; the line after `calls=` is what the called
    function spent, which is counted where that function is.
    """
    names: dict[str, str] = {}
    found: Counter[str] = Counter()
    at, is_a_call = "", False
    for line in text.splitlines():
        if match := _OBJECT.match(line):
            number, name = match.groups()
            if name:
                names[number] = name
            if not line.startswith("c"):
                at = names[number]
        elif line.startswith("calls="):
            is_a_call = True
        elif match := _COST.match(line):
            if not is_a_call:
                found[Path(at).name.partition(".cpython")[0].partition(".so")[0]] += int(match[1])
            is_a_call = False
    return found


def count(presses: int) -> dict[str, Counter[str]]:
    """By kind of press; raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        line = ["valgrind", "--tool=callgrind", "--dump-before=getsid", f"--callgrind-out-file={folder}/out", "--quiet"]
        line += [sys.executable, "-m", "tests.bench.gate_instructions", "--counted", str(presses)]
        subprocess.run(line, check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"}, stdout=subprocess.DEVNULL)
        # Two for each kind and round, and the second of both is what lies between them.
        last = 2 * len(KINDS) * (ROUNDS - 1)
        return {kind: counts(Path(f"{folder}/out.{last + 2 * n + 2}").read_text()) for n, kind in enumerate(KINDS)}


def main() -> int:
    if sys.argv[1:2] == ["--counted"]:
        gc.disable()  # it would fall into one kind here and into another there
        uvloop.run(measure(int(sys.argv[2]), ROUNDS, lambda: os.getsid(0)))
        return 0
    if not shutil.which("valgrind"):
        print("valgrind is not installed: apt-get install valgrind", file=sys.stderr)
        return 2
    presses = int(sys.argv[1]) if len(sys.argv) > 1 else PRESSES
    found = {kind: Counter({file: n // presses for file, n in each.items()}) for kind, each in count(presses).items()}
    files = sorted({file for each in found.values() for file in each}, key=lambda file: -found[KINDS[0]][file])
    shown = [file for file in files if any(each[file] >= LEAST for each in found.values())]
    print(f"{'instructions a press':28}" + "".join(f"{kind:>12}" for kind in KINDS))
    for file in shown:
        print(f"{file:28}" + "".join(f"{found[kind][file]:12,}" for kind in KINDS))
    print(f"{'together':28}" + "".join(f"{found[kind].total():12,}" for kind in KINDS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
