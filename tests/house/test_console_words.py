"""What a product type is told has a name in the console, in both languages."""

import json
from typing import Any

import msgspec
import pytest

from tenants import types
from tests.house.sources import ROOT


def members(schema: dict[str, Any]) -> set[str]:
    """The properties of all structs of a schema, and the words of a choice: `period`, `period.month`."""
    found: set[str] = set()
    for struct in schema.values():
        for name, of in struct.get("properties", {}).items():
            found |= {name} | {f"{name}.{each}" for each in of.get("enum", ())}
    return found


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_setting_of_a_type_has_words(language: str) -> None:
    words = json.loads((ROOT / "admin_ui/src/words" / language / "skus.json").read_text())
    _, components = msgspec.json.schema_components([type_.Config for type_ in types.TYPES.values()])
    assert {name for name in members(components) if f"config.{name}" not in words} == set()
