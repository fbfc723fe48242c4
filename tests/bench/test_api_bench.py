"""The bench of the API at its smallest: every step runs, every case is measured, and what is missed is said."""

import json
import subprocess
import sys
from pathlib import Path

from tests.bench.api import data, pages, units
from tests.bench.api.__main__ import STEPS
from tests.bench.api.figures import percentile
from tests.house.sources import ROOT


def test_every_step_runs(tmp_path: Path) -> None:
    out = tmp_path / "api.json"
    command = [sys.executable, "-m", "tests.bench.api", "--smoke", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert out.exists(), done.stderr
    assert done.returncode in (0, 1), done.stderr  # 1: a goal was missed, on a busy machine
    found = json.loads(out.read_text())
    assert set(pages.CASES) <= set(found["pages"])
    assert all(len(rounds) == data.SMOKE.rounds for rounds in found["pages"].values())
    assert found["pages"]["list"][0]["items"] == pages.LIMIT
    assert found["pages"]["what no contact has"][0]["items"] == 0
    assert found["units"]["units"] == data.SMOKE.units
    assert all(len(rounds) == data.SMOKE.rounds for rounds in found["unit_pages"].values())
    assert {"units", "units, sold", "units, void"} <= set(found["unit_pages"])
    assert found["unit_pages"]["units"][0]["items"] == units.LIMIT
    assert found["orders"]["orders"] == data.SMOKE.orders
    assert all(found["merchants"][str(count)]["sign_up"]["count"] == data.SMOKE.sign_ups for count in data.SMOKE.tenants)
    assert set(found["took_s"]) == set(STEPS)
    assert done.returncode == bool(found["missed"])


def test_percentile() -> None:
    assert [percentile(range(1, 101), share) for share in (0.5, 0.99, 1)] == [50, 99, 100]
    assert percentile([7], 0.99) == 7
