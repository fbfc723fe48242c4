"""From a row to what will be sealed, or the reason why not."""

from collections.abc import Callable

from tenants.vault.codes import LABEL_LENGTH_MAX, SURCHARGE_MAX, Content, Labelled, Pattern, Reason, fault, normalise, note_fault
from tenants.vault.layout import Layout
from tenants.vault.rows import Row

Verdict = Content | Labelled | Reason | None
"""None: the row is blank."""


def examiner(layout: Layout, pattern: Pattern | None, *, picked: bool = False) -> Callable[[Row], Verdict]:
    """A judge of the rows of one file. A row lacks nothing when the columns after the code and its secret are missing; of what shoppers
    choose among, each has a label."""
    columns = layout.columns
    width = len(columns)
    code_at = columns.index("code")
    secret_at = columns.index("secret") if "secret" in columns else None
    notes_at = [(at, role) for at, role in enumerate(columns) if role in ("valid_until", "face_value")]

    def examine(row: Row) -> Verdict:
        if row.fault is not None:
            return row.fault
        fields = row.fields
        if not fields:
            return None
        if len(fields) > width and any(fields[width:]):
            return Reason.TOO_MANY_FIELDS
        code = fields[code_at] if code_at < len(fields) else ""
        if wrong := fault(code, pattern=pattern):
            return wrong
        if secret_at is None:
            secret = None
        else:
            secret = fields[secret_at] if secret_at < len(fields) else ""
            if wrong := fault(secret, secret=True):
                return wrong
        if not notes_at:
            return Content(code, secret)
        notes: dict[str, str] = {}
        for at, role in notes_at:
            if at < len(fields) and fields[at]:
                if wrong := note_fault(fields[at]):
                    return wrong
                notes[role] = fields[at]
        return Content(code, secret, notes.get("valid_until"), notes.get("face_value"))

    return _labelled(layout, examine) if picked else examine


def _labelled(layout: Layout, examine: Callable[[Row], Verdict]) -> Callable[[Row], Verdict]:
    at: dict[str, int] = {role: place for place, role in enumerate(layout.columns)}

    def field(row: Row, role: str) -> str:
        place = at.get(role, len(row.fields))
        return row.fields[place] if place < len(row.fields) else ""

    def label(row: Row) -> Verdict:
        verdict = examine(row)
        if not isinstance(verdict, Content):
            return verdict
        shown, surcharge = field(row, "pick"), field(row, "surcharge_minor")
        if not shown:
            return Reason.NO_LABEL
        if len(shown) > LABEL_LENGTH_MAX:
            return Reason.TOO_LONG
        if wrong := note_fault(shown):
            return wrong
        # A number that everybody sees may be the card's when a secret goes with it.
        if normalise(verdict.secret or verdict.code) in normalise(shown):
            return Reason.LABEL_TELLS
        if surcharge and not (surcharge.isascii() and surcharge.isdigit() and int(surcharge) <= SURCHARGE_MAX):
            return Reason.BAD_SURCHARGE
        return Labelled(verdict, shown, int(surcharge or 0))

    return label
