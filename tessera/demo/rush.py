"""The crowd: our raw loader in a process of its own, against the API as anybody sees it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tessera.demo import flash
from tessera.demo.merchant import FLASH, FLASH_LIMIT, RUSH, Store
from tessera.keeper import launched
from tessera.shop import Shop

SOURCE = Path(__file__).parents[2]
CLOSED = ("--closed", "128", "--greet", "/healthz")  # the page was open before anybody pressed
FLASH_CLOSED = ("--closed", "256", "--greet", "/healthz")
OPEN_SHARE = 0.5  # of the rate the closed loop reached


class LoaderFailed(Exception):
    """The loader could not run; what shoppers were told is in its reports, whatever they say."""


class Crowd:
    """Runs the loader; its files stay in `folder`. Each method returns the loader's own report."""

    def __init__(self, shop: Shop, store: Store, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.history = folder / "history.jsonl"
        self._shop = shop
        self._store = store
        self._folder = folder

    def arrive(self, name: str, count: int) -> dict[str, Any]:
        """`count` guests get their tokens from the store."""
        return self._run(f"arrive-{name}", "arrive", "--count", str(count), "--out", str(self.tokens(name)), "--closed", "16")

    def rush(self, name: str) -> dict[str, Any]:
        """All of them press buy as fast as they are answered; then the winners pay and look at their codes."""
        habits = ("--repeat", "0.1", "--twice", "0.05", "--pair", "0.1")
        return self._press("rush", name, 1, *CLOSED, *habits, "--pay-at", self._shop.provider_url)

    def tail(self, name: str) -> dict[str, Any]:
        """Everybody of `name` is told that nothing is left, first as fast as can be, then at half that rate."""
        plain = ("--repeat", "0", "--twice", "0")
        closed = self._press("tail", name, 2, *CLOSED, *plain)
        rate = max(1.0, closed["rush"]["per_s"] * OPEN_SHARE)
        return closed | {"open": self._press("tail-open", name, 3, "--open", f"{rate:.0f}", *plain)}

    def flash(self, name: str, shoppers: int) -> dict[str, Any]:
        """All press at the gate; who won nothing presses again and again; then some of the winners pay."""
        habits = ("--repeat", "0.05", "--twice", "0.02", "--insist", str(flash.PRESSES_A_SHOPPER * shoppers))
        pay = ("--pay-at", self._shop.provider_url, "--pay-first", str(flash.PAY))
        return self._press(
            "flash", name, 4, *FLASH_CLOSED, *habits, *pay, "--stock", str(flash.units_of(shoppers)), sale=FLASH, limit=FLASH_LIMIT
        )

    def _press(self, what: str, name: str, seed: int, *options: str, sale: str = RUSH, limit: int | None = None) -> dict[str, Any]:
        limit = self._store.limit if limit is None else limit
        where = ("--sale", self._store.sales[sale], "--limit", str(limit), "--shoppers", str(self.tokens(name)))
        pids = [f"--pid={role}={pid}" for role, pid in self._pids()]
        return self._run(what, "shop", *where, "--seed", str(seed), "--history", str(self.history), *pids, *options)

    def _run(self, what: str, command: str, *options: str) -> dict[str, Any]:
        report = self._folder / f"{what}.json"
        line = [sys.executable, "-m", "loadtests.loader", command, "--port", str(self._shop.port), "--store", self._store.slug, *options]
        ended = subprocess.run(
            launched([*line, "--report", str(report)]),
            cwd=SOURCE,
            env={**os.environ, "SANDBOX_ADMIN_TOKEN": self._shop.provider.admin_token},
            start_new_session=True,  # Ctrl-C is the parent's to handle
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if ended.returncode not in (0, 1) or not report.exists():
            raise LoaderFailed(f"the loader ended with code {ended.returncode}: {ended.stderr[-2000:]}")
        document: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return document

    def _pids(self) -> list[tuple[str, int]]:
        """Whose CPU time counts: `api` may be several processes."""
        running = [("api", pid) for name, pid in self._shop.processes.pids.items() if name.startswith("api")]
        running += [("worker", pid) for name, pid in self._shop.processes.pids.items() if name == "worker"]
        running += [({"valkey": "redis"}.get(name, name), pid) for name, pid in self._shop.servers.pids.items()]
        return [(role, pid) for role, pid in running if pid is not None]

    def tokens(self, name: str) -> Path:
        """Where the guests of `name` have theirs."""
        return self._folder / f"shoppers-{name}.jsonl"
