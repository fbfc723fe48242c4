"""The processes that ask: each has stores of its own, so that none is in another's way."""

from typing import Any

from tests.fuzz.api.house import House
from tests.fuzz.api.hunt import Hunt, Round
from tests.fuzz.api.world import furnish

_hunts: list[Hunt] = []


def begin(house: House, document: dict[str, Any], seed: int, examples: int, turns: int) -> None:
    """Furnishes what this process asks for."""
    _hunts.append(Hunt(house.url, document, furnish(house), seed=seed, examples=examples, turns=turns))


def ask(name: str, roles: tuple[str, ...]) -> Round:
    return _hunts[0].round(name, roles)
