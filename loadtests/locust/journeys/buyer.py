"""The buyer who means it: presses once, pays at the provider, watches his order, and looks at his code."""

import time
from time import perf_counter
from typing import Any

from loadtests.locust.person import NOTES, SETTINGS, Person, Shopper, new_key, shopper
from loadtests.locust.plan import Arrival
from loadtests.locust.running import REHEARSAL

FINAL = frozenset({"delivered", "refunded", "refused", "expired", "cancelled"})
POLL_S, POLL_MAX_S = 0.25, 2.0
TRIES = 5


def visit(person: Person, arrival: Arrival, due: float) -> None:
    """Not every winner pays: the share who do is a setting."""
    who = shopper(arrival.shoppers[0])
    told = person.press(who, new_key(), due=due)
    if told.word == "reserved" and person.dice.random() < SETTINGS.pay_share:
        pay(person, who, str(told.document["id"]), int(told.document["quantity"]))


def pay(person: Person, who: Shopper, order_id: str, quantity: int) -> None:
    """From the order to its codes; whatever stops him on the way is among the errors."""
    attempt = insist(person, "payment", "POST", f"/v1/orders/{order_id}/payments", {**who.headers, "Idempotency-Key": new_key()}, {})
    if attempt is None or not _pay_at_provider(person, str(attempt["pay_url"])):
        return
    paid_at = perf_counter()
    if _watch(person, who, order_id) != "delivered":
        return
    NOTES.add("paid to code", "ok", (perf_counter() - paid_at) * 1000)
    REHEARSAL.history.delivered(order_id)
    if shown := insist(person, "codes", "GET", f"/v1/orders/{order_id}/codes", who.headers):
        NOTES.saw_codes(order_id, shown["codes"], quantity)


def insist(person: Person, step: str, method: str, path: str, headers: dict[str, str], body: Any = None) -> dict[str, Any] | None:
    """The answer's document; again while told to wait, None when it is no success."""
    for _ in range(TRIES):
        answer = person.ask(step, method, path, headers, body)
        if answer.word != "wait":
            return answer.document if answer.word == "ok" else None
        time.sleep(answer.retry_after_s)
    NOTES.errors[f"{step}: never answered"] += 1
    return None


def _pay_at_provider(person: Person, pay_url: str) -> bool:
    """On the provider's page, or through its back office when the rehearsal has the key to it."""
    if not SETTINGS.provider_token:
        return person.ask("provider", "POST", pay_url, {"Content-Type": "application/x-www-form-urlencoded"}).word == "ok"
    office, _, prepay_id = pay_url.rpartition("/pay/")
    headers = {"Authorization": f"Bearer {SETTINGS.provider_token}"}
    return person.ask("provider", "POST", f"{SETTINGS.provider or office}/admin/pay/{prepay_id}", headers, {}).word == "ok"


def _watch(person: Person, who: Shopper, order_id: str) -> str:
    """The order's last state, asked for more and more seldom."""
    until, pause_s = perf_counter() + SETTINGS.patience, POLL_S
    state = ""
    while perf_counter() < until and state not in FINAL:
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, POLL_MAX_S)
        order = insist(person, "order", "GET", f"/v1/orders/{order_id}", who.headers)
        state = str(order["state"]) if order else state
    if state != "delivered":
        NOTES.errors[f"paid, then {state or 'nothing'}"] += 1
    return state
