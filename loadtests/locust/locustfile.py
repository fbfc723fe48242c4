"""What Locust loads: people, what they do, the shape of their coming, and what is written at the end."""

from loadtests.locust.ending import write_down
from loadtests.locust.journeys import buyer, retrier, scalper, window
from loadtests.locust.person import Person
from loadtests.locust.pulse import beat
from loadtests.locust.shape import Rehearsed


class Anybody(Person):
    """The journeys by the names that the plan gives them."""

    journeys = {"window": window.visit, "buyer": buyer.visit, "retrier": retrier.visit, "scalper": scalper.visit}


__all__ = ["Anybody", "Rehearsed", "beat", "write_down"]
