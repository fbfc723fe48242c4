"""The demonstration from beginning to end, in a process of its own, as `make demo ARGS=--exit` runs it."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tessera.demo import faces

SHORT = ("--shoppers", "1000", "--tail", "100", "--flash-shoppers", "1200")
IMPORTED = {"video-year.txt": 10_000, "game-points-gbk.csv": 5_000, "music-month.txt": 5_000, "gift-card.xlsx": 1_998}


@pytest.mark.timeout(300)
async def test_it_sells_out_serves_and_leaves_nothing(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tessera", "demo", "--folder", str(tmp_path), *SHORT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        while line := (await process.stdout.readline()).decode():
            said += line
            if "Ctrl-C" in line:
                break
        demo = json.loads((tmp_path / "demo.json").read_text())
        await visit(demo)
    except Exception as error:
        raise AssertionError(said) from error
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
    assert process.returncode == 0, said + rest.decode()
    assert sorted(os.listdir(tmp_path)) == ["lock", "report.json"]
    judge(json.loads((tmp_path / "report.json").read_text()))


async def visit(demo: dict[str, Any]) -> None:
    """What scripts and people find while it serves."""
    async with httpx.AsyncClient(base_url=demo["api"], trust_env=False) as client:
        page = await client.get("/", headers={"Host": demo["store_host"]})
        assert (page.status_code, "text/html" in page.headers["content-type"]) == (200, True)
        owner = {"Authorization": f"Bearer {demo['api_key']}"}
        sale = await client.get(f"/v1/sales/{demo['sales']['rush']}", headers=owner)
        assert (sale.status_code, sale.json()["committed"]) == (200, 500)
        sale = await client.get(f"/v1/sales/{demo['sales']['flash']}", headers=owner)
        assert (sale.json()["door"], sale.json()["committed"]) == ("gate", 300)
        console = await client.get(demo["console"])
        assert (console.status_code, "text/html" in console.headers["content-type"]) == (200 if faces.is_built() else 503, True)
        signed_in = await client.post("/v1/sessions", json=demo["owner"])
        assert signed_in.status_code == 201
    assert set(demo) == {"api", "store_host", "api_key", "owner", "sales", "provider", "mail", "console"}


def judge(report: dict[str, Any]) -> None:
    """The form that scripts rely on, and figures that are as they must be."""
    counts = {name: report[name] for name in ("units", "sold", "oversold", "duplicates", "refunded", "ledger_imbalance")}
    assert counts == {"units": 500, "sold": 500, "oversold": 0, "duplicates": 0, "refunded": 0, "ledger_imbalance": 0}
    assert 250 <= report["paid"] == report["delivered"] <= 500
    assert set(report["invariants"]) == {f"I{number}" for number in range(1, 28)}
    assert set(report["invariants"].values()) <= {"holds", "not checked"}
    assert list(report["invariants"].values()).count("holds") >= 20
    assert report["faces"] == {"store": 200, "console": 200 if faces.is_built() else None, "sign_in": 200}
    flash = report["flash"]
    assert {name: flash[name] for name in ("units", "sold", "oversold", "requests", "orders", "paid", "delivered")} == {
        "units": 300, "sold": 300, "oversold": 0, "requests": 13_200, "orders": 300, "paid": 250, "delivered": 250,
    }  # fmt: skip
    assert len(report["shelf"]["types"]) >= 10
    for seen in report["shelf"]["types"].values():
        assert (seen["delivered"], seen["used"], seen["state"]) == (seen["sold"], True, "delivered")
    for run in (report["reserve"], report["sold_out"], flash["reserve"], flash["sold_out"]):
        assert run["per_s"] > 0
        assert 0 < run["p50_ms"] <= run["p99_ms"]
        assert set(run["cpu_us"]) == {"api", "redis", "postgres"}
        assert run["cpu_us"]["api"] > 0
    assert {file: each["loaded"] for file, each in report["imports"].items()} == IMPORTED
    assert report["imports"]["music-month.txt"] == {
        "loaded": 5000,
        "duplicates": 39,
        "malformed": [427, 428, 1025, 2886, 4218],
        "blank": 12,
    }
