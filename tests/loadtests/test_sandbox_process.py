"""The sandbox provider as a process: killed, started again, orphaned."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.provider import Sandbox, Sink


class TestProcess:
    def test_killed_in_the_middle_it_goes_on_with_the_same_books_and_keys(self, tmp_path: Path) -> None:
        first = Sandbox(tmp_path)
        merchant = first.register()
        out_trade_no, pay_url = merchant.create()
        paid = first.pay(pay_url)
        first.process.kill()
        first.process.wait(10)
        second = Sandbox(tmp_path)
        try:
            assert (second.provider_serial, second.admin_token) == (first.provider_serial, first.admin_token)
            merchant.sandbox = second
            assert merchant.query(out_trade_no)[1]["transaction_id"] == paid["transaction_id"]
        finally:
            first.process.stdout.close()  # type: ignore[union-attr]
            assert second.stop() == 0

    async def test_killed_before_the_webhook_it_sends_it_afterwards(self, tmp_path: Path, sink: Sink) -> None:
        first = Sandbox(tmp_path)
        merchant = first.register()
        first.faults(delay_ms=60_000)
        first.pay(merchant.create(sink.url)[1])
        first.process.kill()
        first.process.wait(10)
        second = Sandbox(tmp_path)
        try:
            (notice,) = await sink.wait(1)
            assert notice.event_type == "TRANSACTION.SUCCESS"
        finally:
            first.process.stdout.close()  # type: ignore[union-attr]
            assert second.stop() == 0

    @pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
    def test_it_dies_with_its_parent(self, tmp_path: Path) -> None:
        script = (
            "import subprocess, sys, time\n"
            f"p = subprocess.Popen([sys.executable, '-m', 'loadtests.counterparts.sandbox', '--folder', {str(tmp_path)!r}, '--print-json'],"
            " stdout=subprocess.PIPE)\n"
            "print(p.pid, p.stdout.readline()[:1], flush=True)\n"
            "time.sleep(60)\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert parent.stdout
        pid = int(parent.stdout.readline().split()[0])
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        parent.stdout.close()
        ended_by = time.monotonic() + 10
        while alive(pid) and time.monotonic() < ended_by:
            time.sleep(0.02)
        assert not alive(pid)

    def test_it_imports_nothing_of_ours(self) -> None:
        ours = ("tenants", "checkout_core", "api", "workers", "tessera")
        script = f"import sys, loadtests.counterparts.sandbox.__main__\nprint([m for m in sys.modules if m.split('.')[0] in {ours!r}])"
        assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
