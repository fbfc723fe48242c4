"""The words on the pages: one catalogue per language, and which of them a visitor reads."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import msgspec

LANGUAGES = {"zh-CN": "中文", "en": "English"}
DEFAULT = "zh-CN"
COOKIE = "tessera_lang"
_AUTONYMS = {
    "zh-TW": "繁體中文", "zh-HK": "繁體中文（香港）", "zh-Hant": "繁體中文", "ja": "日本語", "ko": "한국어",
    "th": "ไทย", "vi": "Tiếng Việt", "de": "Deutsch", "es": "Español", "fr": "Français", "pt": "Português",
    "pt-BR": "Português (Brasil)", "ru": "Русский",
}  # fmt: skip


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


def choose(cookie: str | None, accept_language: str, locales: Sequence[str], default: str) -> str:
    """Which of `locales` a visitor reads: the one he chose, else the first language of his browser that is there, else `default`."""
    if cookie in locales:
        return str(cookie)
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate(accept_language[:200].split(",")):
        tag, _, parameters = part.strip().partition(";")
        name, _, quality = parameters.strip().partition("=")
        try:
            weight = float(quality) if name == "q" else 1.0
        except ValueError:
            weight = 0.0
        known = _nearest(tag, locales)
        if known and weight > 0:
            wishes.append((-weight, position, known))
    return min(wishes)[2] if wishes else default


def words_for(locale: str, default: str) -> Words:
    """Our own words for a page in `locale`: in its language where we speak it, else in that of the store's `default`, else in ours."""
    spoken = list(LANGUAGES)
    return WORDS[_nearest(locale, spoken) or _nearest(default, spoken) or DEFAULT]


def offered(locales: Sequence[str]) -> dict[str, str]:
    """The names that languages have in themselves, by locale; a tag whose name we do not know is its own."""
    return {locale: LANGUAGES.get(locale) or _AUTONYMS.get(locale) or locale for locale in locales}


def _nearest(tag: str, locales: Sequence[str]) -> str | None:
    """The same locale, else the first of the same language."""
    exact = next((locale for locale in locales if locale.lower() == tag.lower()), None)
    return exact or next((locale for locale in locales if locale.partition("-")[0] == tag.partition("-")[0].lower()), None)
