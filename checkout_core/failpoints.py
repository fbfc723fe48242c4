"""Named places beside each I/O step where a drill may kill, stop, delay or fail the process. Nothing but a truth test when off.

`TESSERA_FAILPOINT=name:hit:action[:argument]` (comma-separated, tests only) acts at the `hit`-th passing of `name`:
`kill` (SIGKILL to itself), `stop` (SIGSTOP until somebody continues it), `raise`, `delay` (argument in seconds).
An entry `@folder` lets a drill arm places while the process runs: a file in the folder, named like the place, holds `action[:argument]`.
Whoever passes there next takes the file away and acts, so a process that is started again goes on.
`TESSERA_FAILPOINT_LOG` names a file to which each passing appends a line, so that a drill can tell which places were reached.
"""

import os
import signal
import time
from collections import Counter

_plan: dict[str, tuple[int, str, str]] = {}
_folder = ""
_log = os.environ.get("TESSERA_FAILPOINT_LOG", "")
_passed: Counter[str] = Counter()

for _entry in filter(None, os.environ.get("TESSERA_FAILPOINT", "").split(",")):
    if os.environ.get("TESSERA_ENV") != "test":
        raise ValueError("TESSERA_FAILPOINT is refused unless TESSERA_ENV=test.")
    if _entry.startswith("@"):
        _folder = _entry[1:]
        continue
    _name, _hit, _action, *_rest = _entry.split(":")
    _plan[_name] = (int(_hit), _action, _rest[0] if _rest else "")

_active = bool(_plan or _folder or _log) and os.environ.get("TESSERA_ENV") == "test"


class FailpointError(Exception):
    """Raised by the action `raise`."""


def failpoint(name: str) -> None:
    """Pass the place `name`."""
    if _active:
        _pass(name)


def _pass(name: str) -> None:
    _passed[name] += 1
    if _log:
        with open(_log, "a") as log:
            log.write(f"{os.getpid()} {name} {_passed[name]}\n")
    hit, action, argument = _plan.get(name, (0, "", ""))
    if _passed[name] == hit:
        _act(name, action, argument)
    if _folder and (armed := _taken(name)):
        _act(name, *armed)


def _taken(name: str) -> tuple[str, str] | None:
    """What the folder holds for `name`; of several processes only one takes it."""
    file = os.path.join(_folder, name)
    try:
        with open(file) as armed:
            action, _, argument = armed.read().partition(":")
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
