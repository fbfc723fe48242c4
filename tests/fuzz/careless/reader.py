"""A reader that trusts its input, so that there is something to find. Compiled by Cython for tests/fuzz/test_fuzz.py, and only for that."""


class Page:
    """Something with a field of its own."""

    def __init__(self, size: int) -> None:
        self.size = size


def past_the_end(data: bytes, at: int) -> int:
    """The byte at a place of the sender's choice."""
    return data[at]


def before_the_beginning(data: bytes, at: int) -> int:
    """The byte before it. In Python the first one's is the last one; in C it is nobody's."""
    return data[at - 1]


def by_pointer(data: bytes, at: int) -> int:
    """Past what Cython can check."""
    memory = data
    return memory[at]


def after_release(data: bytes, at: int) -> int:
    """From bytes that nobody holds any more."""
    own: bytes | None = bytes(bytearray(data))
    memory = own
    own = None
    return memory[at]  # type: ignore[index]


def beyond_a_table(data: bytes, at: int) -> int:
    """A row of a table in C."""
    table = [3, 1, 4, 1]
    return table[at]


def of_nobody(data: bytes, at: int) -> int:
    """The field of something that is not always there."""
    page = Page(at) if at < len(data) else None
    return page.size  # type: ignore[union-attr]


def too_large(data: bytes, at: int) -> int:
    """More than a C integer holds."""
    return at * 1_000_000_000 * 1_000_000_000


def differs(data: bytes, at: int) -> int:
    """What C computes and Python does not."""
    third = at / 3
    return int(third * 1e9)
