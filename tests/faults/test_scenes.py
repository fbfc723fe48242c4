"""A flash sale under faults, in small: with all safeties every scene is as promised; without the one it is about, the same scene is not."""

from collections.abc import Callable
from typing import Any

import pytest

from checkout_core.admission import GUARDS
from checkout_core.safeties import KNOWN
from tests.faults.play import SCENES

Play = Callable[..., dict[str, Any]]

# Scene, what is removed, and the promise that the checker then finds broken ("" where only those who were told can tell).
TWINS = [
    ("asked_again", "holders", ""),
    ("late_commit", "epoch", "I6"),
    ("given_back_twice", "give_back_seq", "I6"),
    ("admitted_twice", "ack_intent", "I6"),
    ("restored", "ident", ""),
]
ROUNDS = 3


@pytest.mark.timeout(120)
def test_every_scene_is_as_promised(play: Play) -> None:
    shown = play(*SCENES, rounds=ROUNDS)
    assert (shown["wrong"], shown["violated"]) == ([], [])
    assert shown["rounds"] == ROUNDS * len(SCENES)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("scene", "removed", "broken"), TWINS)
def test_is_seen_to_fail_without(play: Play, scene: str, removed: str, broken: str) -> None:
    shown = play(scene, removed=removed)
    assert shown["wrong"]
    assert not broken or any(line.startswith(f"{broken}:") for line in shown["violated"])


def test_what_is_taken_out_of_a_script_is_a_safety() -> None:
    assert {safety for safety, _ in GUARDS.values()} <= KNOWN
