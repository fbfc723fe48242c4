"""What a browser loads before the console shows anything, as the build left it."""

import gzip
import re
from pathlib import Path
from typing import Any

LINKED = re.compile(r'(?:src|href)="/console/([^"]+\.(?:js|css))"')
STATIC = re.compile(r'(?:\bfrom|\bimport)\s*"\./([^"]+\.js)"')
CHARTS = re.compile(r"zrender|echarts")


def weigh(folder: Path) -> dict[str, Any] | None:
    """The scripts and styles that the page names, and what those import without being asked; None where nothing is built."""
    index = folder / "index.html"
    if not index.exists():
        return None
    found = closure(folder, LINKED.findall(index.read_text()))
    sizes = {name: len(gzip.compress((folder / name).read_bytes(), 9)) for name in found}
    lazy = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.js") if CHARTS.search(path.read_text()))
    return {
        "entry_gzip_bytes": sum(sizes.values()), "files": sizes, "charts": [name for name in lazy if name not in found],
        "charts_in_entry": [name for name in lazy if name in found],
    }  # fmt: skip


def closure(folder: Path, names: list[str]) -> list[str]:
    """`names` and all that they import statically, once each."""
    found: list[str] = []
    while names:
        name, *names = names
        if name in found:
            continue
        found.append(name)
        if name.endswith(".js"):
            beside = Path(name).parent
            names += [str(beside / each) for each in STATIC.findall((folder / name).read_text())]
    return found
