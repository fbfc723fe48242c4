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
# How much of each topic `make test` and `--short` play. A drill has a least of its own beside it, so that no kind of fault, no pair of
# victims and no kind of process is missing from the short form.
SHORT = {
    "kills": 0.02, "valkey": 0.03, "postgres": 0.05, "links": 0.05, "zombies": 0.05, "payments": 0.02, "races": 0.02, "controls": 0.1,
}  # fmt: skip
# Drills of these disturb nobody: each has processes of its own.
AT_ONCE = {"payments": 3, "races": 2, "controls": 3}
