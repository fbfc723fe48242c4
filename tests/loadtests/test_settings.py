"""How settings are tried: whose turn it is, what noise explains, what the guide says, and that servers do what they are told."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis import Redis

from loadtests.bench import __main__ as bench
from loadtests.bench import report, settings
from loadtests.bench.candidates import TRIED, UNTRIED, Where, one
from loadtests.bench.press import Pressed, Wrong
from loadtests.bench.racers import BATCHED, OURS
from loadtests.bench.settings import Switch, racer_of, racers_of, wanted
from loadtests.bench.trials import MEASURES, differing, floors, is_better, of_the_same, ratios, turns, verdict
from tenants.db import PLANNING
from tessera.embedded import Servers

BY = {candidate.name: candidate for candidate in TRIED}


def pressed(per_s: float = 1000.0, cpu_us: float = 50.0, p99: float = 40.0) -> Pressed:
    return Pressed(100, per_s, 0.1, {"api": 60.0, "redis": 10.0, "postgres": cpu_us - 10.0}, {"p99": p99})


def rounds_of(per_s: float = 1.0, cpu_us: float = 1.0, p99_ms: float = 1.0) -> list[dict[str, float]]:
    return [{"per_s": per_s * each, "cpu_us": cpu_us * each, "p99_ms": p99_ms * each} for each in (0.9, 1.0, 1.1)]


NOISE = [dict.fromkeys(MEASURES, ratio) for ratio in (0.96, 0.99, 1.0, 1.02)]


class TestTurns:
    @pytest.mark.parametrize(
        ("others", "rounds", "plan"), [(1, 2, [0, 1, 1, 0]), (1, 3, [0, 1, 1, 0, 0, 1]), (2, 2, [0, 1, 2, 2, 1, 0]), (1, 1, [0, 1])]
    )
    def test_there_and_back(self, others: int, rounds: int, plan: list[int]) -> None:
        assert turns(others, rounds) == plan

    def test_noise_is_where_rounds_meet(self) -> None:
        plan = turns(1, 3)
        each = of_the_same(plan, [pressed(per_s) for per_s in (100, 500, 600, 200, 300, 500)])
        assert [pair["per_s"] for pair in each] == [1.2, 1.5]

    def test_the_least_rounds_have_noise(self) -> None:
        assert of_the_same(turns(1, settings.LEAST_ROUNDS), [pressed()] * 4)


class TestRatios:
    def test_the_other_by_the_chosen(self) -> None:
        assert ratios(pressed(1200, 40, 20), pressed(1000, 50, 40)) == {"per_s": 1.2, "cpu_us": 0.8, "p99_ms": 0.5}


class TestNoise:
    def test_where_nothing_differs_there_is_none(self) -> None:
        assert floors([ratios(pressed(), pressed())] * 3, 4) == dict.fromkeys(MEASURES, 1.0)

    def test_up_and_down_are_alike_and_more_rounds_are_surer(self) -> None:
        up, down = ratios(pressed(1250), pressed(1000)), ratios(pressed(800), pressed(1000))
        still = ratios(pressed(), pressed())
        assert floors([up], 3) == floors([down], 3)
        assert floors([up], 3)["per_s"] == pytest.approx(1.25)
        assert floors([up] + [still] * 9, 9)["per_s"] < floors([up] + [still] * 9, 2)["per_s"]

    def test_the_same_figures_give_the_same_floor(self) -> None:
        noise = [ratios(pressed(per_s), pressed(1000)) for per_s in (900, 950, 1100)]
        assert floors(noise, 4) == floors(noise, 4)


class TestVerdict:
    @pytest.mark.parametrize(
        ("other", "words", "better"),
        [
            (rounds_of(), "no difference", False),
            (rounds_of(per_s=1.03, cpu_us=0.98, p99_ms=1.03), "no difference", False),
            (rounds_of(per_s=1.06), "faster", True),
            (rounds_of(per_s=0.9, cpu_us=1.2, p99_ms=1.5), "slower, dearer, later", False),
            (rounds_of(per_s=1.2, p99_ms=0.8), "faster, sooner", True),
            (rounds_of(per_s=1.2, cpu_us=1.2), "faster, dearer", False),
        ],
    )
    def test_beyond_noise(self, other: list[dict[str, float]], words: str, better: bool) -> None:
        differ = differing(other, NOISE)
        assert verdict(differ) == words
        assert is_better(differ) is better


class TestCandidates:
    def test_names_are_told_once(self) -> None:
        assert len(BY) == len(TRIED)
        assert not set(BY) & set(UNTRIED)

    def test_some_or_all(self) -> None:
        assert wanted() == list(TRIED)
        assert [candidate.name for candidate in wanted(["jit", "hz"])] == ["jit", "hz"]
        with pytest.raises(KeyError, match="io-thread"):
            wanted(["io-thread"])

    def test_the_command_line(self) -> None:
        assert bench.arguments(["--settings", "jit,hz"]).candidates == wanted(["jit", "hz"])
        assert bench.arguments(["--settings"]).candidates == list(TRIED)
        with pytest.raises(SystemExit):
            bench.arguments(["--settings", "nobody_s"])

    def test_what_sessions_say_takes_a_process(self) -> None:
        assert racers_of([BY["hz"], BY["jit"]]) == [OURS]
        assert racer_of(BY["enable_seqscan"], {}) == BATCHED
        other = racer_of(BY["enable_seqscan"], {"enable_seqscan": "on"})
        assert other.arguments == ("batched", "--session", "enable_seqscan=on")
        assert racers_of([BY["enable_seqscan"]]) == [BATCHED, other]
        assert {candidate.name for candidate in TRIED if candidate.where is Where.SESSION} == set(PLANNING)

    def test_a_value_is_told_with_what_it_needs(self) -> None:
        candidate = one("a", Where.POSTGRES, "1", b="2")
        assert candidate.label(candidate.others[0]) == "1, b 2"
        assert candidate.names == ["a", "b"]


class TestTheGuide:
    def found(self, name: str = "jit", **other: float) -> dict[str, Any]:
        return {"settings": {name: {"where": "Postgres", "chosen": "off", "others": {"on": rounds_of(**other)}, "noise": NOISE}}}

    def test_a_row(self) -> None:
        row = "| `jit` | off | on | **0.80** (0.72 – 0.88) | 1.00 (0.90 – 1.10) | 1.00 (0.90 – 1.10) | slower | it is better |"
        assert row in report.settings(self.found(per_s=0.8))
        assert "| no difference | nothing speaks for a change |" in report.settings(self.found())

    def test_noise_is_told(self) -> None:
        assert "| 3 | 4 | × 1.04 | × 1.04 | × 1.04 |" in report.settings(self.found())

    def test_what_is_better_is_said(self) -> None:
        assert "| faster | none: it is to be changed |" in report.settings(self.found(per_s=1.3))

    def test_safety_comes_first(self) -> None:
        assert f"| faster | {BY['full_page_writes'].kept} |" in report.settings(self.found("full_page_writes", per_s=1.3))

    def test_pieces_of_a_run_are_put_together(self, tmp_path: Path) -> None:
        bench.keep(tmp_path, "bench.json", {"settings": {"jit": 1, "hz": 1}})
        assert bench.keep(tmp_path, "bench.json", {"settings": {"jit": 2}, "P1": 1}) == {"settings": {"jit": 2, "hz": 1}, "P1": 1}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A pair of its own: others would be surprised."""
    with Servers(tmp_path_factory.mktemp("settings"), fsync=False) as servers:
        yield servers


