"""Rehearsals from beginning to end, each in processes of its own: against a shop of a few lines that may break its word, and a real one."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.loadtests.tiny_shop import TinyShop

SHOPPERS = 60
START_S = 3.5  # until Locust lets people in
Rehearse = Callable[..., Awaitable[tuple[int, str, dict[str, Any]]]]


class Stall(TinyShop):
    """The tiny shop with a window."""

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, object]]:
        if path == "/v1/storefront/sales/sal_1":
            return 200, {"stock": self.units, "limit_per_shopper": self.limit, "starts_at": "2026-11-11T00:00:00Z", "state": "open"}
        if path in ("/v1/storefront", "/sales/sal_1"):
            return 200, {}
        if method == "POST" and path.startswith("/pay/"):
            return super().answer(method, f"/admin{path}", headers, body)
        status, document = super().answer(method, path, headers, body)
        return status, document | ({"quantity": 1} if path == "/v1/checkouts" and status == 201 else {})


async def child(*line: str, **environ: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *line, env=os.environ | environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.fixture
async def rehearse(tmp_path: Path) -> AsyncIterator[Rehearse]:
    """Send everybody to a tiny shop; the judge's exit code, what he said, and the report."""
    shops: list[Stall] = []

    async def rehearse(limits: dict[str, str] | None = None, parts: int = 1, **habits: Any) -> tuple[int, str, dict[str, Any]]:
        shop = Stall(**{"units": SHOPPERS // 3, **habits})
        shops.append(shop)
        await shop.start()
        (tmp_path / "tokens").write_text("".join(f"st_{number}\n" for number in range(SHOPPERS)))
        environ = {
            "LOAD_TARGET": f"http://127.0.0.1:{shop.port}", "LOAD_STORE": "cards", "LOAD_SALE": "sal_1", "LOAD_RATE": str(SHOPPERS),
            "LOAD_TOKENS": str(tmp_path / "tokens"), "LOAD_FOLDER": str(tmp_path / "load"), "LOAD_SHAPE": "tail", "LOAD_PAY_SHARE": "1",
            "LOAD_HANDS": "24", "LOAD_PARTS": str(parts), "LOAD_T0": str(time.time() + START_S), "LOAD_P99_MS": "30000",
            "LOAD_LAG_MS": "30000",
            "LOAD_PATIENCE_S": "20", **(limits or {}),
        }  # fmt: skip
        code, said = await child("loadtests.locust", "run", **environ)
        assert code == 0, said
        code, said = await child("loadtests.locust", "judge", **environ)
        return code, said, json.loads((tmp_path / "load" / "report.json").read_text())

    yield rehearse
    for shop in shops:
        await shop.close()


class TestJudgement:
    async def test_a_shop_that_keeps_its_word_passes(self, rehearse: Rehearse, tmp_path: Path) -> None:
        code, said, report = await rehearse(parts=2)
        told = report["figures"]
        assert (code, report["breaches"]) == (0, []), said
        assert said.rstrip().splitlines()[-2] == "Verdict: PASS"
        assert (told["reserve"]["orders"], told["oversold"], told["duplicates"], told["never_came"]) == (SHOPPERS // 3, 0, 0, 0)
        assert told["sold_out"]["answers"] > 0
        assert told["codes_seen"] > 0
        assert {"press", "decision", "payment", "provider", "order", "codes", "paid to code"} <= set(told["steps_ms"])
        history = [json.loads(line) for line in (tmp_path / "load" / "history.jsonl").read_text().splitlines()]
        assert {line["order_id"] for line in history if line["told"] == "reserved"} == {f"ord_{n:04}" for n in range(SHOPPERS // 3)}
        assert {path.name for path in (tmp_path / "load").glob("*.html")} == {"index.html", "locust-0.html", "locust-1.html"}
        assert "not checked" in said

    async def test_a_shop_that_forgets_its_keys_and_shows_one_code_to_all_fails(self, rehearse: Rehearse) -> None:
        code, said, report = await rehearse(forgets_keys=True, same_code=True, units=1000)
        assert code == 1
        told = report["figures"]
        assert told["over_limit"] > 0
        assert told["duplicates"] > 0
        assert "for one key" in said

    async def test_a_shop_that_is_busy_is_asked_again_and_a_slow_one_fails(self, rehearse: Rehearse) -> None:
        code, said, report = await rehearse({"LOAD_P99_MS": "5"}, busy=set(range(10, 30)), delay_s=0.03)
        assert report["figures"]["told_to_wait"] > 0
        assert report["figures"]["errors"] == {}
        assert code == 1
        assert "RESERVE p99" in said

    async def test_a_generator_that_is_late_itself_does_not_judge_a_slow_shop(self, rehearse: Rehearse) -> None:
        code, said, report = await rehearse({"LOAD_P99_MS": "5", "LOAD_LAG_MS": "0", "LOAD_PIDS": f"test={os.getpid()}"}, delay_s=0.03)
        assert (code, report["verdict"]) == (3, "void")
        assert said.rstrip().splitlines()[-2] == "Verdict: VOID"
        assert set(report["watch"]["processes"]) == {"generator-0", "test"}
        assert report["watch"]["looks"] > 0
        for word in ("reserved", "sold_out"):
            served, asked = (report["figures"]["steps_ms"][step][word]["p99"] for step in ("served", "press"))
            assert 30 <= served <= asked


async def test_a_target_that_is_not_there(tmp_path: Path) -> None:
    environ = {"LOAD_TARGET": "http://127.0.0.1:9", "LOAD_STORE": "cards", "LOAD_SALE": "sal_1", "LOAD_TOKENS": str(tmp_path / "tokens")}
    code, said = await child("loadtests.locust", "run", LOAD_FOLDER=str(tmp_path / "load"), **environ)
    assert code == 2
    assert "cannot be reached" in said


@pytest.mark.timeout(240)
async def test_the_command_opens_a_shop_sells_it_out_and_leaves_nothing(tmp_path: Path) -> None:
    line = ("--shoppers", "60", "--rate", "60", "--shape", "tail", "--hands", "24", "--pay-share", "1", "--p99-ms", "60000")
    code, said = await child("tessera", "load", *line, "--folder", str(tmp_path))
    assert code == 0, said
    report = json.loads((tmp_path / "report.json").read_text())
    told = report["figures"]
    assert (told["reserve"]["orders"], told["oversold"], told["duplicates"], told["over_limit"], told["errors"]) == (15, 0, 0, 0, {})
    assert told["codes_seen"] == told["steps_ms"]["codes"]["ok"]["answers"] > 0
    assert report["checker"]["status"] == "holds"
    assert report["checker"]["invariants"]["I7"]["status"] == "holds"  # held against what people were told
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


async def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    assert (await child("tessera", "load", "--target", "http://127.0.0.1:9"))[0] == 2
    where = ("--target", "http://127.0.0.1:9", "--store", "cards", "--sale", "sal_1", "--folder", str(tmp_path))
    code, said = await child("tessera", "load", *where, TESSERA_SECRET="")
    assert code == 2
    assert "--tokens" in said
