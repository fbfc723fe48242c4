"""A person at a store: waits for the moment he comes, asks, and remembers what he was told. The journeys say what he does.

Locust has patched the standard library of its process: whoever sleeps here lets the others go on, and a thread is a light one.
"""

import hashlib
import json
import random
import time
import uuid
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, ClassVar, NamedTuple

from gevent import get_hub  # type: ignore[import-untyped]  # gevent leaves it without types
from locust import FastHttpUser, task

from loadtests.locust.notes import REFUSALS, WAITS, Told
from loadtests.locust.plan import Arrival
from loadtests.locust.running import REHEARSAL

SETTINGS, NOTES = REHEARSAL.settings, REHEARSAL.notes
PAUSE_S = 0.5  # when somebody is told to wait but not how long
TRIES = 20  # of one press, each after the pause that was asked for


class Answer(NamedTuple):
    """`word` files it: reserved, a refusal's code, "wait", "ok", or what went wrong. `status` 0: no answer."""

    status: int
    word: str
    document: dict[str, Any]
    retry_after_s: float


class Shopper(NamedTuple):
    name: str
    headers: dict[str, str]


def shopper(place: int) -> Shopper:
    token = REHEARSAL.tokens[place]
    return Shopper(hashlib.sha256(token.encode()).hexdigest()[:16], {"Authorization": f"Bearer {token}"})


def new_key() -> str:
    return uuid.uuid4().hex


class Person(FastHttpUser):
    """A connection to the store, played by whoever comes next: one arrival after the other, whatever his journey."""

    abstract = True
    host = SETTINGS.target
    network_timeout = connection_timeout = SETTINGS.timeout
    concurrency = 32  # a scalper presses many times at once
    journeys: ClassVar[Mapping[str, "Journey"]]

    def on_start(self) -> None:
        self.dice = random.Random()

    @task
    def live(self) -> None:
        if not REHEARSAL.to_come:
            time.sleep(3600)  # nobody is left; the shape ends the run
            return
        arrival = REHEARSAL.to_come.popleft()
        REHEARSAL.under_way += 1
        try:
            due = SETTINGS.t0 + arrival.due_s
            early_s = due - time.time()
            time.sleep(max(0.0, early_s))
            late_s = time.time() - due
            if early_s <= 0:
                NOTES.queued.append(late_s * 1000)
            NOTES.arrived[arrival.journey] += 1
            self.client.cookiejar.clear()
            # By the clock that measures: from the moment he meant to come, not from when this process got round to him.
            self.journeys[arrival.journey](self, arrival, perf_counter() - late_s)
        finally:
            REHEARSAL.under_way -= 1

    # What every journey is made of

    def press(self, who: Shopper, key: str, *, quantity: int = 1, due: float | None = None, again: bool = False) -> Answer:
        """Press buy, and again with the same key while the answer is "not now". The last answer, which decides unless he gave up."""
        headers = {**who.headers, "Idempotency-Key": key}
        body = {"sale_id": SETTINGS.sale, "quantity": quantity}
        began = due or perf_counter()
        answer = Answer(0, "undecided", {}, 0.0)
        for tried in range(TRIES):
            if again or tried:
                headers["Idempotency-Retry"] = "1"
            answer = self.ask("press", "POST", "/v1/checkouts", headers, body)
            if answer.word not in WAITS and answer.status:
                break
            pause_s = answer.retry_after_s or PAUSE_S
            time.sleep(pause_s * (1.0 + 0.2 * self.dice.random()))
        else:
            NOTES.errors["press: never decided"] += 1
        NOTES.add("decision", answer.word, (perf_counter() - began) * 1000)
        self._remember(who, key, quantity, answer)
        return answer

    def ask(self, step: str, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answer:
        """One request, and how long it took by itself."""
        began = perf_counter()
        headers = {"X-Tessera-Store": SETTINGS.store, **headers}
        with self.client.request(method, path, name=step, headers=headers, json=body, catch_response=True) as response:
            ms, late_ms = (perf_counter() - began) * 1000, (time.time() - get_hub().loop.now()) * 1000
            answer = understood(step, response.status_code or 0, response.content or b"", response.headers)
            response.request_meta["name"] = f"{step}: {answer.word}"
            if answer.word in ("ok", "reserved") or answer.word in REFUSALS or answer.word in WAITS:
                response.success()
            else:
                NOTES.errors[f"{step}: {answer.word}"] += 1
                response.failure(answer.word)
            NOTES.add(step, answer.word, ms)
            if step == "press":
                # Answers that came together are read one after the other: since the loop saw them, the waiting was not the store's.
                NOTES.add("served", answer.word, max(0.0, ms - late_ms))
        return answer

    def _remember(self, who: Shopper, key: str, quantity: int, answer: Answer) -> None:
        told = Told(who.name, key, quantity)
        if answer.word == "reserved":
            NOTES.reserved(answer.document["id"], told)
            REHEARSAL.history.told(answer.document["id"], "reserved", told)
        elif answer.document.get("order_id"):
            REHEARSAL.history.told(str(answer.document["order_id"]), answer.word, told)


# What somebody does: who, his arrival, and when he meant to come by `perf_counter()`.
Journey = Callable[[Person, Arrival, float], None]


def understood(step: str, status: int, content: bytes, headers: Any) -> Answer:
    """What an answer means to a person."""
    document: Any = {}
    if content[:1] == b"{":
        try:
            document = json.loads(content)
        except ValueError:
            document = {}
    after = str((headers or {}).get("retry-after") or "")
    retry_after_s = float(after) if after.isdigit() else 0.0
    code = str(document.get("code", ""))
    if status == 202 and step == "press":
        word = "admitted"
    elif status in (200, 201, 202):
        word = "reserved" if step == "press" else "ok"
    elif status == 0:
        word = "no answer"
    elif code in REFUSALS or code in WAITS:
        word = code
    elif status in (429, 503) and retry_after_s:
        word = "wait"
    else:
        word = code or str(status)
    return Answer(status, word, document, retry_after_s)
