"""`tessera check` as it is called: what it prints and its exit code."""

import asyncio
import json
from pathlib import Path

import pytest

from tenants.invariants import cli
from tests.tenants.invariants.conftest import Bench


@pytest.fixture
def environ(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = bench.settings
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ARQ_REDIS_URL": settings.arq_redis_url,
        "TESSERA_SECRET": settings.secret.hex(),
        "TESSERA_ENV": "test",
        "TESSERA_PROVIDER_URL": "",
    }.items():
        monkeypatch.setenv(name, value)


async def called(*argv: str) -> int:
    """In a thread, since the command brings its own loop."""
    return await asyncio.to_thread(cli.main, argv)


@pytest.mark.usefixtures("environ")
class TestCheck:
    async def test_a_healthy_store(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert await called("--verbose", "--sample", "all") == 0
        out = capsys.readouterr().out
        assert "I3   holds" in out
        assert "✓ a unit has at most one delivery (" in out
        assert "0 violated" in out

    async def test_a_broken_store(self, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
        await bench.execute("UPDATE unit SET sale_id = {sale} WHERE id = {loose}")
        assert await called() == 1
        out = capsys.readouterr().out
        assert "I1   VIOLATED" in out
        assert f"sale sal_{bench.store.ids['sale'].hex}" in out

    async def test_json(self, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
        await bench.execute("DELETE FROM audit")
        assert await called("--json", "--at-rest") == 1
        report = json.loads(capsys.readouterr().out)
        assert report["status"] == "violated"
        assert report["at_rest"] is True
        assert list(report["invariants"]) == [f"I{n}" for n in range(1, 28)]
        i23 = report["invariants"]["I23"]
        assert (i23["status"], i23["violations"]) == ("violated", 2)  # the reveal is not on record, and its link has no entry
        offender = [row for claim in i23["claims"] for row in claim["rows"]]
        assert offender[:1] == [{"tenant": f"ten_{bench.store.ids['tenant'].hex}", "order": f"ord_{bench.store.ids['delivered'].hex}"}]

    async def test_the_first_ten_of_many(self, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
        await bench.loosen("unit")
        await bench.execute("UPDATE unit SET state = 'lost' WHERE state = 'available'")
        assert await called() == 1
        assert "more" in capsys.readouterr().out

    async def test_postgres_is_away(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        assert await called() == 2
        assert "could not check" in capsys.readouterr().err

    async def test_redis_is_away(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        assert await called() == 2
        assert "could not check: no sampled code stands in the clear in Redis" in capsys.readouterr().out

    async def test_a_history_that_is_none(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert await called("--history", str(tmp_path / "nowhere")) == 2
        (tmp_path / "history").write_text("{}\n")
        assert await called("--history", str(tmp_path / "history")) == 2
        assert "line 1" in capsys.readouterr().err

    async def test_an_environment_that_is_none(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.delenv("TESSERA_SECRET")
        assert await called() == 2
        assert "TESSERA_SECRET" in capsys.readouterr().err
