"""A file on its way up from a form: fields first, then the file, piece by piece, never held whole and never on disk."""

from collections.abc import AsyncIterator

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from api.strict import AnyRequest
from api.uploads import arriving
from checkout_core.errors import BadRequest, TooLarge, UnsupportedMedia

FIELD_MAX = 1024
FILE_FIELD = "file"


class Upload:
    """`fields` and `filename` are known once `open_upload` returns; `chunks` then brings the file's content."""

    def __init__(self, fields: dict[str, str], filename: str, chunks: AsyncIterator[bytes]) -> None:
        self.fields = fields
        self.filename = filename
        self.chunks = chunks


async def open_upload(request: AnyRequest, *, size_max: int) -> Upload:
    """Read a multipart form up to its file, which must come last.

    Raises `UnsupportedMedia`, `BadRequest` for a form that is not ours or holds no file; reading `chunks` may raise `BadRequest` too.
    """
    media_type, options = request.content_type
    boundary = options.get("boundary", "")
    if media_type != "multipart/form-data" or not boundary:
        raise UnsupportedMedia("This takes a form with a file.")
    parts = _parts(request, PushMultipartParser(boundary, max_segment_count=16, max_segment_size=size_max))
    fields: dict[str, str] = {}
    segment: MultipartSegment | None = None
    value = bytearray()
    async for part in parts:
        if isinstance(part, MultipartSegment):
            segment, value = part, bytearray()
            if segment.name == FILE_FIELD and segment.filename is not None:
                return Upload(fields, segment.filename[:200], _content(parts))
        elif part is None and segment is not None:
            try:
                fields[segment.name] = value.decode().strip()
            except UnicodeDecodeError:
                raise BadRequest("A field is not text.") from None
        elif part:
            value += part
            if len(value) > FIELD_MAX:
                raise BadRequest("A field is too long.")
    raise BadRequest("The form holds no file.")


async def _content(parts: AsyncIterator[MultipartSegment | bytes | bytearray | None]) -> AsyncIterator[bytes]:
    async for part in parts:
        if part is None:
            return
        if not isinstance(part, MultipartSegment):
            yield bytes(part)
    raise BadRequest("The upload broke off before its end.")


async def _parts(request: AnyRequest, parser: PushMultipartParser) -> AsyncIterator[MultipartSegment | bytes | bytearray | None]:
    """Segments, pieces of their content, and None at the end of each."""
    try:
        async for chunk in arriving(request):
            for part in parser.parse(chunk):
                yield part
    except ParserLimitReached:
        raise TooLarge("The file is too large. Split it and import the parts one by one.") from None
    except MultipartError as error:
        raise BadRequest(f"The upload is not a form as browsers send them: {error}.") from None
