"""What every source file of ours has, and does not have."""

import ast
import re
from pathlib import Path

from tests.house.sources import files, name, tree

MOST_LINES = 400
LEFT_UNDONE = re.compile(r"\b(T[O]DO|FIX[M]E|X{3}|raise NotImplemented[E]rror)\b")
LUA_HEADER = ("KEYS", "ARGV", "Returns")
ASSERTING = ("raises", "warns", "assert", "check", "expect", "prove", "verify")
WRITTEN = (".py", ".sql", ".lua", ".html", ".css", ".js")


def test_a_module_begins_with_a_sentence_about_itself() -> None:
    assert [name(path) for path in files(".py") if not ast.get_docstring(tree(path))] == []


def test_a_file_is_one_idea() -> None:
    """One that outgrows this is cut along its ideas, not at a line number."""
    lines = {name(path): path.read_text().count("\n") for path in files(*WRITTEN)}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_nothing_is_left_undone() -> None:
    assert [name(path) for path in files(*WRITTEN) if LEFT_UNDONE.search(path.read_text())] == []


def test_lines_end_plainly() -> None:
    def is_plain(text: str) -> bool:
        return not text or (text.endswith("\n") and "\r" not in text and "\t" not in text)

    assert [name(path) for path in files(*WRITTEN) if not is_plain(path.read_text())] == []


def test_every_test_asserts_something() -> None:
    silent = [f"{name(path)}::{test}" for path in files(".py") if path.name.startswith("test_") for test in silent_tests(path)]
    assert silent == []


def silent_tests(path: Path) -> list[str]:
    def asserts(test: ast.AST) -> bool:
        calls = [node.func for node in ast.walk(test) if isinstance(node, ast.Call)]
        named = [getattr(call, "id", getattr(call, "attr", "")) for call in calls]
        return any(isinstance(node, ast.Assert) for node in ast.walk(test)) or any(word in call for call in named for word in ASSERTING)

    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [test.name for test in functions if test.name.startswith("test_") and not asserts(test)]


def test_a_script_begins_with_its_contract() -> None:
    def is_told(text: str) -> bool:
        header, closed, _ = text.partition("]]")
        return header.startswith("--[[") and bool(closed) and all(word in header for word in LUA_HEADER)

    assert [name(path) for path in files(".lua") if not is_told(path.read_text())] == []


def test_a_page_begins_at_a_bound_of_its_index() -> None:
    """`$2 IS NULL OR id < $2` is none: under the generic plans that we ask for, each page would read all pages before it."""
    no_bound = re.compile(r"\$\d+(::\w+)? IS NULL OR \(?[\w.{}]+(, [\w.{}]+\))? [<>]=? ")
    assert no_bound.search("WHERE ($2::uuid IS NULL OR id < $2) ORDER BY id DESC")
    assert [
        name(path)
        for path in files(".py")
        if no_bound.search(path.read_text()) and path.parts[-2:] not in (("house", path.name), ("tenants", "db.py"))
    ] == []


def test_no_session_is_left_changed() -> None:
    """The pool resets nothing between transactions, so nothing may be set for longer. Migrations have a connection of their own."""
    bare = re.compile(r"(SET (?!LOCAL\b|TRANSACTION\b)|LISTEN |PREPARE |DECLARE )")
    processes = [path for path in files(".py") if name(path).startswith(("tenants/", "api/", "workers/")) and path.name != "migrate.py"]
    assert [f"{name(path)}: {text}" for path in processes for text in strings(path) if bare.match(text)] == []


def strings(path: Path) -> list[str]:
    return [node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
