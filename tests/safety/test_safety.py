"""The safeties: with all of them each scenario holds; without the one it is about, the same scenario is seen to fail.

A test that cannot fail proves nothing, so every promise here has its twin: the same child process, the same product code, one safety
removed by TESSERA_UNSAFE. The scenario's own count and the checker judge both.
"""

import pytest

from tests.safety.conftest import Play

HOLDS = {
    "last_unit": 100,  # rounds of 200 shoppers
    "limit_of_two": 20,  # rounds of 50 presses
    "same_key": 20,  # rounds of 100 presses
    "notices": 1000,  # cases: the whole matrix
    "misdirected": 100,  # cases: all there are
    "races": 50,  # heats of 10 races
}
CASES_MIN = 96
RACES_MIN = 250  # of 500, should the machine be too busy to begin some of them in time

# Scenario, what is removed, and the promise that the checker then finds broken ("" where only those who were told can tell).
TWINS = [
    ("last_unit", "row_lock,allotment", "I2"),
    ("limit_of_two", "unique_slot", "I8"),
    ("same_key", "idempotent_order", ""),
    ("same_key", "body_hash", ""),
    ("notices", "inbox", "I12"),
    ("notices", "amount_check", "I13"),
    ("races", "closing", ""),
    ("races", "order_lock", "I15"),
]
RUNS_MAX = 20


@pytest.mark.timeout(240)
@pytest.mark.parametrize("scenario", HOLDS)
def test_holds(play: Play, scenario: str) -> None:
    shown = play(scenario, HOLDS[scenario])
    assert (shown["wrong"], shown["violated"]) == ([], [])
    match scenario:
        case "notices":
            assert shown["rounds"] >= CASES_MIN
        case "races":
            assert sum(count for ended, count in shown["seen"].items() if ":" in ended and "never_paid" not in ended) >= RACES_MIN
        case "misdirected":
            assert shown["rounds"] == 18
        case _:
            assert shown["rounds"] == HOLDS[scenario]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("scenario", "removed", "broken"), TWINS)
def test_is_seen_to_fail_without(play: Play, scenario: str, removed: str, broken: str) -> None:
    shown = play(scenario, RUNS_MAX, removed=removed)
    assert shown["wrong"]
    assert not broken or any(line.startswith(f"{broken}:") for line in shown["violated"])


@pytest.mark.parametrize("removed", ["row_lock", "allotment"])
def test_the_last_unit_is_safe_twice(play: Play, removed: str) -> None:
    """The lock of the sale's row and the CHECK on its count each keep the last unit from being sold twice, one without the other."""
    shown = play("last_unit", RUNS_MAX, removed=removed)
    assert (shown["rounds"], shown["wrong"], shown["violated"]) == (RUNS_MAX, [], [])