class TestSwitch:
    @pytest.fixture
    def switch(self, own: Servers) -> Iterator[Switch]:
        with Redis.from_url(own.redis_url) as redis:
            switch = Switch(own, redis)
            switch.note(TRIED)
            yield switch

    def test_sessions_that_are_open_and_new_ones_hear_of_it(self, own: Servers, switch: Switch) -> None:
        with asyncio.Runner() as runner:
            conn = runner.run(asyncpg.connect(own.database_url))
            for values, shown in (({"wal_compression": "pglz"}, "pglz"), ({}, "off")):
                switch.to(BY["wal_compression"], values)
                assert {runner.run(ask(conn, "wal_compression")), runner.run(ask_anew(own, "wal_compression"))} == {shown}
            runner.run(conn.close())

    def test_what_is_in_our_own_file_is_switched_too(self, own: Servers, switch: Switch) -> None:
        with asyncio.Runner() as runner:
            switch.to(BY["synchronous_commit"], {"synchronous_commit": "off"})
            assert runner.run(ask_anew(own, "synchronous_commit")) == "off"
            switch.to(BY["synchronous_commit"], {})
            assert runner.run(ask_anew(own, "synchronous_commit")) == "on" == switch.chosen(BY["synchronous_commit"])

    def test_a_restart(self, own: Servers, switch: Switch) -> None:
        with asyncio.Runner() as runner:
            before = own.pids["postgres"]
            switch.to(BY["shared_buffers"], {"shared_buffers": "128MB"})
            assert own.pids["postgres"] != before
            assert runner.run(ask_anew(own, "shared_buffers")) == "128MB"
            switch.to(BY["shared_buffers"], {})
            assert runner.run(ask_anew(own, "shared_buffers")) == "256MB"

    def test_valkey(self, own: Servers, switch: Switch) -> None:
        with Redis.from_url(own.redis_url) as redis:
            for values, shown in (({"io-threads": "2"}, "2"), ({}, "1")):
                switch.to(BY["io-threads"], values)
                assert redis.config_get("io-threads") == {"io-threads": shown}

    def test_a_value_nobody_has_heard_of_ends_the_run(self, own: Servers, switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "HEARD_S", 0.2)
        reloaded_only = BY["shared_buffers"]._replace(where=Where.POSTGRES)
        with pytest.raises(Wrong, match="shared_buffers"):
            switch.to(reloaded_only, {"shared_buffers": "128MB"})
        switch.to(reloaded_only, {})


async def ask(conn: asyncpg.Connection, name: str) -> str:
    return str(await conn.fetchval(f"SHOW {name}"))


async def ask_anew(servers: Servers, name: str) -> str:
    conn = await asyncpg.connect(servers.database_url)
    try:
        return await ask(conn, name)
    finally:
        await conn.close()
