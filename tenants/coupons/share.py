"""What a piece of a coupon takes off an order."""

from typing import NamedTuple
from uuid import UUID


class Share(NamedTuple):
    """In minor units off each line, by its key: the line's sale."""

    grant_id: UUID
    coupon_id: UUID
    lines: dict[UUID, int]

    @property
    def discount_minor(self) -> int:
        return sum(self.lines.values())
