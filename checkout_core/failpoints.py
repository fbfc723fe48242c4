"""Named places before and after each I/O step, where a drill may kill, stop, delay or fail the process.

Code does not mention its places: the edges of a process pass them (`checkout_core.watched` towards Redis, `tenants.watched` towards
Postgres and providers), and exist only while somebody asked for failpoints. A place is named after the function that acts and what it
does: `payments.attempts._insert.insert-payment_attempt.before`, `orders.commit.commit_batch.commit.after`, `admit.after` for a script of
Redis, `provider.create.before` for a call of a provider.

`TESSERA_FAILPOINT=name:hit:action[:argument]` (comma-separated, tests only) acts at the `hit`-th passing of `name`:
`kill` (SIGKILL to itself), `stop` (SIGSTOP until somebody continues it), `raise`, `delay` (argument in seconds).
An entry `@folder` lets a drill arm places while the process runs: a file in the folder, named like the place, holds `action[:argument]`.
Whoever passes there next takes the file away and acts, so a process that is started again goes on. `name@api` is for API processes only,
`name@worker` for workers, `name@import` for the importer: for the command of `tessera` that runs. `kill:where` and `stop:where` wait for
whoever comes by that line of the source, as `Passing` names it.
`TESSERA_FAILPOINT_LOG` names a file that tells which places were passed, by whom, how often: see `Passing`.
"""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

_plan: dict[str, tuple[int, str, str]] = {}
_folder = ""
_log_path = os.environ.get("TESSERA_FAILPOINT_LOG", "")
_passed: Counter[str] = Counter()
_seen: set[tuple[str, str]] = set()

for _entry in filter(None, os.environ.get("TESSERA_FAILPOINT", "").split(",")):
    if os.environ.get("TESSERA_ENV") != "test":
        raise ValueError("TESSERA_FAILPOINT is refused unless TESSERA_ENV=test.")
    if _entry.startswith("@"):
        _folder = _entry[1:]
        continue
    _name, _hit, _action, *_rest = _entry.split(":")
    _plan[_name] = (int(_hit), _action, _rest[0] if _rest else "")

ON: Final = bool(_plan or _folder or _log_path) and os.environ.get("TESSERA_ENV") == "test"
_log = os.open(_log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if ON and _log_path else -1
_OURS: Final = ("api.", "workers.", "tenants.", "tessera.", "checkout_core.")


class FailpointError(Exception):
    """Raised by the action `raise`."""


class Passing(NamedTuple):
    """A line of the log, its fields with a space between. Written at the 1st, 2nd, 4th, 8th … passing, the first from each line of the
    source, and whenever somebody acts."""

    pid: int
    name: str
    times: int  # passings by this process
    kind: str  # the command that runs: `api`, `worker`, `import`
    where: str  # file:line of ours that asked, `-` when the place has none
    action: str  # `-`, or what was done


class Site(NamedTuple):
    name: str  # module and function, without the package: `orders.commit.commit_batch`
    where: str


def failpoint(name: str, where: str = "-") -> None:
    """Pass the place `name`."""
    if ON:
        _pass(name, where)


async def around(place: Site, act: Callable[[], Awaitable[T]]) -> T:
    """Pass `place.before`, act, and pass `place.after`, whether or not it succeeded."""
    failpoint(f"{place.name}.before", place.where)
    try:
        return await act()
    finally:
        failpoint(f"{place.name}.after", place.where)


def site(edges: frozenset[str]) -> Site | None:
    """The innermost function of ours that is under way and not in one of the modules `edges`; None when there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_OURS) and module not in edges:
            function = frame.f_code.co_name.strip("<>")
            return Site(f"{module.partition('.')[2]}.{function}", f"{module}:{frame.f_lineno}")
        frame = frame.f_back
    return None


def _kind() -> str:
    return sys.argv[1] if len(sys.argv) > 1 and os.path.basename(sys.argv[0]) in ("__main__.py", "tessera") else "-"


def _pass(name: str, where: str) -> None:
    _passed[name] += 1
    count = _passed[name]
    hit, action, argument = _plan.get(name, (0, "", ""))
    if count != hit:
        action, argument = (_folder and (_taken(name, where) or _taken(f"{name}@{_kind()}", where))) or ("", "")
    if _log != -1 and (action or not count & (count - 1) or (name, where) not in _seen):
        _seen.add((name, where))
        os.write(_log, (" ".join(map(str, Passing(os.getpid(), name, count, _kind(), where, action or "-"))) + "\n").encode())
    if action:
        _act(name, action, argument)


def _taken(file_name: str, where: str) -> tuple[str, str] | None:
    """What the folder holds under that name; of several processes only one takes it."""
    file = os.path.join(_folder, file_name)
    try:
        with open(file) as armed:
            action, _, argument = armed.read().partition(":")
        if action in ("kill", "stop") and argument not in ("", where):
            return None
        os.unlink(file)
    except FileNotFoundError:
        return None
    return action, argument


def _act(name: str, action: str, argument: str) -> None:
    match action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "raise":
            raise FailpointError(name)
        case "delay":
            time.sleep(float(argument))
        case _:
            raise ValueError(f"Failpoint {name} has no action {action!r}.")
