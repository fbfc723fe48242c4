"""Forms: what a shopper is asked for a line, and what he may answer."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from checkout_core.errors import Unprocessable
from tenants.vault import compile_pattern

FIELDS_MAX: Final = 12
VALUE_MAX: Final = 200
NAME_MAX: Final = 32
GIVEN_MAX: Final = 2 * FIELDS_MAX  # answers: a field may be typed twice
AGAIN: Final = "_again"
Kind = Literal["text", "digits", "mail", "phone", "date", "choice", "secret"]
Label = Annotated[str, Meta(min_length=1, max_length=60)]


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing to ask. `label` by locale; `pattern` is a regular expression for the whole answer, and `hint` says in words what it wants;
    `secret` is never shown again. With `confirm` it is typed twice, the second time as `{name}_again`: what is credited to a wrong account
    is gone."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]
    label: Annotated[dict[Literal["zh-CN", "en"], Label], Meta(min_length=1)]
    kind: Kind = "text"
    required: bool = True
    min_length: Annotated[int, Meta(ge=1, le=VALUE_MAX)] = 1
    max_length: Annotated[int, Meta(ge=1, le=VALUE_MAX)] = 100
    pattern: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    choices: Annotated[list[Label], Meta(max_length=100)] = []
    hint: Annotated[str, Meta(max_length=200)] = ""
    confirm: bool = False


def check(fields: Sequence[Field]) -> None:
    """Whether a merchant's form can be filled in. Raises `Unprocessable` (`bad_config`), which names the field."""
    if len(_names(fields)) < len(fields) + sum(field.confirm for field in fields):
        raise Unprocessable("Two fields have the same name. Nothing was saved.", code="bad_config")
    for field in fields:
        if field.min_length > field.max_length:
            raise Unprocessable(f"fields.{field.name}: min_length is above max_length. Nothing was saved.", code="bad_config")
        if (field.kind == "choice") != bool(field.choices):
            raise Unprocessable(f"fields.{field.name}: choices belong to a field of kind choice. Nothing was saved.", code="bad_config")
        if field.confirm and len(field.name) > NAME_MAX - len(AGAIN):
            raise Unprocessable(f"fields.{field.name}: a name that is typed twice is shorter. Nothing was saved.", code="bad_config")
        if field.pattern is not None:
            compile_pattern(field.pattern)


def _names(fields: Sequence[Field]) -> set[str]:
    """By which answers are given."""
    return {field.name for field in fields} | {field.name + AGAIN for field in fields if field.confirm}


class Fault(NamedTuple):
    """Why an answer cannot be taken. `code` is for who says it in other words, with what these need in `told`."""

    code: Literal["unknown", "needed", "again", "length", "unprintable", "digits", "mail", "phone", "choice", "date", "pattern"]
    text: str
    told: dict[str, object] = {}


def answers(fields: Sequence[Field], given: Mapping[str, str]) -> dict[str, str]:
    """What was given, trimmed and checked, in the order of the form. Raises `Unprocessable` (`bad_input`) with every field at fault."""
    if wrong := faults(fields, given):
        shown = {name[:NAME_MAX]: fault.text for name, fault in wrong.items()}
        raise Unprocessable(f"Look at {', '.join(sorted(shown))} again. Nothing was saved.", code="bad_input", fields=shown)
    said = {field.name: given.get(field.name, "").strip() for field in fields}
    return {name: value for name, value in said.items() if value}


def faults(fields: Sequence[Field], given: Mapping[str, str]) -> dict[str, Fault]:
    """What is wrong with the answers, by the name they were given under; empty when they can be taken."""
    names = _names(fields)
    wrong = {name: Fault("unknown", "There is no such field.") for name in given if name not in names}
    for field in fields:
        value = given.get(field.name, "").strip()
        if not value:
            if field.required:
                wrong[field.name] = Fault("needed", "This is needed.")
        elif fault := _fault(field, value):
            wrong[field.name] = fault
        elif field.confirm and given.get(field.name + AGAIN, "").strip() != value:
            wrong[field.name + AGAIN] = Fault("again", "Type it again, the same.")
    return wrong


def _fault(field: Field, value: str) -> Fault | None:
    if not field.min_length <= len(value) <= field.max_length:
        bounds: dict[str, object] = {"least": field.min_length, "most": field.max_length}
        return Fault("length", f"{field.min_length} to {field.max_length} characters.", bounds)
    if not value.isprintable():
        return Fault("unprintable", "It holds a character that cannot be seen or printed.")
    match field.kind:
        case "digits" if not (value.isascii() and value.isdigit()):
            return Fault("digits", "Digits only.")
        case "mail" if value.count("@") != 1 or value.startswith("@") or value.endswith("@") or " " in value:
            return Fault("mail", "This is no mail address.")
        case "phone" if not (value.isascii() and value.lstrip("+").replace(" ", "").replace("-", "").isdigit()):
            return Fault("phone", "This is no telephone number.")
        case "choice" if value not in field.choices:
            return Fault("choice", f"One of {', '.join(field.choices)}.")
        case "date":
            try:
                dt.date.fromisoformat(value)
            except ValueError:
                return Fault("date", "A date as 2026-12-31.")
    if field.pattern is not None and not compile_pattern(field.pattern)(value):
        return Fault("pattern", f"It does not look as it should. {field.hint}".rstrip(), {"hint": field.hint})
    return None
