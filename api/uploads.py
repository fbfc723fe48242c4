"""Files on their way in: read piece by piece, never awaited for ever, a few of a merchant at a time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from litestar.exceptions import InternalServerException

from api.strict import AnyRequest, SlowBody
from checkout_core.errors import AppError, TooLarge, TooMany, UnsupportedMedia

SILENCE_S: Final = 30  # an upload that pauses longer is given up
AT_ONCE_MAX: Final = 2  # files of one merchant in one process
WHOLE_AT_ONCE_MAX: Final = 8  # files of everybody that one process holds as a whole: sealed and unsealed, 30 MB each at most


class CutOff(AppError):
    """Nobody is left to read this; it keeps a lost connection from being logged as a failure of ours."""

    status = 400
    code = "upload_cut_off"


_at_work: Counter[UUID] = Counter()
_whole: Counter[str] = Counter()


async def arriving(request: AnyRequest) -> AsyncIterator[bytes]:
    """The body, piece by piece. Raises `SlowBody` when it pauses, `CutOff` when the client has hung up."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise SlowBody(f"The upload paused for {SILENCE_S} seconds. Send it again; an import is resumed.") from None
        except InternalServerException:  # Litestar's word for a client who hung up
            raise CutOff("The connection was lost. Send it again; an import is resumed.") from None
        if chunk:
            yield chunk


async def whole(request: AnyRequest, *, bytes_max: int) -> bytes:
    """A small file. Raises `UnsupportedMedia` and `TooLarge` before any of it is read, or as soon as it is larger than it said."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMedia("Send the file without a content encoding.")
    announced = request.headers.get("content-length", "")
    too_large = TooLarge(f"The file has more than {bytes_max >> 20} MiB.")
    if announced.isascii() and announced.isdigit() and int(announced) > bytes_max:
        raise too_large
    content = bytearray()
    async for chunk in arriving(request):
        content += chunk
        if len(content) > bytes_max:
            raise too_large
    return bytes(content)


@contextmanager
def room() -> Iterator[None]:
    """For a file that is held as a whole. Raises `TooMany` when the process holds as many as it may."""
    if _whole["held"] >= WHOLE_AT_ONCE_MAX:
        raise TooMany("Many files are being read at this moment. Send it again.", code="busy", retry_after_s=2)
    _whole["held"] += 1
    try:
        yield
    finally:
        _whole["held"] -= 1


@contextmanager
def place(tenant_id: UUID) -> Iterator[None]:
    """One of the merchant's places to work on a file in this process. Raises `TooMany` when all are taken."""
    if _at_work[tenant_id] >= AT_ONCE_MAX:
        raise TooMany(f"{AT_ONCE_MAX} files of yours are being read already.", retry_after_s=5)
    _at_work[tenant_id] += 1
    try:
        yield
    finally:
        _at_work[tenant_id] -= 1
        if not _at_work[tenant_id]:
            del _at_work[tenant_id]
