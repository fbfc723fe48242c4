"""What a code is: which text counts as one, when two are the same card, and what of it is kept and shown."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec
import re2

from checkout_core.errors import BadRequest

CODE_LENGTH_MIN: Final = 4
LABEL_LENGTH_MAX: Final = 64
SURCHARGE_MAX: Final = 100_000_000_000
LENGTH_MAX: Final = 512
PATTERN_LENGTH_MAX: Final = 200
PATTERN_MEMORY_BYTES: Final = 1 << 20


class Reason(StrEnum):
    """Why a line was not loaded. Kept in the report in place of the line, which may hold a code."""

    NOT_DECODABLE = "not_decodable"
    LINE_TOO_LONG = "line_too_long"
    OPEN_QUOTE = "open_quote"
    TOO_MANY_FIELDS = "too_many_fields"
    NO_CODE = "no_code"
    NO_SECRET = "no_secret"  # noqa: S105 - a reason, not a secret
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNPRINTABLE = "unprintable"
    PROSE = "prose"
    INNER_SPACE = "inner_space"
    MARKUP = "markup"
    PATTERN = "pattern"
    DIGITS_LOST = "digits_lost"
    NO_LABEL = "no_label"
    LABEL_TELLS = "label_tells"
    BAD_SURCHARGE = "bad_surcharge"
    SAME_IN_FILE = "same_in_file"
    SAME_IN_VAULT = "same_in_vault"


SENTENCES: Final[dict[Reason, str]] = {
    Reason.NOT_DECODABLE: "The line is not text in the file's encoding.",
    Reason.LINE_TOO_LONG: "The line is longer than any line of codes.",
    Reason.OPEN_QUOTE: "A quotation mark is opened and never closed.",
    Reason.TOO_MANY_FIELDS: "The line has more fields than the file has columns.",
    Reason.NO_CODE: "There is no card number.",
    Reason.NO_SECRET: "There is no secret beside the card number.",
    Reason.TOO_SHORT: f"Shorter than {CODE_LENGTH_MIN} characters.",
    Reason.TOO_LONG: f"Longer than {LENGTH_MAX} characters.",
    Reason.UNPRINTABLE: "Holds a character that cannot be seen or printed.",
    Reason.PROSE: "Holds Chinese, Japanese or Korean text.",
    Reason.INNER_SPACE: "Holds a space in the middle.",
    Reason.MARKUP: "Begins like a spreadsheet formula or markup (= + @ <).",
    Reason.PATTERN: "Does not match the pattern of the SKU.",
    Reason.DIGITS_LOST: "The sheet stores it as a number and has rounded its last digits; format the column as text.",
    Reason.NO_LABEL: "There is no label to choose it by (column `pick`).",
    Reason.LABEL_TELLS: "The label says the code, and everybody sees labels.",
    Reason.BAD_SURCHARGE: "The surcharge is no whole number of minor units.",
    Reason.SAME_IN_FILE: "The same card number stands earlier in this file.",
    Reason.SAME_IN_VAULT: "The same card number is in the vault already.",
}


class Content(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What is sealed for a unit, as the merchant wrote it. What a person or a type says of a line may be a `note` and no code."""

    code: str
    secret: str | None = None
    valid_until: str | None = None
    face_value: str | None = None
    note: str | None = None

    def __repr__(self) -> str:
        return "Content(…)"  # this may stand in a traceback


class Labelled(NamedTuple):
    """What is sealed, with what everybody sees of it."""

    content: Content
    label: str
    surcharge_minor: int


class Code(msgspec.Struct, frozen=True, omit_defaults=True):
    """A revealed code, with the unit it belongs to."""

    unit: int
    code: str
    secret: str | None = None
    valid_until: str | None = None
    face_value: str | None = None

    def __repr__(self) -> str:
        return f"Code(unit={self.unit})"


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Content)
_several = msgspec.msgpack.Decoder(list[Content])


def pack(content: Content) -> bytes:
    return _encoder.encode(content)


def pack_all(contents: Sequence[Content]) -> bytes:
    return _encoder.encode(contents)


