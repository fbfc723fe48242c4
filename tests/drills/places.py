"""Where a process may die: every place that the log of a running shop names, and every step that the source says there is."""

import ast
import functools
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from checkout_core.failpoints import Passing

ROOT = Path(__file__).parents[2]
# The whole way of a unit and of its money: import, publish, reserve, commit, pay, confirm, deliver, expire, refund, give back, load, relay.
WAY = (
    "tenants/vault/imports.py", "tenants/vault/loader.py", "tenants/vault/batches.py", "tenants/sales.py", "tenants/orders/*.py",
    "tenants/payments/attempts.py", "tenants/payments/confirm.py", "tenants/payments/expire.py", "tenants/payments/inbox.py",
    "tenants/payments/refunds.py", "tenants/delivery.py", "tenants/ledger.py", "tenants/duties.py", "workers/gatekeeping.py",
    "workers/relay.py",
)  # fmt: skip
STATEMENTS = {"execute", "executemany", "fetch", "fetchrow", "fetchval"}
RECORDS = {"emit", "audit"}  # of a transaction: an insert each
# By function, or by function and a part of the statement.
NOT_ON_THE_WAY = {
    **dict.fromkeys(("sales.get", "batches.recent", "read.latest", "read.look_up", "ledger.balances"), "pages read it"),
    "batches.fail": "a spreadsheet that is damaged in its middle",
    "attempts._final": "by chance: the provider never heard of an attempt that its shopper gave up",
    "gatekeeping.tend SET tries": "by chance: the duty failed for another reason than that Redis or Postgres were away",
}
KINDS = ("api", "worker", "import")


class Point(NamedTuple):
    """A place, before or after its step, in one kind of process."""

    name: str
    where: str  # the line of the source: a function may do the same to the same table twice
    kind: str

    @property
    def file(self) -> str:
        """The name of the file that arms it."""
        return f"{self.name}@{self.kind}"

    @property
    def is_on_the_way(self) -> bool:
        """Where units and money are moved; not where somebody signs up or asks for a page."""
        return self.where == "-" or any(self.where.startswith(f"{module}:") for module in _modules())

    def arm(self, folder: Path, action: str) -> Path:
        """Whoever next passes there dies (`kill`) or stands still (`stop`); the file is gone then."""
        armed = folder / self.file
        whole = armed.with_name(f".{armed.name}")  # nobody reads a file half written
        whole.write_text(f"{action}:{'' if self.where == '-' else self.where}")
        return whole.rename(armed)


class Log:
    """The log of passings, read as it grows."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0
        self.passed: Counter[Point] = Counter()
        self.lines: set[str] = set()  # module:line of the code that was under way

    def read(self) -> list[Passing]:
        """What is new since the last time."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        found = []
        for line in whole.decode().splitlines():
            pid, name, times, kind, where, action = line.split(" ")
            found.append(Passing(int(pid), name, int(times), kind, where, action))
            self.passed[Point(name, where, kind)] += 1
            self.lines.add(where)
        return found


class Step(NamedTuple):
    """A statement in the source; which of its lines is under way is Python's to say."""

    module: str
    function: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.module}.{self.function}, line {self.first}"

    def is_among(self, lines: set[str]) -> bool:
        return any(f"{self.module}:{line}" in lines for line in range(self.first, self.last + 1))


def steps() -> list[Step]:
    """Every statement on the way, from the source: a new one is expected to be passed without anybody telling."""
    found = []
    for module, path in _modules().items():
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef):
                nodes = [node for node in _own(function) if _is_step(node) and not _is_aside(f"{path.stem}.{function.name}", node)]
                found += [Step(module, function.name, node.lineno, node.end_lineno or 0) for node in nodes]
    return found


def _is_aside(function: str, node: ast.expr) -> bool:
    return any(function == name and part in ast.unparse(node) for name, _, part in (key.partition(" ") for key in NOT_ON_THE_WAY))


@functools.cache
def _modules() -> dict[str, Path]:
    paths = [path for pattern in WAY for path in sorted(ROOT.glob(pattern))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


def _own(function: ast.AST) -> list[ast.expr]:
    """Expressions of a function that are not those of a function within it."""
    found: list[ast.expr] = []
    todo = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            continue
        if isinstance(node, ast.expr):
            found.append(node)
        todo += ast.iter_child_nodes(node)
    return found


def _is_step(node: ast.expr) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    owner = ast.unparse(node.func.value)
    if node.func.attr in RECORDS:
        return owner.endswith("tx")
    setting = bool(node.args) and isinstance(node.args[0], ast.Constant) and str(node.args[0].value).startswith("SET ")
    return node.func.attr in STATEMENTS and owner.endswith("conn") and not setting
