"""Where a file that is sent while it is written goes in between."""

import io


class Drain(io.RawIOBase):
    """A file that is written once and forgets what was taken from it."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raw = bytes(data)  # type: ignore[call-overload]  # any buffer
        self._written += raw
        return len(raw)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken
