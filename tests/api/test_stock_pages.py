"""The truth about a sale for those who look at its page: one small answer, and how often it is asked."""

import datetime as dt
import json
from uuid import UUID

import httpx
import pytest

from api.pace import AGAIN_S_MAX, AGAIN_S_MIN, ASKS_PER_S, Pace
from tests.shop import Store


async def told(client: httpx.AsyncClient, store: Store, sale: str) -> dict[str, object]:
    answer = await client.get(f"/sales/{sale}/stock", headers=store.at)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, object] = json.loads(answer.content)
    return found


class TestStock:
    async def test_says_what_is_left_and_what_time_it_is(self, client: httpx.AsyncClient, acme: Store) -> None:
        before = dt.datetime.now(dt.UTC).timestamp() * 1000
        found = await told(client, acme, await acme.sale(3))
        assert (found["status"], found["left"]) == ("open", 3)
        assert before - 1 <= float(str(found["now_ms"])) <= dt.datetime.now(dt.UTC).timestamp() * 1000 + 1

    async def test_before_the_start(self, client: httpx.AsyncClient, acme: Store) -> None:
        starts_at = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)).isoformat()
        assert (await told(client, acme, await acme.sale(3, starts_at=starts_at)))["status"] == "soon"

    async def test_another_store_and_no_sale(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        sale = await acme.sale(3)
        await told(client, acme, sale)
        assert (await client.get(f"/sales/{sale}/stock", headers=globex.at)).status_code == 404
        assert (await client.get(f"/sales/sal_{UUID(int=0).hex}/stock", headers=acme.at)).status_code == 404

    async def test_many_who_ask_at_once_are_one_look(self, client: httpx.AsyncClient, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second asker is answered from memory: no statement reaches Postgres."""
        sale = await acme.sale(3)
        await told(client, acme, sale)

        def none(*_: object) -> object:
            raise AssertionError("Postgres was asked")

        monkeypatch.setattr("api.storefront.stock.offers.get", none)
        assert [(await told(client, acme, sale))["left"] for _ in range(20)] == [3] * 20


class TestPace:
    @pytest.mark.parametrize(("viewers", "low", "high"), [(10, 4, 4), (2000, 30, 50), (10_000, 60, 60)])
    def test_the_more_look_on_the_seldomer_each_asks(self, viewers: int, low: float, high: float) -> None:
        """So that all of them together cost what `ASKS_PER_S` cost; as far as the longest wait goes."""
        now = 0.0
        pace = Pace(lambda: now)
        due = [(4.0 * i / viewers) for i in range(viewers)]
        for _ in range(6):
            for i in range(viewers):
                now = due[i]
                due[i] = now + pace.asked()
            due.sort()
        assert low <= pace.again_s <= high
        assert viewers / pace.again_s <= ASKS_PER_S * 1.4 or pace.again_s == AGAIN_S_MAX

    def test_a_quiet_sale_is_asked_often_again(self) -> None:
        now = 0.0
        pace = Pace(lambda: now)
        for _ in range(1000):
            pace.asked()
        assert pace.again_s > AGAIN_S_MIN
        for _ in range(3):
            now += AGAIN_S_MAX + 1
            pace.asked()
        assert pace.again_s == AGAIN_S_MIN
