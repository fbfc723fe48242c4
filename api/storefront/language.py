"""The words on the pages: one catalogue per language, and which of them a visitor reads."""

from importlib.resources import files
from typing import Any

import msgspec

LANGUAGES = {"zh-CN": "中文", "en": "English"}
DEFAULT = "zh-CN"
COOKIE = "tessera_lang"


class Words:
    """One language. A message is a text with `{names}`, or a pair one/other chosen by `n`."""

    def __init__(self, language: str, catalogue: dict[str, str | dict[str, str]]) -> None:
        self.language = language
        self.catalogue = catalogue

    def __call__(self, key: str, **values: Any) -> str:
        """The message `key` with its values filled in. Raises `KeyError` for one that is not in the catalogue."""
        message = self.catalogue[key]
        if isinstance(message, dict):
            message = message["one" if values["n"] == 1 else "other"]
        return message.format(**values) if values else message

    def __contains__(self, key: str) -> bool:
        return key in self.catalogue


def load(language: str) -> Words:
    raw = files(__package__).joinpath("languages", f"{language}.json").read_bytes()
    return Words(language, msgspec.json.decode(raw, type=dict[str, str | dict[str, str]]))


WORDS = {language: load(language) for language in LANGUAGES}


def choose(cookie: str | None, accept_language: str) -> Words:
    """The visitor's own choice, else the first language of his browser that we speak, else the store's."""
    if cookie in LANGUAGES:
        return WORDS[cookie]
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate(accept_language[:200].split(",")):
        tag, _, parameters = part.strip().partition(";")
        name, _, quality = parameters.strip().partition("=")
        try:
            weight = float(quality) if name == "q" else 1.0
        except ValueError:
            weight = 0.0
        primary = tag.partition("-")[0].lower()
        known = next((language for language in LANGUAGES if language.partition("-")[0] == primary), None)
        if known and weight > 0:
            wishes.append((-weight, position, known))
    return WORDS[min(wishes)[2] if wishes else DEFAULT]
