"""Rehearse a sale and judge what came of it.

    python -m loadtests.locust run      starts Locust, LOAD_PARTS processes of it; figures and history go to LOAD_FOLDER
    python -m loadtests.locust judge    figures and, with --checker FILE, the report of `tessera check --json` become a verdict

Exit codes: 0 nothing was exceeded, 1 something was, 2 it could not be rehearsed, 3 not be judged, since the generator was too slow.
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPException
from pathlib import Path
from typing import Any

from loadtests.locust.notes import Notes
from loadtests.locust.page import page
from loadtests.locust.plan import lead_s, plan
from loadtests.locust.settings import Settings, Thresholds
from loadtests.locust.verdict import figures, judgement, words
from loadtests.locust.watch import Watch, connect

SOURCE = Path(__file__).parents[2]
EXIT_CODES = {"pass": 0, "fail": 1, "void": 3}
START_S = 5.0  # Locust needs some seconds before it lets anybody in
LOCUST = ("-m", "locust", "-f", "loadtests/locust/locustfile.py", "--headless", "--only-summary", "--loglevel", "WARNING")


class Unplayable(Exception):
    """It could not be rehearsed; the message says why."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.locust", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run")
    judge_parser = commands.add_parser("judge")
    judge_parser.add_argument(
        "--checker", type=Path, help="what `tessera check --json` printed; without it the store counts as not checked"
    )
    args = parser.parse_args(argv)
    try:
        if args.command == "judge":
            return judge(Path(os.environ.get("LOAD_FOLDER") or "build/load"), args.checker, Thresholds.from_env())
        run()
    except (ValueError, OSError, Unplayable) as problem:
        print(f"loadtests.locust: {problem}", file=sys.stderr)
        return 2
    return 0


def run() -> None:
    """People come; when the last has gone, `report.json` and `history.jsonl` are there. Raises ValueError, OSError, `Unplayable`."""
    settings = Settings.from_env()
    if not os.environ.get("LOAD_T0"):
        settings = settings._replace(t0=time.time() + START_S + lead_s(settings.shape))
    offer = look(settings)
    settings.folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("notes-*.json", "history*.jsonl", "locust-*", "report.json", "index.html"):
        for old in settings.folder.glob(pattern):
            old.unlink()
    began = time.time()
    codes, watched = perform(settings)
    logs = [settings.folder / f"locust-{part}.log" for part in range(settings.parts)]
    if any(codes) or not all((settings.folder / f"notes-{part}.json").exists() for part in range(settings.parts)):
        raise Unplayable(f"Locust ended with {codes}; its log ends:\n" + "\n".join(log.read_text()[-2000:] for log in logs))
    notes = Notes()
    with open(settings.folder / "history.jsonl", "wb") as history:
        for part in range(settings.parts):
            notes.read(settings.folder / f"notes-{part}.json")
            own = settings.folder / f"history-{part}.jsonl"
            history.write(own.read_bytes())
            own.unlink()
    told = {
        **{name: getattr(settings, name) for name in ("target", "store", "sale", "shape", "rate", "hands", "parts", "t0")},
        "offer": offer, "took_s": round(time.time() - began, 1), "figures": figures(notes, offer), "watch": watched,
    }  # fmt: skip
    write(settings.folder / "report.json", told)


def perform(settings: Settings) -> tuple[list[int], dict[str, Any]]:
    """All parts at once; their exit codes, and who was busy. Whatever ends us ends them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    count = settings.shoppers or len(settings.tokens.read_text(encoding="utf-8").split())
    last_s = math.ceil(max((each.due_s for each in plan(settings.shape, count, settings.rate, settings.seed)), default=0.0))
    parts = [start(settings, part) for part in range(settings.parts)]
    pids = {f"generator-{part}": process.pid for part, process in enumerate(parts)} | pids_of(os.environ.get("LOAD_PIDS", ""))
    try:
        watch = Watch(settings.target, pids, settings.t0, settings.t0 + last_s, settings.timeout)
        watch.look(lambda: any(part.poll() is None for part in parts))
        return [part.wait() for part in parts], watch.as_json()
    finally:
        for part in parts:
            if part.poll() is None:
                part.terminate()
        for part in parts:
            part.wait()


def pids_of(text: str) -> dict[str, int]:
    """`api-1=12 worker=13`: processes on this machine whose time is looked at. Raises ValueError."""
    return {name: int(pid) for name, _, pid in (each.partition("=") for each in text.split())}


def start(settings: Settings, part: int) -> "subprocess.Popen[bytes]":
    """One Locust process with its part of the people. All know when the sale opens, so none needs to talk to another."""
    environ = os.environ | {
        "LOAD_T0": str(settings.t0),
        "LOAD_PART": str(part),
        "LOAD_HANDS": str(max(8, settings.hands // settings.parts)),
        "LOAD_FOLDER": str(settings.folder.absolute()),
        "LOAD_TOKENS": str(settings.tokens.absolute()),
    }
    with open(settings.folder / f"locust-{part}.log", "wb") as log:
        page = settings.folder.absolute() / f"locust-{part}.html"
        line = [sys.executable, *LOCUST, "--html", str(page)]
        return subprocess.Popen(line, cwd=SOURCE, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


def look(settings: Settings) -> dict[str, Any]:
    """The sale before anybody comes: how much there is, and how much one may have. Raises `Unplayable` when it cannot be seen."""
    connection = connect(settings.target, settings.timeout)
    try:
        connection.request("GET", f"/v1/storefront/sales/{settings.sale}", headers={"X-Tessera-Store": settings.store})
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException) as problem:
        raise Unplayable(f"{settings.target} cannot be reached: {problem}") from problem
    finally:
        connection.close()
    if response.status != 200:
        raise Unplayable(f"{settings.target} answers {response.status} for sale {settings.sale} of {settings.store}: {body[:300]!r}")
    offer = json.loads(body)
    units = os.environ.get("LOAD_UNITS")  # the owner may know better: stock may be added while people press
    return {
        "units": int(units) if units else int(offer["stock"]),
        "limit_per_shopper": int(offer["limit_per_shopper"]),
        "starts_at": offer["starts_at"],
        "state": offer["state"],
    }


def judge(folder: Path, checker: Path | None, most: Thresholds) -> int:
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    report["checker"] = json.loads(checker.read_text(encoding="utf-8")) if checker else None
    report["thresholds"] = most._asdict()
    report["verdict"], report["breaches"] = judgement(report["figures"], report["checker"], most)
    write(folder / "report.json", report)
    (folder / "index.html").write_text(page(report, sorted(path.name for path in folder.glob("locust-*.html"))), encoding="utf-8")
    print(words(report))
    print(f"The report: {folder / 'index.html'}")
    return EXIT_CODES[report["verdict"]]


def write(file: Path, document: dict[str, Any]) -> None:
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
