"""The impatient one: presses again and again, and says that it is the same wish. He must be told the same each time."""

import time

from loadtests.locust.person import Person, new_key, shopper
from loadtests.locust.plan import Arrival

PRESSES = 3


def visit(person: Person, arrival: Arrival, due: float) -> None:
    """One key. Told to wait, he waits as long as he was told; a second order for his key is noted as a violation."""
    who, key = shopper(arrival.shoppers[0]), new_key()
    person.press(who, key, due=due)
    for _ in range(PRESSES - 1):
        time.sleep(person.dice.uniform(0.02, 0.4))
        person.press(who, key, again=True)
