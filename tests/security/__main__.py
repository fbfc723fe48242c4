"""`make isolation`: everything that keeps tenants apart, tried at full size, and a short report: build/isolation.json.

python -m tests.security [pytest's own arguments]
"""

import json
import os
import sys
import time
from collections import Counter
from typing import Any

import pytest

from tests.house.sources import ROOT

REQUESTS = "10000"
PARTS = {
    "matrix": ["tests/security/test_isolation_matrix.py", "tests/security/test_role_matrix.py", "tests/security/test_page_matrix.py"],
    "catalogue": ["tests/security/test_catalogue.py", "tests/house/test_migrations.py"],
    "one connection": ["tests/security/test_one_connection.py"],
    "canaries": ["tests/security/test_canaries.py", "tests/tenants/invariants/test_tenancy_breaks.py"],
}


class Report:
    """A plugin of pytest: what was tried in each part, and what the tests say of it."""

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, Any]] = {name: {"tests": Counter(), "seconds": 0.0, "said": []} for name in PARTS}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        part = self.parts[next(name for name, files in PARTS.items() if report.nodeid.partition("::")[0] in files)]
        part["seconds"] += report.duration
        if report.when == "call" or report.outcome != "passed":
            part["tests"][report.outcome] += 1
        if report.when == "call":
            part["said"] += [str(value) for name, value in report.user_properties if name == "isolation"]


def main(arguments: list[str]) -> int:
    os.environ.setdefault("ISOLATION_REQUESTS", REQUESTS)
    report = Report()
    began = time.monotonic()
    files = [str(ROOT / file) for part in PARTS.values() for file in part]
    code = int(pytest.main(["-q", "-n0", "--timeout=600", "--durations=0", "--durations-min=999", *files, *arguments], plugins=[report]))
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "isolation.json").write_text(json.dumps({"passed": code == 0, "parts": report.parts}, indent=2) + "\n")
    for name, part in report.parts.items():
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in part["tests"].items())
        print(f"{name:15} {outcomes} in {part['seconds']:.0f} s", *(f"                {said}" for said in part["said"]), sep="\n")
    print(f"isolation {'holds' if code == 0 else 'IS BROKEN'} ({time.monotonic() - began:.0f} s, build/isolation.json)")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
