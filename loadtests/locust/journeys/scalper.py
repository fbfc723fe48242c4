"""The scalper: many shoppers from one place, each pressing under several keys at the same moment. He gets no more than anybody."""

from concurrent.futures import ThreadPoolExecutor

from loadtests.locust.person import Person, Shopper, new_key, shopper
from loadtests.locust.plan import Arrival

KEYS = 3


def visit(person: Person, arrival: Arrival, due: float) -> None:
    """A ring of shoppers behind one address. Units beyond a shopper's limit are seen when the notes are judged."""

    def grab(who: Shopper) -> None:
        person.press(who, new_key(), due=due)

    ring = [shopper(place) for place in arrival.shoppers]
    with ThreadPoolExecutor(KEYS * len(ring)) as hands:
        list(hands.map(grab, [who for who in ring for _ in range(KEYS)]))
