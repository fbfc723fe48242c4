"""What is past its time goes, the platform's and all stores', and stores whose grace is over are deleted: once an hour.

Two workers at it are harmless: what one has deleted the other does not find.
"""

from tenants.platform import retention as platform
from tenants.privacy import leaving, retention
from tenants.privacy.leaving import Hands
from workers.rounds import Round

EVERY_S = 3600.0
FIRST_S = 60.0  # a worker that has just started has other things to do


def rounds(hands: Hands) -> list[Round]:
    return [
        Round("retention of the platform", lambda: platform.sweep(hands.platform), EVERY_S, FIRST_S),
        Round("retention of stores", lambda: retention.sweep(hands.retention), EVERY_S, FIRST_S),
        Round("deletion of stores that left", lambda: leaving.carry_out(hands), EVERY_S, FIRST_S),
    ]
