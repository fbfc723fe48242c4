"""What `perf script` prints, folded into layers: which part of the kernel, of Python, of a library or of a server a sample was in.

Pure functions of text. A sample belongs to the innermost frame's file and function. In the kernel it belongs to what was asked of it: a
spin lock inside a send is part of the send.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from loadtests.bench.profiles.rules import KERNEL, Rule

ROOT: Final = Path(__file__).parents[3]
UNKNOWN: Final = "[unknown]"
IN_KERNEL: Final = "[kernel"
OTHERS: Final = "others"
TOP: Final = 10


class Frame(NamedTuple):
    symbol: str
    file: str


Stack = Sequence[Frame]  # innermost first, never empty


class Folded(NamedTuple):
    """Samples: of all, by layer, and of the functions that were seen most, as ((function, file), samples)."""

    samples: int
    layers: Counter[str]
    top: list[tuple[tuple[str, str], int]]


def stacks_of(text: str) -> Iterator[Stack]:
    """Of each sample as `perf script -F comm,tid,ip,sym,dso` prints it: a line at the margin, then an indented one for each frame."""
    stack: list[Frame] = []
    for line in text.splitlines():
        if line[:1].isspace():
            _, _, named = line.strip().partition(" ")
            symbol, _, file = named.rpartition(" (")
            stack.append(Frame(symbol, file.removesuffix(")")))
        elif stack:
            yield stack
            stack = []
    if stack:
        yield stack


def layer_of(stack: Stack, rules: Sequence[Rule]) -> str:
    """The layer of one sample."""
    frame = stack[0]
    if frame.file.startswith(IN_KERNEL):
        asked = [each.symbol for each in stack if each.file.startswith(IN_KERNEL)]
        return next((layer for layer, names in KERNEL.items() if any(map(names.match, asked))), "kernel: others")
    if frame.file.startswith(f"{ROOT}/") and "/.venv/" not in frame.file and ".so" in frame.file:
        return f"ours: {module_of(frame.file)}"
    if frame.symbol == UNKNOWN and "valkey-server" in frame.file:
        frame = caller_in_valkey(stack)
    return next((rule.layer for rule in rules if rule.file.match(frame.file) and rule.symbol.match(frame.symbol)), OTHERS)


def caller_in_valkey(stack: Stack) -> Frame:
    """Of a function that has no name. Valkey is built with frame pointers, so its callers are known. Its Lua is not, and keeps the names
    of its virtual machine to itself: what has neither a name nor a caller is that."""
    return next((frame for frame in stack if frame.symbol != UNKNOWN and "valkey-server" in frame.file), Frame("lua", stack[0].file))


def module_of(file: str) -> str:
    """`api.hot` for /…/api/hot.cpython-311-x86_64-linux-gnu.so."""
    return file.removeprefix(f"{ROOT}/").partition(".")[0].replace("/", ".")


def fold(text: str, rules: Sequence[Rule]) -> Folded:
    """Every sample in the text, once."""
    layers: Counter[str] = Counter()
    functions: Counter[tuple[str, str]] = Counter()
    for stack in stacks_of(text):
        layer, (symbol, file) = layer_of(stack, rules), stack[0]
        layers[layer] += 1
        functions[f"{layer}, without names" if symbol == UNKNOWN else symbol, file_name(file)] += 1
    return Folded(layers.total(), layers, functions.most_common(TOP))


def file_name(file: str) -> str:
    """Short, and the same on every machine: `kernel`, `hot`, `libpython3.11`, `postgres`."""
    return "kernel" if file.startswith(IN_KERNEL) else Path(file).name.partition(".so")[0].partition(".cpython")[0]
