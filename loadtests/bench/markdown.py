"""Tables as the guide has them."""

from collections.abc import Iterable
from typing import Final

NOT_YET: Final = "Not measured yet.\n"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """In Markdown; the first column is words, the others are figures."""
    names = list(head)
    out = ["| " + " | ".join(names) + " |", "|---" + "|--:" * (len(names) - 1) + "|"]
    return "\n".join(out + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"
