"""The console's build: what it is made from, when it is made again, and what happens where it cannot be."""

from pathlib import Path

import msgspec
import pytest

from tessera import console
from tessera.commands import console as command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, with one source."""
    for name in ("admin_ui/src", "api", "build"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "admin_ui/src/main.tsx").write_text("1")
    for name, place in (("ROOT", ""), ("SOURCES", "admin_ui"), ("BUILD", "build"), ("OUT", "build/console"), ("STAMP", "build/stamp")):
        monkeypatch.setattr(console, name, tmp_path / place)
    return tmp_path


class TestFingerprint:
    @pytest.mark.parametrize("changed", ["admin_ui/src/main.tsx", "admin_ui/new.json", "api/orders.py"])
    def test_of_the_sources_and_of_the_api(self, folder: Path, changed: str) -> None:
        before = console.fingerprint()
        (folder / changed).write_text("2")
        assert console.fingerprint() != before

    @pytest.mark.parametrize("changed", ["admin_ui/node_modules/x.js", "admin_ui/src/schema.d.ts", "build/x"])
    def test_not_of_what_is_made(self, folder: Path, changed: str) -> None:
        before = console.fingerprint()
        (folder / changed).parent.mkdir(parents=True, exist_ok=True)
        (folder / changed).write_text("2")
        assert console.fingerprint() == before


class TestBuild:
    def test_nothing_is_done_twice(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "build/console").mkdir()
        (folder / "build/console/index.html").write_text("")
        console.STAMP.write_text(console.fingerprint())

        def missing() -> console.Node:
            raise console.NoNode("Node was asked for.")

        monkeypatch.setattr(console.Node, "find", missing)
        assert console.build() is False
        (folder / "admin_ui/src/main.tsx").write_text("2")
        with pytest.raises(console.NoNode):
            console.build()

    def test_without_node_the_shop_opens_all_the_same(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def missing() -> console.Node:
            raise console.NoNode("Put Node on the PATH.")

        monkeypatch.setattr(console.Node, "find", missing)
        assert (command.main(["--if-possible"]), command.main([])) == (0, 1)
        assert "Put Node on the PATH." in capsys.readouterr().err

    def test_files_are_compressed_the_same_each_time(self, tmp_path: Path) -> None:
        (tmp_path / "a.js").write_text("x" * 1000)
        console.compress(tmp_path)
        first = (tmp_path / "a.js.gz").read_bytes()
        console.compress(tmp_path)
        assert (tmp_path / "a.js.gz").read_bytes() == first
        assert len(first) < 100


def test_the_document_for_types_has_no_examples_and_all_operations() -> None:
    document = msgspec.json.decode(console.document())
    assert b'"example":' not in console.document()
    assert document["paths"]["/v1/staff"]["get"]["operationId"] == "listStaff"


def test_the_lock_names_no_registry_and_every_package_by_hash() -> None:
    lock = msgspec.json.decode((console.SOURCES / "package-lock.json").read_bytes())
    packages = {name: of for name, of in lock["packages"].items() if name}
    assert [name for name, of in packages.items() if "resolved" in of] == []
    assert [name for name, of in packages.items() if "integrity" not in of] == []
    assert "--hash=sha256:" in console.NODE_LOCK.read_text()
