"""What the pages weigh and how long they take, against what they may: build/web.json.

    python -m tests.web.budget

Exit code 1 when something is over its budget; what could not be measured is said, and is no pass.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from loadtests.bench import machine
from tests.house.sources import ROOT
from tests.web import entry, rows, server, views
from tests.web.chromium import open_browser
from tests.web.showcase import open_showcase

HTML_MAX = 30_000
FIRST_VIEW_MAX = 100_000
ENTRY_MAX = 450_000
SERVER_P99_MS = 15.0
ROWS_P99_MS = 50.0


def judge(found: dict[str, Any]) -> list[str]:
    """The budgets that were broken, in words."""
    over = []
    for name, view in found["first_views"].items():
        if view["html_bytes"] > HTML_MAX:
            over.append(f"{name}: {view['html_bytes']} bytes of HTML, of {HTML_MAX}")
        if view["all_bytes"] > FIRST_VIEW_MAX:
            over.append(f"{name}: a first view of {view['all_bytes']} bytes, of {FIRST_VIEW_MAX}")
    for name, shift in found["layout_shift"].items():
        if shift["score"]:
            over.append(f"{name}: the layout shifts by {shift['score']}, as these move: {' '.join(shift['moved'][:5])}")
    if (p99 := found["server"]["p99_ms"]) > SERVER_P99_MS:
        over.append(f"{found['server']['page']}: p99 {p99} ms of {SERVER_P99_MS}")
    if console := found["console"]:
        if console["entry_gzip_bytes"] > ENTRY_MAX:
            over.append(f"the console's entry: {console['entry_gzip_bytes']} bytes of {ENTRY_MAX}")
        over += [f"{name} is loaded with the console's entry, and holds charts" for name in console["charts_in_entry"]]
    over += [f"{name}: p99 {p99} ms of {ROWS_P99_MS}" for name, p99 in (found["rows"] or {}).get("slow", {}).items()]
    return over


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.web.budget", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=400, help="of each round")
    parser.add_argument("--console", type=Path, default=ROOT / "build" / "console")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "web.json")
    args = parser.parse_args(argv)
    found: dict[str, Any] = {"machine": machine.about_the_machine()}
    with tempfile.TemporaryDirectory(prefix="tessera-web-") as folder:
        Path(folder).chmod(0o755)
        with open_showcase(Path(folder)) as showcase:
            found["server"] = server.measure(showcase, args.rounds, args.requests)
            with open_browser() as browser:
                found["first_views"] = views.first_views(showcase, browser)
                found["layout_shift"] = views.shifts(showcase, browser)
    found["console"] = entry.weigh(args.console)
    found["rows"] = rows.read(ROOT / "build" / "api.json", ROWS_P99_MS)
    unknown = {"console": "make console builds it", "rows": "make bench-api measures them"}
    found["not_measured"] = {name: how for name, how in unknown.items() if not found[name]}
    found["over"] = judge(found)
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    for name, view in found["first_views"].items():
        print(f"{name}: HTML {view['html_bytes']:,} bytes, first view {view['all_bytes']:,} bytes in {view['requests']} requests")
    print("layout shift:", {name: shift["score"] for name, shift in found["layout_shift"].items()})
    took = found["server"]
    print(f"{took['page']}: p50 {took['p50_ms']} ms, p99 {took['p99_ms']} ms (medians of {args.rounds} rounds)")
    print(f"console: {found['console']}", f"rows: {found['rows']}", sep="\n")
    print(*(f"NOT MEASURED {name}: {how}" for name, how in found["not_measured"].items()), sep="\n")
    print(*(f"OVER {sentence}" for sentence in found["over"]), f"written to {args.out}", sep="\n")
    return bool(found["over"])


if __name__ == "__main__":
    sys.exit(main())
