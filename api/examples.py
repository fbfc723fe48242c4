"""An example for every body and answer of the OpenAPI document, put together from one word for each member.

The same name says the same thing everywhere, so a new body seldom needs a new word. `Struct.member` is for one that does, and a product
type's folder brings its own as `Meta(examples=[…])`. Tests hold that there is a word for each, and that every example is what its schema
allows.
"""

from typing import Any

from api.words import WORDS


class NoWord(LookupError):
    """Nobody has said what this member looks like."""


def example(schema: dict[str, Any], schemas: dict[str, Any], owner: str = "", name: str = "") -> Any:
    """A value that `schema` allows. `schemas` are the document's, `owner` and `name` the member it is for.

    Raises `NoWord`.
    """
    if "examples" in schema:
        return schema["examples"][0]
    for word in (f"{owner}.{name}", name):
        if word in WORDS:
            return WORDS[word]
    if "$ref" in schema:
        struct = schema["$ref"].rpartition("/")[2]
        return example(schemas[struct], schemas, struct)
    if "properties" in schema:
        return {member: example(of, schemas, owner, member) for member, of in schema["properties"].items()}
    if "enum" in schema:
        return schema["enum"][0]
    for variants in ("anyOf", "oneOf"):
        if variants in schema:
            return example(next(each for each in schema[variants] if each.get("type") != "null"), schemas, owner, name)
    if schema.get("type") == "array":
        return [example(schema["items"], schemas, owner, name)]
    if schema.get("type") == "object":
        return {}
    raise NoWord(f"{owner}.{name}: say in api/words what it looks like")
