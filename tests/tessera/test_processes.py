"""Children are watched: ready when they listen themselves, started again when they die, gone with their parent."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera.embedded import NotReady
from tessera.processes import Processes, answers, free_port, listens


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path / "logs", os.environ) as running:
        yield running


def serve(processes: Processes, name: str, port: int) -> int:
    processes.run(name, str(port), "--bind", "127.0.0.1", module="http.server", port=port, path="/")
    processes.wait_ready(name)
    return processes.pids[name] or 0


class TestRunning:
    def test_ready_when_it_answers(self, processes: Processes) -> None:
        port = free_port()
        pid = serve(processes, "web", port)
        assert listens(pid, port)
        assert answers(port, "/")
        assert "GET / " in (processes.folder / "web.log").read_text()

    def test_a_siblings_answer_does_not_count(self, processes: Processes) -> None:
        port = free_port()
        serve(processes, "web", port)
        assert not listens(os.getpid(), port)
        assert not answers(port, "/there-is-no-such-page")

    def test_started_again_after_a_crash(self, processes: Processes) -> None:
        port = free_port()
        first = serve(processes, "web", port)
        processes.kill("web")
        processes.wait_ready("web")
        assert processes.pids["web"] not in (None, first)
        assert answers(port, "/")

    def test_restarted_in_order(self, processes: Processes) -> None:
        first = serve(processes, "web", free_port())
        processes.restart("web")
        assert processes.pids["web"] not in (None, first)

    def test_one_that_keeps_crashing_is_reported_with_its_log(self, processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tessera.keeper.GIVE_UP_S", 0.2)
        processes.run("broken", module="no_such_module_of_ours")
        with pytest.raises(NotReady, match="No module named no_such_module_of_ours"):
            processes.wait_ready()

    def test_a_name_is_used_once(self, processes: Processes) -> None:
        serve(processes, "web", free_port())
        with pytest.raises(ValueError, match="web"):
            serve(processes, "web", free_port())

    def test_all_end_with_the_block(self, tmp_path: Path) -> None:
        with Processes(tmp_path, os.environ) as processes:
            pids = [serve(processes, name, free_port()) for name in ("one", "two")]
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class TestFreePort:
    def test_nobody_has_it_and_no_outgoing_connection_gets_it(self) -> None:
        port = free_port()
        assert port < int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        with socket.socket() as mine:
            mine.bind(("127.0.0.1", port))
