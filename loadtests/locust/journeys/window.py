"""The window shopper: looks at the store and at the sale, and before it opens reloads and reloads. Never buys."""

import time

from loadtests.locust.person import SETTINGS, Person
from loadtests.locust.plan import Arrival

PAGE = {"Accept": "text/html"}
RELOADS = 4  # of one who cannot wait


def visit(person: Person, arrival: Arrival, due: float) -> None:
    """Pages as a browser asks for them, and what a store's own front end would ask the API for."""
    person.ask("store", "GET", "/v1/storefront", {})
    person.ask("page", "GET", f"/sales/{SETTINGS.sale}", PAGE)
    if arrival.phase != "crowd":
        return
    for _ in range(RELOADS):
        time.sleep(person.dice.uniform(0.5, 1.5))
        person.ask("offer", "GET", f"/v1/storefront/sales/{SETTINGS.sale}", {})
