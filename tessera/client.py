"""Writes the typed client of the API from its OpenAPI document: a module for each tag, with its structs and its calls.

A struct stands where it is used first, in the order of the document's tags; others import it from there. The same document gives the same
files, byte for byte; a test holds that those in the repository are what it gives now.
"""

import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

Document = dict[str, Any]

CORE: Final = "loadtests.client.core"
OPERATIONS: Final = "loadtests.client.operations"
TYPES: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict[str, Any]"}
HIDDEN: Final = {"Idempotency-Key", "X-Tessera-Store", "If-None-Match"}  # the client's own affair
LONG: Final = 140


def write(document: Document) -> dict[str, str]:
    """The files by name, formatted."""
    tags = [tag["name"] for tag in document["tags"]]
    writer = _Writer(document)
    files = {f"{_snake(tag)}.py": text for tag in tags if (text := writer.module(tag))}
    names = ", ".join(sorted(name.removesuffix(".py") for name in files))
    about = '"""Every operation of the API as a call, a module for each tag. Written by `make client`; not to be edited."""'
    modules = names.split(", ")
    files["__init__.py"] = f"{about}\n\nfrom {OPERATIONS} import {names}\n\n__all__ = {modules!r}\n"
    return {name: _formatted(name, text) for name, text in sorted(files.items())}


