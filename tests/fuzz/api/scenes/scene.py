"""What an operation needs to succeed, where ids of things that are there do not do: the right password, something that may be deleted.

What a success uses up is made anew, so that the next request finds it too; what it changed for others is put right again.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.fuzz.api.house import Headers

Values = dict[str, Any]
LETTERS = 6  # a mail takes a while
ALWAYS = 1_000_000


class Given(NamedTuple):
    """`values` by the name that they have in path, query, headers or body; all of a `file`; `headers` instead of the role's."""

    values: Values
    file: bytes | None = None
    headers: Headers = {}


class Success(NamedTuple):
    """What was answered 2xx: the body that was sent, and the answer."""

    role: str
    sent: Any
    answer: Any


class Scene(NamedTuple):
    """`make` is given the role and makes what is `given`; after a success it makes it `again`, so often; `after` puts right."""

    make: Callable[[str], Given | None] = lambda _: None
    again: int = 0
    after: Callable[[Success], Any] = lambda _: None
    by_role: bool = False


def always(**values: Any) -> Callable[[str], Given]:
    return lambda _: Given(values)
