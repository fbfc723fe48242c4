"""Where the time goes: samples as text, folded into layers; what is said when a tool is missing."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest

from loadtests.bench.profiles import layers, perf, rules, run, spy, tables
from loadtests.bench.profiles.layers import Frame, fold, layer_of, stacks_of
from loadtests.bench.profiles.perf import NotHere
from loadtests.bench.races import Hall
from tests.bench import gate_instructions

PYTHON = "/usr/lib/libpython3.11.so.1.0"
LIBC = "/usr/lib/libc.so.6"
KERNEL = "[kernel.kallsyms]"
VALKEY = "/opt/bin/valkey-server"
POSTGRES = "/opt/bin/postgres"
GO = "/build/go-peer"
HOT = f"{layers.ROOT}/api/hot.cpython-311-x86_64-linux-gnu.so"
SITE = f"{layers.ROOT}/.venv/lib/python3.11/site-packages"
SAMPLES = f"""\
python  100
        26f319 _PyEval_EvalFrameDefault ({PYTHON})
        7f7b6a7c53c0 [unknown] ([unknown])

python  100
        ffffffff81b447f6 _raw_spin_unlock_irqrestore ({KERNEL})
        ffffffff81b45d16 sock_write_iter ({KERNEL})
        ffffffff81000130 entry_SYSCALL_64_after_hwframe ({KERNEL})
        101829 write ({LIBC})

python  100
        26f319 _PyEval_EvalFrameDefault ({PYTHON})

go-peer  7
        4d1100 net/http.(*conn).readRequest ({GO})

