"""Named places beside each I/O step where a drill may kill, stop, delay or fail the process. Nothing but a truth test when off.

`TESSERA_FAILPOINT=name:hit:action[:argument]` (comma-separated, tests only) acts at the `hit`-th passing of `name`:
`kill` (SIGKILL to itself), `stop` (SIGSTOP until somebody continues it), `raise`, `delay` (argument in seconds).
`TESSERA_FAILPOINT_LOG` names a file to which each passing appends a line, so that a drill can tell which places were reached.
"""

import os
import signal
import time
from collections import Counter

_plan: dict[str, tuple[int, str, str]] = {}
_log = os.environ.get("TESSERA_FAILPOINT_LOG", "")
_passed: Counter[str] = Counter()

for _entry in filter(None, os.environ.get("TESSERA_FAILPOINT", "").split(",")):
    if os.environ.get("TESSERA_ENV") != "test":
        raise ValueError("TESSERA_FAILPOINT is refused unless TESSERA_ENV=test.")
    _name, _hit, _action, *_rest = _entry.split(":")
    _plan[_name] = (int(_hit), _action, _rest[0] if _rest else "")

_active = bool(_plan or _log) and os.environ.get("TESSERA_ENV") == "test"


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
    if _passed[name] != hit:
        return
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
