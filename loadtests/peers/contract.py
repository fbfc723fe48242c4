"""What every racer must answer, asked one thing at a time: whoever is faster by answering something else has not won."""

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any, Final, NamedTuple

TIMEOUT_S: Final = 10
PATIENCE_S: Final = 5.0
FORGED: Final = "st_" + 72 * "A"


class Said(NamedTuple):
    status: int
    code: str  # of a problem document, else ""
    order: str  # of a reservation, else ""


class Till:
    """Presses "buy" on 127.0.0.1."""

    def __init__(self, port: int, store: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._store = store

    def press(self, token: str | None, sale: str, key: str | None, quantity: Any = 1, *, retry: bool = False) -> Said:
        """What is said in the end: who is asked to come again in a moment does so, with the same key."""
        deadline = time.monotonic() + PATIENCE_S
        while (said := self._once(token, sale, key, quantity, retry)).status == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
        return said

    def _once(self, token: str | None, sale: str, key: str | None, quantity: Any, retry: bool) -> Said:
        headers = {"Content-Type": "application/json", "X-Tessera-Store": self._store}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        if retry:
            headers["Idempotency-Retry"] = "1"
        self._connection.request("POST", "/v1/checkouts", json.dumps({"sale_id": sale, "quantity": quantity}), headers)
        response = self._connection.getresponse()
        document = json.loads(response.read())
        return Said(response.status, document.get("code", ""), document.get("id", ""))

    def close(self) -> None:
        self._connection.close()


def faults(port: int, store: str, token: Callable[[], str], open_sale: Callable[[int, int], str]) -> list[str]:
    """What the racer on `port` answered wrongly, in words; nothing when it keeps the contract.

    `token` makes a new shopper's token, `open_sale` a sale with so many units and such a limit.
    """
    wrong: list[str] = []
    till = Till(port, store)

    def expect(what: str, said: Said, status: int, code: str = "") -> Said:
        if (said.status, said.code) != (status, code) or bool(said.order) != (status == 201):
            wrong.append(f"{what}: {status} {code} was due, {said} came")
        return said

    try:
        sale, anna, bert, cleo = open_sale(3, 2), token(), token(), token()
        first = expect("the first press", till.press(anna, sale, "a"), 201)
        again = expect("the same key again", till.press(anna, sale, "a", retry=True), 201)
        if first.order != again.order:
            wrong.append(f"one key gave two orders, {first.order} and {again.order}")
        expect("the same key for another wish", till.press(anna, sale, "a", 2, retry=True), 409, "idempotency_conflict")
        expect("more than one shopper may have", till.press(anna, sale, "b", 2), 409, "limit")
        expect("as many as he may have", till.press(anna, sale, "c"), 201)
        expect("more than there are", till.press(bert, sale, "a", 2), 409, "sold_out")
        expect("the last unit, under a key that another shopper used", till.press(bert, sale, "b"), 201)
        expect("one unit too many", till.press(cleo, sale, "a"), 409, "sold_out")
        expect("the winner again, sold out or not", till.press(bert, sale, "b", retry=True), 201)
        other = open_sale(2, 1)
        expect("another sale of the same shopper", till.press(anna, other, "a2"), 201)
        expect("its limit", till.press(anna, other, "b2"), 409, "limit")
        wrong += strangers(till, token(), other)
    finally:
        till.close()
    return wrong


def strangers(till: Till, token: str, sale: str) -> list[str]:
    """What is said to those who are not shoppers, or do not ask as they should."""
    asked = {
        "no token": (till.press(None, sale, "k"), 401),
        "a forged token": (till.press(FORGED, sale, "k"), 401),
        "a token with one character changed": (till.press(token[:-1] + ("A" if token[-1] != "A" else "B"), sale, "k"), 401),
        "no key": (till.press(token, sale, None), 400),
        "a key with a blank": (till.press(token, sale, "k k"), 400),
        "no quantity": (till.press(token, sale, "k", 0), 400),
        "a quantity in letters": (till.press(token, sale, "k", "one"), 400),
    }
    return [f"{what}: {status} was due, {said} came" for what, (said, status) in asked.items() if said.status != status]
