"""What a row of the isolation matrix says of a route."""

from collections.abc import Callable
from typing import Any, NamedTuple

Ids = dict[str, str]


class Row(NamedTuple):
    """`ok` is what the rightful one is answered. `content` makes the body from ids; one that names an id is tried with foreign ones too."""

    ok: int | tuple[int, ...] = 200
    content: Callable[[Ids], dict[str, Any]] = lambda _: {}
    names_ids: bool = False  # in query or body; those in the path are seen
    query: str = ""
    private: bool = False  # of one shopper, not of every shopper of the store
    at_store: bool = False  # for everybody, yet only at the store it belongs to
    headers: dict[str, str] = {}
    qualification: str = ""  # the state of the one that is addressed


def body(**fields: Any) -> Callable[[Ids], dict[str, Any]]:
    """A JSON body; a value `{name}` is the id of that name."""
    return lambda ids: {"json": {k: v.format(**ids) if isinstance(v, str) and v.startswith("{") else v for k, v in fields.items()}}