class _Writer:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.schemas = document["components"]["schemas"]
        self.home: dict[str, str] = {}  # the module of each struct

    def module(self, tag: str) -> str:
        """Its text; empty when the tag has no operation."""
        found = [
            (path, method, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            if operation["tags"] == [tag]
        ]
        if not found:
            return ""
        module = _snake(tag)
        calls = [self._call(*each) for each in found]
        used = list(dict.fromkeys(name for _, _, operation in found for name in self._structs(operation)))
        own = [name for name in used if name not in self.home]
        self.home |= dict.fromkeys(own, module)
        body = "\n\n\n".join([*(self._struct(name) for name in self._in_order(own)), *calls])
        return f'"""{tag}. Written by `make client`; not to be edited."""\n\n{self._imports(body, module)}\n\n\n{body}\n'

    def _imports(self, body: str, module: str) -> str:
        code = re.sub(r'""".*?"""', "", body, flags=re.DOTALL)

        def says(word: str) -> bool:
            return re.search(rf"\b{re.escape(word)}\b", code) is not None

        typing = [name for name in ("Any", "Literal") if says(name)]
        core = [name for name in ("Call", "Pages", "new_key") if says(name)]
        named = [name for name in ("UNSET", "Struct", "UnsetType") if says(name)]
        named += ["field"] if "= field(" in code else []  # a member may have this name too
        structs: dict[str, list[str]] = {}
        for name, home in self.home.items():
            if home != module and says(name):
                structs.setdefault(home, []).append(name)
        lines = [
            "import datetime as dt" if says("dt") else "",
            f"from typing import {', '.join(typing)}" if typing else "",
            "",
            f"from msgspec import {', '.join(named)}" if named else "",
            "",
            f"from {CORE} import {', '.join(core)}",
            *(f"from {OPERATIONS}.{home} import {', '.join(sorted(names))}" for home, names in sorted(structs.items())),
        ]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def _resolved(self, named: Any) -> Any:
        while "$ref" in named:
            meant: Any = self.document
            for step in named["$ref"].split("/")[1:]:
                meant = meant[step]
            named = meant
        return named

    def _answers(self, operation: Any) -> dict[int, tuple[str, Any]]:
        """Type and schema by status, of what is an answer and no problem."""
        answers = {}
        for status, response in operation["responses"].items():
            content = self._resolved(response).get("content", {})
            if "application/json" in content:
                schema = content["application/json"]["schema"]
                answers[int(status)] = (self._type(schema), schema)
            elif int(status) < 300:
                answers[int(status)] = ("str" if content else "None", {})
        return answers

    def _structs(self, part: Any) -> Iterator[str]:
        """The structs that are named in a part of the document, and those in them; what another names first comes first."""
        if isinstance(part, dict):
            if str(part.get("$ref", "")).startswith("#/components/schemas/"):
                name = part["$ref"].rpartition("/")[2]
                if name != "Problem":
                    yield from self._structs(self.schemas[name])
                    yield name
            else:
                for key, each in part.items():
                    if key != "example":
                        yield from self._structs(each)
        elif isinstance(part, list):
            for each in part:
                yield from self._structs(each)

    def _in_order(self, names: list[str]) -> list[str]:
        return list(dict.fromkeys(name for outer in names for name in [*self._structs(self.schemas[outer]), outer] if name in names))

    def _type(self, schema: Any) -> str:
        if "$ref" in schema:
            return str(schema["$ref"].rpartition("/")[2])
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        for variants in ("anyOf", "oneOf"):
            if variants in schema:
                types = [self._type(each) for each in schema[variants] if each.get("type") != "null"]
                return " | ".join([*types, *(["None"] if len(types) < len(schema[variants]) else [])])
        if schema.get("type") == "array":
            return f"list[{self._type(schema['items'])}]"
        if schema.get("type") == "string" and schema.get("format") == "date-time":
            return "dt.datetime"
        return TYPES.get(schema.get("type", ""), "Any")

    def _struct(self, name: str) -> str:
        schema = self.schemas[name]
        required = schema.get("required", [])
        members = schema.get("properties", {})
        lines = [f"class {name}(Struct, frozen=True, kw_only=True, omit_defaults=True):"]
        if described := schema.get("description"):
            lines += [_docstring(described), ""]
        for member, of in members.items():
            # What may be left out and has no default says something by not being there.
            type_, is_absent = self._type(of), member not in required and "default" not in of
            if is_absent:
                type_ = f"{type_.removesuffix(' | None')} | UnsetType{' | None' if type_.endswith(' | None') else ''}"
            lines.append(f"    {member}: {type_}{' = UNSET' if is_absent else '' if member in required else _default(of)}")
        return "\n".join(lines if members or described else [*lines, "    pass"])

    def _call(self, path: str, method: str, operation: Any) -> str:
        answers = self._answers(operation)
        parameters = [each for each in operation["parameters"] if each["name"] not in HIDDEN]
        queries = [each for each in parameters if each["in"] == "query"]
        headers = [each for each in parameters if each["in"] == "header"]
        accepts_key = any(each["name"] == "Idempotency-Key" for each in operation["parameters"])
        positional = [f"{name}: str" for name in re.findall(r"{(\w+)}", path)]
        named = [self._argument(each) for each in sorted(queries + headers, key=lambda each: not each["required"])]
        sent = []
        if content := operation.get("requestBody", {}).get("content"):
            if "application/json" in content:
                body = self._type(content["application/json"]["schema"])
                # What says all in its address may be sent without a body.
                if operation["requestBody"]["required"]:
                    positional.append(f"body: {body}")
                    sent.append("body=body")
                elif self._resolved(content["application/json"]["schema"]).get("properties"):
                    positional.append(f"body: {body} | None = None")
                    sent.append(f"body=body or {body}()")
                else:
                    sent.append(f"body={body}()")
            else:
                positional.append("file: bytes")
                named.append(f"content_type: Literal[{', '.join(map(repr, content))}] = {next(iter(content))!r}")
                sent.append("body=file")
        given = {each["name"]: _argument_name(each["name"]) for each in headers}
        if content and "application/json" not in content:
            given["Content-Type"] = "content_type"
        if accepts_key:
            named.append("idempotency_key: str | None = None")
            given["Idempotency-Key"] = "idempotency_key or new_key()"
        if given:
            sent.append(f"headers={{{', '.join(f'{name!r}: {value}' for name, value in given.items())}}}")
        if queries:
            given_query = [f"{name!r}: {_argument_name(name)}" for name in (each["name"] for each in queries)]
            sent.append(f"query={{{', '.join(given_query)}}}")
        if accepts_key:
            sent.append("has_key=True")
        kinds = " | ".join(dict.fromkeys(type_ for type_, _ in answers.values()))
        kind = f"Call[{kinds}]"
        if {"limit", "cursor"} <= {each["name"] for each in queries}:
            page, schema = answers[200]
            [(rows, row)] = [(m, of["items"]) for m, of in self._resolved(schema)["properties"].items() if of.get("type") == "array"]
            kind = f"Pages[{page}, {self._type(row)}]"
            sent.append(f"rows=lambda page: page.{rows}")
        arguments = ", ".join([*positional, *(["*", *named] if named else [])])
        types = ", ".join(f"{status}: {type_}" for status, (type_, _) in sorted(answers.items()))
        call = ", ".join([f"method={method.upper()!r}", f"path={_path(path)}", f"answers={{{types}}}", *sent])
        said = ". ".join(filter(None, [operation["summary"], operation.get("description", "").rstrip(".")]))
        name = _snake(operation["operationId"])
        return f"def {name}({arguments}) -> {kind}:\n{_docstring(said + '.')}\n    return {kind.partition('[')[0]}({call})"

    def _argument(self, parameter: Any) -> str:
        type_ = self._type(parameter["schema"])
        default = "" if parameter["required"] else " = None" if "default" not in parameter["schema"] else _default(parameter["schema"])
        return f"{_argument_name(parameter['name'])}: {type_}{' | None' if default == ' = None' else ''}{default}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[ -]", "_", name).lower()


def _argument_name(name: str) -> str:
    name = _snake(name.removeprefix("X-"))
    return f"{name}_" if keyword.iskeyword(name) else name


def _path(path: str) -> str:
    return f'f"{path}"' if "{" in path else f'"{path}"'


def _default(schema: Any) -> str:
    default = schema.get("default")
    return f" = field(default_factory=lambda: {default!r})" if isinstance(default, list) and default else f" = {default!r}"


def _docstring(text: str) -> str:
    """As a docstring, indented by four, in lines that are not too long."""
    if len(text) + 10 <= LONG:
        return f'    """{text}"""'
    lines, line = [], '    """'
    for word in text.split():
        if len(line) + len(word) + 1 > LONG:
            lines.append(line)
            line = "    "
        line += word if line.endswith(('"""', "    ")) else f" {word}"
    return "\n".join([*lines, line, '    """'])


def _formatted(name: str, text: str) -> str:
    """By ruff, as all of ours."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", name, "-"], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr}\n{text}")
    return done.stdout
