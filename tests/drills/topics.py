"""All topics, in the order they are played."""

from tests.drills import kills
from tests.drills.drill import Drill

TOPICS: dict[str, dict[str, Drill]] = {
    "kills": kills.DRILLS,
}
