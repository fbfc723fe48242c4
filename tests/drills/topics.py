"""All topics, in the order they are played."""

from tests.drills.drill import Drill

TOPICS: dict[str, dict[str, Drill]] = {}
