"""What the drills of kills rest on: places that are found in the source, and a sweep without which a death would be for ever."""

import asyncio
from pathlib import Path

import httpx
import pytest

from checkout_core.failpoints import Passing
from tessera.shop import Shop
from tests.drills.drill import judge, open_shop
from tests.drills.journeys import Journeys
from tests.drills.places import NOT_ON_THE_WAY, Log, Point, steps


def test_the_source_names_every_step() -> None:
    found = {f"{step.module.rpartition('.')[2]}.{step.function}" for step in steps()}
    assert {
        "batches.start",
        "loader._insert",
        "sales.create",
        "attempts._insert",
        "confirm.confirm",
        "delivery.deliver",
        "relay.send",
    } <= found
    assert not found & set(NOT_ON_THE_WAY)


def test_the_log_is_read_as_it_grows(tmp_path: Path) -> None:
    log = Log(tmp_path / "passed")
    assert log.read() == []
    (tmp_path / "passed").write_text("7 sales.get.select-sale.before 1 api tenants.sales:90 -\n7 sales.get.sel")
    assert log.read() == [Passing(7, "sales.get.select-sale.before", 1, "api", "tenants.sales:90", "-")]
    with (tmp_path / "passed").open("a") as file:
        file.write("ect-sale.after 1 api tenants.sales:90 kill\n")
    assert [(passing.name, passing.action) for passing in log.read()] == [("sales.get.select-sale.after", "kill")]
    assert set(log.passed) == {Point(f"sales.get.select-sale.{when}", "tenants.sales:90", "api") for when in ("before", "after")}


@pytest.mark.timeout(120)
def test_without_the_sweep_a_paid_order_stays_stuck() -> None:
    """The bell is lost with the worker that heard it; then only the sweep knows that something is due."""

    async def one_order(shop: Shop) -> tuple[str, list[str]]:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            journeys = Journeys(shop, client)
            await journeys.open_store(units=4)
            Point("payments.inbox.digest.commit.before", "-", "worker").arm(shop.folder / "armed", "kill")
            asked = await journeys.press(journeys.sales["direct"])
            await journeys.pay(await journeys.start(asked))
            await asyncio.sleep(6)
            state = str((await journeys.ask("GET", f"/v1/orders/{asked.order}", asked.shopper))["state"])
            return state, await judge(shop, wait_s=0)

    with open_shop(TESSERA_UNSAFE="sweep") as shop:
        state, found = asyncio.run(one_order(shop))
    assert state == "awaiting"
    assert any(line.startswith("I12:") for line in found)
