"""Settings are read strictly; what removes a safety is refused outside tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from checkout_core.config import Settings

ENOUGH = {"DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://localhost", "TESSERA_SECRET": "ab" * 32}


class TestSettings:
    def test_production_unless_said_otherwise(self) -> None:
        settings = Settings.from_env(ENOUGH)
        assert settings.environment == "production"
        assert settings.arq_redis_url == ENOUGH["REDIS_URL"]

    @pytest.mark.parametrize("missing", sorted(ENOUGH))
    def test_what_is_missing_is_named(self, missing: str) -> None:
        with pytest.raises(ValueError, match=missing):
            Settings.from_env({k: v for k, v in ENOUGH.items() if k != missing})

    @pytest.mark.parametrize("secret", ["ab", "zz" * 32, "ab" * 33])
    def test_a_secret_of_another_size(self, secret: str) -> None:
        with pytest.raises(ValueError, match=r"TESSERA_SECRET|hexadecimal"):
            Settings.from_env(ENOUGH | {"TESSERA_SECRET": secret})

    @pytest.mark.parametrize("environment", ["production", "demo"])
    @pytest.mark.parametrize("switch", ["TESSERA_UNSAFE", "TESSERA_FAILPOINT"])
    def test_switches_are_refused(self, switch: str, environment: str) -> None:
        with pytest.raises(ValueError, match=switch):
            Settings.from_env(ENOUGH | {switch: "row_lock", "TESSERA_ENV": environment})


class TestSwitches:
    @pytest.mark.parametrize(
        ("module", "environ"),
        [
            ("safeties", {"TESSERA_UNSAFE": "row_lock"}),
            ("safeties", {"TESSERA_UNSAFE": "row_lock", "TESSERA_ENV": "production"}),
            ("safeties", {"TESSERA_UNSAFE": "no_such_safety", "TESSERA_ENV": "test"}),
            ("failpoints", {"TESSERA_FAILPOINT": "commit.before:1:kill"}),
        ],
    )
    def test_a_process_does_not_even_start(self, module: str, environ: dict[str, str]) -> None:
        run = subprocess.run(
            [sys.executable, "-c", f"import checkout_core.{module}"], env=environ, capture_output=True, text=True, check=False
        )
        assert run.returncode == 1
        assert "ValueError" in run.stderr

    def test_a_failpoint_acts_at_its_hit_and_no_other(self) -> None:
        code = "from checkout_core.failpoints import failpoint\nfor n in range(5): failpoint('x'); print(n, flush=True)"
        environ = {"TESSERA_FAILPOINT": "x:3:kill", "TESSERA_ENV": "test"}
        run = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
        assert run.returncode == -9
        assert run.stdout.split() == ["0", "1"]

    @pytest.mark.parametrize(
        ("file", "content", "reached"),
        [
            ("x", "kill", "1"),
            ("x@worker", "kill", "1"),
            ("x@api", "kill", "1 2 3"),
            ("y", "kill", "1 2 3"),
            ("x", "kill:sale:20", "1 2"),
            ("x", "raise", "1 raised 2 3"),
        ],
    )
    def test_a_folder_arms_a_place_for_one_kind_of_process_or_one_line(self, tmp_path: Path, file: str, content: str, reached: str) -> None:
        code = """
import sys
sys.argv = ["tessera", "worker"]
from checkout_core.failpoints import FailpointError, failpoint
for n in (1, 2, 3):
    print(n, flush=True)
    try:
        failpoint("x", f"sale:{10 * n}")
    except FailpointError:
        print("raised")
"""
        (tmp_path / file).write_text(content)
        environ = {"TESSERA_FAILPOINT": f"@{tmp_path}", "TESSERA_ENV": "test"}
        run = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
        assert " ".join(run.stdout.split()) == reached
        assert (tmp_path / file).exists() == (run.returncode == 0 and "raised" not in reached)

    @pytest.mark.parametrize(("environ", "expected"), [({}, "False"), ({"TESSERA_FAILPOINT": "x:1:kill", "TESSERA_ENV": "test"}, "True")])
    def test_the_edges_are_plain_when_off(self, environ: dict[str, str], expected: str) -> None:
        """A place costs nothing then: there is none."""
        code = """
from checkout_core.watched import WatchedLink, link_class
from tenants.payments.watched import WatchedProvider, watched
from tenants.watched import WatchedConnection, connection_class
print(link_class() is WatchedLink, connection_class() is WatchedConnection, isinstance(watched(None), WatchedProvider))
"""
        run = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
        assert set(run.stdout.split()) == {expected}
