"""Shoppers come to a store: each asks for a token of its own, as a browser does on its first visit."""

import json
from typing import NamedTuple, TextIO

from loadtests.loader.http import Answer, Target, request
from loadtests.loader.report import Tally


class Arrival(NamedTuple):
    raw: bytes


def arrival(target: Target, store: str) -> Arrival:
    return Arrival(request(target, "POST", "/v1/shopper-tokens", {"X-Tessera-Store": store}, {}))


class Door:
    """Writes each token to `out` as a line that `read_shoppers` reads."""

    def __init__(self, out: TextIO) -> None:
        self.tally = Tally()
        self.came = 0
        self._out = out

    def tell(self, _: Arrival, answer: Answer, latency_s: float, at: float) -> None:
        self.tally.add(answer, latency_s, at, answer.failure or answer.code or "token")
        if answer.status == 201:
            document = answer.json()
            self._out.write(json.dumps({"shopper_id": document["shopper_id"], "token": document["token"]}) + "\n")
            self.came += 1