"""


class TestStacks:
    def test_a_sample_is_its_frames_innermost_first(self) -> None:
        first, second, *_ = stacks_of(SAMPLES)
        assert first[0] == Frame("_PyEval_EvalFrameDefault", PYTHON)
        assert [frame.symbol for frame in second][:2] == ["_raw_spin_unlock_irqrestore", "sock_write_iter"]

    def test_a_name_may_have_brackets_of_its_own(self) -> None:
        assert list(stacks_of(SAMPLES))[-1] == [Frame("net/http.(*conn).readRequest", GO)]

    def test_nothing_sampled(self) -> None:
        assert list(stacks_of("")) == []


class TestLayer:
    @pytest.mark.parametrize(
        ("process", "file", "symbol", "layer"),
        [
            ("api", PYTHON, "_PyEval_EvalFrameDefault", "Python: interpreter"),
            ("api", PYTHON, "_PyObject_Malloc", "Python: memory"),
            ("api", PYTHON, "gc_collect_main", "Python: collector"),
            ("api", PYTHON, "_Py_dict_lookup", "Python: objects"),
            ("api", HOT, "__pyx_f_3api_3hot_press", "ours: api.hot"),
            ("api", f"{SITE}/uvloop/loop.cpython-311-x86_64-linux-gnu.so", "uv__io_poll", "uvloop"),
            ("api", f"{SITE}/asyncpg/pgproto/pgproto.cpython-311-x86_64-linux-gnu.so", "uuid_encode", "asyncpg"),
            ("api", "/usr/lib/python3.11/lib-dynload/_blake2.cpython-311-x86_64-linux-gnu.so", "blake2b_compress", "hashes, base64"),
            ("api", LIBC, "_int_malloc", "libc: memory"),
            ("api", "[vdso]", "__vdso_clock_gettime", "libc"),
            ("api", "/usr/lib/python3.11/lib-dynload/_datetime.cpython-311-x86_64-linux-gnu.so", "new_datetime", "other modules"),
            ("go", GO, "runtime.mallocgc", "Go: memory"),
            ("go", GO, "runtime.findRunnable", "Go: scheduler, syscalls"),
            ("go", GO, "net/http.(*conn).readRequest", "Go: net/http"),
            ("go", GO, "github.com/gomodule/redigo/redis.(*conn).Do", "Go: redigo"),
            ("redis", VALKEY, "lua_rawseti", "Lua"),
            ("redis", VALKEY, "feedAppendOnlyFile", "append-only file"),
            ("redis", VALKEY, "hashtableFind", "hashes, sets, counters"),
            ("redis", VALKEY, "processCommand", "dispatching commands"),
            ("redis", LIBC, "__memmove_avx512_unaligned_erms", "libc"),
            ("postgres", POSTGRES, "_bt_compare", "index"),
            ("postgres", POSTGRES, "XLogInsertRecord", "WAL"),
            ("postgres", POSTGRES, "hash_search_with_hash_value", "buffers, locks"),
            ("postgres", POSTGRES, "heap_update", "heap"),
            ("postgres", POSTGRES, "ExecInterpExpr", "executor"),
            ("postgres", POSTGRES, "base_yyparse", "parse, plan"),
            ("postgres", POSTGRES, "palloc0", "memory"),
            ("postgres", POSTGRES, "a_function_of_tomorrow", "others"),
        ],
    )
    def test_by_file_and_function(self, process: str, file: str, symbol: str, layer: str) -> None:
        assert layer_of([Frame(symbol, file)], rules.PROCESSES[process]) == layer

    @pytest.mark.parametrize(
        ("asked", "layer"),
        [
            (["_raw_spin_unlock_irqrestore", "tcp_sendmsg", "sock_write_iter", "vfs_write", "do_syscall_64"], "kernel: send"),
            (["_copy_to_iter", "sock_read_iter", "vfs_read", "do_syscall_64"], "kernel: receive"),
            (["ext4_sync_file", "do_fsync", "do_syscall_64"], "kernel: files"),
            (["finish_task_switch.isra.0", "schedule", "do_epoll_wait", "do_syscall_64"], "kernel: wait"),
            (["clear_page_erms", "handle_mm_fault", "exc_page_fault"], "kernel: memory"),
            (["handle_softirqs", "sysvec_apic_timer_interrupt"], "kernel: others"),
        ],
    )
    def test_the_kernel_by_what_was_asked_of_it(self, asked: list[str], layer: str) -> None:
        assert layer_of([*(Frame(each, KERNEL) for each in asked), Frame("sock_write_iter", LIBC)], ()) == layer

    def test_a_function_of_valkey_without_a_name_belongs_to_its_caller(self) -> None:
        nameless = Frame(layers.UNKNOWN, VALKEY)
        assert layer_of([nameless, Frame("hashTypeSet", VALKEY)], rules.PROCESSES["redis"]) == "hashes, sets, counters"
        assert layer_of([nameless, Frame(layers.UNKNOWN, "[unknown]")], rules.PROCESSES["redis"]) == "Lua"


class TestFolding:
    def test_every_sample_counts_once(self) -> None:
        folded = fold(SAMPLES, (*rules.PROCESSES["api"], *rules.PROCESSES["go"]))
        assert folded.layers == {"Python: interpreter": 2, "kernel: send": 1, "Go: net/http": 1}
        assert folded.samples == 4
        assert folded.top[0] == (("_PyEval_EvalFrameDefault", "libpython3.11"), 2)

    def test_layers_add_up_to_what_was_measured(self) -> None:
        found = run.in_us(fold(SAMPLES, rules.PROCESSES["api"]), cpu_us=40.0)
        assert sum(found["layers"].values()) == pytest.approx(40.0)
        assert found["layers"]["Python: interpreter"] == 20.0


class TestPythonFunctions:
    TEXT = (
        "main (api/server.py:63);Runner.run (asyncio/runners.py:118);Gate._press (api/gate.py:219);Memory.peek (api/memory.py:49) 3\n"
        "main (api/server.py:63);Runner.run (asyncio/runners.py:118);Gate._press (api/gate.py:220) 1\n"
        "main (api/server.py:63);Runner.run (asyncio/runners.py:118) 5\n"
        "Thread._bootstrap (threading.py:1002);_worker (concurrent/futures/thread.py:81) 99\n"
        "__instancecheck__ (<frozen abc>:119) 1\n"
        "<lambda> (<string>:1) 1\n"
    )

    def test_by_themselves_and_with_those_they_call(self) -> None:
        found = spy.fold(self.TEXT, cpu_us=22.0)["functions"]
        assert found["api.gate:Gate._press"] == {"self_us": 2.0, "inclusive_us": 8.0}
        assert found["api.memory:Memory.peek"] == {"self_us": 6.0, "inclusive_us": 6.0}
        assert found[spy.LOOP] == {"self_us": 10.0, "inclusive_us": 18.0}
        assert found["abc"]["self_us"] == found["namedtuple"]["self_us"] == 2.0

    def test_threads_that_wait_do_not_count(self) -> None:
        assert "concurrent" not in spy.fold(self.TEXT, cpu_us=20.0)["functions"]


class TestInstructions:
    WRITTEN = """\
