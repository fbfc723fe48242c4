"""What has types for Cython is loaded compiled, and its readable twin does the same."""

import importlib
import os
import time
from types import ModuleType

import pytest

from checkout_core import ids, secrets
from loadtests.bench.compiled import is_compiled, twin
from tests.house.sources import ROOT

both_ids = pytest.mark.parametrize("module", [ids, twin(ids)], ids=["compiled", "readable"])
both_secrets = pytest.mark.parametrize("module", [secrets, twin(secrets)], ids=["compiled", "readable"])
COMPILED = sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("*/*.pxd"))


@pytest.mark.parametrize("name", COMPILED)
def test_the_compiled_one_is_loaded(name: str) -> None:
    module = importlib.import_module(name)
    assert is_compiled(module)
    assert not is_compiled(twin(module))


@both_ids
def test_an_id_is_of_version_seven_and_keeps_every_random_bit(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 0x0123456789AB * 1_000_000 + 999_999)
    assert module.of_chance(b"\0" * 10).hex == "0123456789ab70008000000000000000"
    assert module.of_chance(b"\xff" * 10).hex == "0123456789ab7fffbfffffffffffffff"
    assert module.of_chance(bytes(range(10))).hex == "0123456789ab70018203040506070809"
    monkeypatch.setattr(os, "urandom", lambda size: b"\xff" * size)
    assert module.new_id() == module.of_chance(b"\xff" * 10)


@both_secrets
def test_a_mac_is_the_same_however_often_it_is_asked(module: ModuleType) -> None:
    mac = module.Mac(b"k" * 32, 18)
    for message in (b"", b"a", b"a" * 500, b"a"):
        assert mac.of(message) == secrets.mac(b"k" * 32, message, 18)
