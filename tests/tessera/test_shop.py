"""A whole shop on one machine opens, heals and closes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tessera.processes import answers
from tessera.shop import Shop, secret_of
from tests.house.sources import ROOT


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop"), apis=2, fsync=False, environ={"TESSERA_ENV": "test"}) as running:
        yield running


class TestOpen:
    def test_everything_runs(self, shop: Shop) -> None:
        assert shop.processes.pids.keys() == {"provider", "mail", "api-1", "api-2", "worker"}
        assert None not in shop.processes.pids.values()
        assert httpx.get(f"{shop.api_url}/readyz").status_code == 200

    def test_the_provider_has_told_its_keys(self, shop: Shop) -> None:
        assert shop.provider.url == shop.provider_url
        assert "BEGIN PUBLIC KEY" in shop.provider.provider_public_key_pem

    @pytest.mark.parametrize("name", ["api-1", "api-2", "worker", "provider", "mail"])
    def test_what_is_killed_comes_back(self, shop: Shop, name: str) -> None:
        before = shop.processes.pids[name]
        shop.processes.kill(name)
        shop.processes.wait_ready(name)
        assert shop.processes.pids[name] not in (None, before)
        assert answers(shop.port, "/readyz")

    def test_the_schema_is_there_and_stays(self, shop: Shop) -> None:
        again = subprocess.run(
            [sys.executable, "-m", "tessera", "migrate"], cwd=ROOT, env=shop.environ, capture_output=True, text=True, check=True
        )
        assert again.stdout == "nothing to do\n"


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    secret = secret_of(tmp_path / "new")
    assert len(bytes.fromhex(secret)) == 32
    assert secret_of(tmp_path / "new") == secret
    assert (tmp_path / "new" / "secret").stat().st_mode & 0o777 == 0o600


def test_up_serves_until_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tessera", "up", "--folder", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        told = {line[:15].strip(): line[15:].strip() for line in (up.stdout.readline() for _ in range(8))}
        assert httpx.get(f"{told['API and store']}/readyz").status_code == 200
        assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
        shell = ["bash", "-c", f'{told["In a shell"]}; echo "$API $MAIL/mails $PROVIDER"; [ -n "$PROVIDER_TOKEN" ]']
        heard = subprocess.run(shell, capture_output=True, text=True, check=True)
        assert heard.stdout.split() == [told["API and store"], told["Mail"], told["Provider"]]
        up.terminate()
        assert up.wait(30) == 0
    assert not (tmp_path / "env").exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{told['API and store']}/readyz")