events: Ir
ob=(1) /usr/lib/libpython3.11.so.1.0
fn=(1) _PyEval_EvalFrameDefault
10 100
+2 20
cob=(2) /app/api/hot.cpython-311-x86_64-linux-gnu.so
cfn=(2) press
calls=3 40
* 5000
-1 3
ob=(2)
fn=(2)
40 7
totals: 5130
"""

    def test_what_is_called_counts_where_it_is(self) -> None:
        assert gate_instructions.counts(self.WRITTEN) == {"libpython3.11": 123, "hot": 7}

    def test_without_valgrind_it_says_so(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr("sys.argv", ["gate_instructions"])
        assert gate_instructions.main() == 2
        assert "apt-get install valgrind" in capsys.readouterr().err


class TestMissingTools:
    def test_what_to_install_is_said_and_nothing_is_made_up(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(spy.sys, "executable", str(tmp_path / "python"))
        said: list[str] = []
        rig = SimpleNamespace(shop=SimpleNamespace(folder=tmp_path), pids=lambda _: {"api": [os.getpid()]})
        found = run.run(cast("Hall", SimpleNamespace(rig=rig, say=said.append)))
        assert found["scenarios"] == {}
        assert "python" not in found
        assert "linux-perf" in said[0]
        assert "pip install py-spy" in said[1]
        section = tables.profile({"profile": found})
        assert "Not measured: perf is not installed" in section
        assert "|" not in section
        assert tables.drawings({"profile": found}) == {}

    def test_a_kernel_that_may_not_be_seen(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        program = tmp_path / "perf"
        program.write_text("#!/bin/sh\necho 'Access to performance monitoring is limited.' >&2\nexit 255\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        with pytest.raises(NotHere, match="perf_event_paranoid"):
            perf.ensure()


class TestSection:
    LAYERS = {"kernel: send": 5.0, "Python: objects": 10.0, "ours: api.hot": 1.0, "ours: api.plain": 0.01}
    SEEN = {"samples": 1000, "layers": LAYERS, "top": [["dict_get", "libpython3.11", 2.5]]}
    CPU = {"api": 16.01, "redis": 0.1, "postgres": 0.0}
    FOUND: dict[str, Any] = {
        "profile": {
            "missing": {},
            "scenarios": {
                "reserve": {
                    "what": "a reservation", "per_s": 10_000, "cpu_us": CPU, "elsewhere": 0.01, "processes": {"api": SEEN},
                    "presses": [{"cpu_us": CPU}] * 3,
                }
            },
            "python": {"samples": 500, "cpu_us": 16.0, "functions": {"api.gate:Gate.send": {"self_us": 2.0, "inclusive_us": 3.0}}},
        }
    }  # fmt: skip

    def test_a_layer_a_row(self) -> None:
        section = tables.profile(self.FOUND)
        assert "| Python: objects | 10.00 |" in section
        assert "| rest | 0.01 |" in section
        assert "| **together** | **16.0** |" in section
        assert "`dict_get` (libpython3.11) 2.50" in section
        assert "| `api.gate:Gate.send` | 2.00 | 3.00 |" in section

    def test_a_process_that_did_nothing_is_left_out(self) -> None:
        assert "bench-profile-redis" not in tables.profile(self.FOUND)
        assert list(tables.drawings(self.FOUND)) == ["bench-profile-api"]

    def test_a_drawing_is_xml_and_says_its_parts(self) -> None:
        [drawn] = tables.drawings(self.FOUND).values()
        words = [element.text for element in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
        assert "ours, compiled" in words
        assert "kernel: network" in words
        assert "16.0 µs" in words
