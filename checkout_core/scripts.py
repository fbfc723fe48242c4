"""Lua that a server runs: read once, known to it by its hash, and sent whole to one that has forgotten it."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, NamedTuple, Self

from checkout_core.resp import Link, NoScript, Part


class Script(NamedTuple):
    """Lua, and the name under which a server remembers it."""

    body: bytes
    sha: bytes

    @classmethod
    def of(cls, body: bytes) -> Self:
        return cls(body, hashlib.sha1(body, usedforsecurity=False).hexdigest().encode())


def read(name: str) -> bytes:
    """The text of one of ours."""
    return files(__package__).joinpath(f"lua/{name}.lua").read_bytes()


async def run(link: Link, script: Script, names: Sequence[bytes], args: Sequence[Part], *, timeout_s: float | None = None) -> Any:
    """What it returns. Raises as `Link.call`."""
    try:
        return await link.call("EVALSHA", script.sha, len(names), *names, *args, timeout_s=timeout_s)
    except NoScript:
        # The server has forgotten the script, and so ran nothing: this is the first time, not the second.
        return await link.call("EVAL", script.body, len(names), *names, *args, timeout_s=timeout_s)