def unpack_all(packed: bytes) -> list[Content]:
    return _several.decode(packed)


def unpack(packed: bytes, unit: int) -> Code:
    content = _decoder.decode(packed)
    return Code(unit, content.code, content.secret, content.valid_until, content.face_value)


# Plain ASCII of the right length and start: nothing below could object to it, and NFKC leaves it as it is. Nearly every line is this.
_plain_code = re.compile(r"[!-*,-;>?A-~][!-~]{3,511}").fullmatch
_plain_secret = re.compile(r"[!-*,-;>?A-~][!-~]{0,511}").fullmatch

# Scripts in which prose is written beside codes: Hangul, kana, ideographs and their punctuation. Full-width forms are not among them:
# they are ASCII typed with a Chinese keyboard.
_cjk = re.compile(
    "[\u1100-\u11ff\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
).search
_space = re.compile(r"\s+")
_EDGES: Final = "\ufeff\u200b\u200c\u200d\u2060"  # invisible, and often copied along at either end


def trim(text: str) -> str:
    """`text` without white space and invisible characters at either end: what is delivered."""
    text = text.strip()
    if text.isascii():
        return text
    before = None
    while before != text:
        before, text = text, text.strip(_EDGES).strip()
    return text


def normalise(text: str) -> str:
    """The form in which two card numbers are compared: NFKC, all white space removed, case kept."""
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    return _space.sub("", unicodedata.normalize("NFKC", text))


def fault(text: str, *, secret: bool = False, pattern: "Pattern | None" = None) -> Reason | None:
    """Why the trimmed `text` is no code (or no `secret` of one), or None. A SKU's `pattern` takes the place of the rules of taste."""
    if pattern is None and (_plain_secret if secret else _plain_code)(text):
        return None
    if not text:
        return Reason.NO_SECRET if secret else Reason.NO_CODE
    if len(text) > LENGTH_MAX:
        return Reason.TOO_LONG
    if not text.replace("\u3000", " ").replace("\xa0", " ").isprintable() or "\ufffd" in text:
        return Reason.UNPRINTABLE
    if pattern is not None:
        if not normalise(text):
            return Reason.UNPRINTABLE
        return None if pattern(text) else Reason.PATTERN
    plain = unicodedata.normalize("NFKC", text)
    if _cjk(plain):
        return Reason.PROSE
    if _space.search(plain):
        return Reason.INNER_SPACE
    if plain[0] in "=+@<" or text[0] in "=+@<":
        return Reason.MARKUP
    if not secret and len(text) < CODE_LENGTH_MIN:
        return Reason.TOO_SHORT
    return None


def note_fault(text: str) -> Reason | None:
    """Why a validity date or a face value cannot be delivered as it stands."""
    if len(text) > LENGTH_MAX:
        return Reason.TOO_LONG
    return None if text.replace("\u3000", " ").replace("\xa0", " ").isprintable() else Reason.UNPRINTABLE


Pattern = Callable[[str], bool]


def compile_pattern(pattern: str) -> Pattern:
    """A test for whole card numbers by a merchant's regular expression.

    RE2 matches in time linear in the text whatever the pattern, knows neither back-references nor look-around, and is given a bounded
    memory, so a pattern can be slow for nobody. Raises `BadRequest` (code `code_pattern`) for one it does not take.
    """
    if not 1 <= len(pattern) <= PATTERN_LENGTH_MAX:
        raise BadRequest(f"A pattern has 1 to {PATTERN_LENGTH_MAX} characters.", code="code_pattern")
    options = re2.Options()
    options.max_mem = PATTERN_MEMORY_BYTES
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise BadRequest(f"The pattern is not a regular expression of RE2: {_words(error)}.", code="code_pattern") from None
    return lambda text: compiled.fullmatch(text) is not None


def _words(error: Exception) -> str:
    said = error.args[0] if error.args and isinstance(error, re2.error) else "it is not text"
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def mask(text: str) -> str:
    """Enough of a code to recognise it by, never enough to use it."""
    return f"{text[:2]}…{text[-2:]}" if len(text) >= 12 else "…"
