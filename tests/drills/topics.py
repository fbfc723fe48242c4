"""All topics, in the order they are played."""

from tests.drills import controls, kills, links, payments, postgres, races, valkey, zombies
from tests.drills.drill import Drill

TOPICS: dict[str, dict[str, Drill]] = {
    "kills": kills.DRILLS,
    "valkey": valkey.DRILLS,
    "postgres": postgres.DRILLS,
    "links": links.DRILLS,
    "zombies": zombies.DRILLS,
    "payments": payments.DRILLS,
    "races": races.DRILLS,
    "controls": controls.DRILLS,
}
# Drills of these disturb nobody: each has processes of its own.
AT_ONCE = {"payments": 3, "races": 2, "controls": 3}
