"""The double of Postgres says what real SQL says, and leaves the same rows."""

import pytest

from checkout_core.config import Settings
from tests.simulation import contract
from tests.simulation.agreement import Disagreement, agree

BATCHES = 250  # `make sim AGREE=10000` says more


async def test_agrees_with_real_sql_row_for_row(settings: Settings) -> None:
    assert await agree(settings, BATCHES) >= BATCHES


async def test_a_double_that_is_wrong_is_seen(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forgets(*_: object) -> None: ...

    doubles = [(module, name, forgets if name == "give_back" else double) for module, name, double in contract.DOUBLES]
    monkeypatch.setattr(contract, "DOUBLES", doubles)
    monkeypatch.setattr(contract, "give_back", forgets)
    with pytest.raises(Disagreement, match="double"):
        await agree(settings, BATCHES, first=1_000_000)
