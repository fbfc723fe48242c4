"""What must be found, or else finding nothing proves nothing: planted faults, and the shop's own reader with a safety removed."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.build import build
from tests.fuzz.hunt import Hunt, hunt
from tests.house.sources import ROOT

SEED = 1
WITHIN_S = 30.0

# A fault of careless/reader.py, and how it is told.
FAULTS = {
    "past_the_end": "compiled raised IndexError",
    "before_the_beginning": "compiled raised IndexError",
    "of_nobody": "compiled raised AttributeError",
    "too_large": "compiled raised OverflowError",
    "by_pointer": "ERROR: AddressSanitizer: heap-",
    "after_release": "ERROR: AddressSanitizer: heap-use-after-free",
    "beyond_a_table": "out of bounds for type 'int [4]'",
    "differs": "readable says",
}


class Removal(NamedTuple):
    """What api/plain.py has, what it has instead, and how that is told."""

    was: str
    now: str
    told: str


REMOVED = {
    "without_end_of_name": Removal("at + 2 >= size or data[at] != 0x3A", "data[at] != 0x3A", "compiled raised IndexError"),
    "without_end_of_value": Removal("while at < size and (_BYTES", "while (_BYTES", "compiled raised IndexError"),
    "without_longest_name": Removal("if length > _LONGEST", "if length > 1000", "compiled raised IndexError"),
    "without_once": Removal("kind == COLD or seen & 1 << kind", "kind == COLD", "compiled raised AssertionError"),
    "without_length": Removal(" or length != size - at", "", "compiled raised AssertionError"),
    "without_leading_space": Removal(" or data[start] == 0x20", "", "compiled raised AssertionError"),
}


def plant(folder: Path, removed: Sequence[str] = ()) -> None:
    """A build in `folder` of the faulty reader, and of the shop's own without each of `removed`."""
    package = folder.with_name(f"{folder.name}-source") / "careless"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(Path(__file__).with_name("careless"), package)
    shutil.copy(package / "reader.py", package / "readable.py")
    plain = ROOT / "api" / "plain.py"
    for name in removed:
        was, now, _ = REMOVED[name]
        assert was in plain.read_text()
        (package / f"{name}.py").write_text(plain.read_text().replace(was, now))
        shutil.copy(plain.with_suffix(".pxd"), package / f"{name}.pxd")
    build(folder, [package])


def caught(folder: Path, name: str) -> tuple[bool, Hunt]:
    """Whether one of them is found by its own words."""
    module, told = ("faults", FAULTS[name]) if name in FAULTS else ("removed", REMOVED[name].told)
    tried = hunt(folder, f"careless.{module}", SEED, WITHIN_S, [name])
    return tried.finding is not None and told in tried.finding.what, tried
