"""The rehearsal this process takes part in: who is still to come, and what was seen. Made once, when Locust imports us."""

import os
from collections import deque
from typing import Final

from loadtests.locust.notes import History, Notes
from loadtests.locust.plan import Arrival, plan
from loadtests.locust.settings import Settings


class Rehearsal:
    """Raises ValueError and OSError for what cannot be rehearsed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        tokens = settings.tokens.read_text(encoding="utf-8").split()
        self.tokens = tokens[: settings.shoppers or len(tokens)]
        if len(self.tokens) < max(1, settings.shoppers):
            raise ValueError(f"{settings.tokens} has {len(self.tokens)} tokens for {settings.shoppers} shoppers")
        arrivals = plan(settings.shape, len(self.tokens), settings.rate, settings.seed)[settings.part :: settings.parts]
        self.first_due = settings.t0 + arrivals[0].due_s if arrivals else settings.t0
        self.last_due = settings.t0 + arrivals[-1].due_s if arrivals else settings.t0
        self.to_come: deque[Arrival] = deque(arrivals)
        self.under_way = 0
        self.notes = Notes()
        settings.folder.mkdir(parents=True, exist_ok=True)
        self._history = open(settings.folder / f"history-{settings.part}.jsonl", "w", encoding="utf-8")  # noqa: SIM115 - open till the end
        self.history = History(self._history, settings.sale)

    @property
    def is_over(self) -> bool:
        return not self.under_way and not self.to_come

    def end(self) -> None:
        """Write down what was seen."""
        self.notes.never_came = len(self.to_come)
        self._history.close()
        self.notes.write(self.settings.folder / f"notes-{self.settings.part}.json")


REHEARSAL: Final = Rehearsal(Settings.from_env(os.environ))
