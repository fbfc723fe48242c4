"""The shipped scripts, run by Lua 5.1 as Redis runs them, against a dictionary instead of a server."""

import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from lupa import lua51

Reply = Any  # what RESP can say: bytes, int, None, a list of these, or an Error
Run = Callable[[Sequence[bytes]], Reply]

_lua = lua51.LuaRuntime(encoding=None, unpack_returned_tuples=True, register_eval=False)  # type: ignore[call-arg]
_table = _lua.table


class Error(Exception):
    """An error reply."""


@cache
def compile_script(body: bytes) -> Any:
    return _lua.execute(b"return function(KEYS, ARGV, redis, struct)\n" + body + b"\nend")


def run_script(body: bytes, keys: Sequence[bytes], args: Sequence[bytes], execute: Run) -> Reply:
    """What the script returns; `execute` does what it calls."""
    script = compile_script(body)
    _calls.execute = execute
    return _reply(script(_table(*keys), _table(*args), _REDIS, _STRUCT))


class _Calls:
    """Whose commands a running script's are."""

    execute: Run


_calls = _Calls()


def _call(*parts: bytes | float) -> Any:
    reply = _calls.execute([p if type(p) is bytes else _text(p) for p in parts])
    if type(reply) is list:
        return _table(*[False if item is None else item for item in reply])
    return False if reply is None else reply


def _text(number: Any) -> bytes:
    return b"%d" % number if number == int(number) else repr(number).encode()


def _pack(form: bytes, number: float) -> bytes:
    assert form == b">I8", form
    return struct.pack(">Q", int(number))


def _unpack(form: bytes, value: bytes) -> tuple[Any, ...]:
    """As the library does it: many, and where it stopped behind the last."""
    assert set(form) <= set(b">cI0123456789"), form
    python = form.replace(b"c16", b"16s").replace(b"I4", b"I")
    return (*struct.unpack(python, value), len(value) + 1)


def _error_reply(text: bytes) -> Any:
    return _lua.table_from({b"err": text})


_REDIS = _lua.table_from({b"call": _call, b"error_reply": _error_reply})
_STRUCT = _lua.table_from({b"pack": _pack, b"unpack": _unpack})


def _reply(value: Any) -> Reply:
    kind = lua51.lua_type(value)
    if kind == "table":
        if (error := value[b"err"]) is not None:
            raise Error(error.decode())
        return [_reply(value[i]) for i in range(1, len(value) + 1)]
    if value is None or value is False:
        return None
    return 1 if value is True else value if type(value) is bytes else int(value)
