"""The fuzzer finds what is planted, says which input did it, and finds it again by its seed. The hunt itself is `make fuzz`."""

import ast
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.build import missing
from tests.fuzz.controls import FAULTS, SEED, caught, plant
from tests.fuzz.hunt import again, hunt
from tests.fuzz.mutate import mutated
from tests.fuzz.target import Target, case, try_case
from tests.fuzz.targets import LOADED, TARGETS
from tests.house.sources import ROOT

MISSING = missing()
buildable = pytest.mark.skipif(MISSING is not None, reason=f"no AddressSanitizer: {MISSING}")
every = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the build."""
    folder = tmp_path_factory.mktemp("fuzz") / "controls"
    plant(folder)
    return folder


@buildable
class TestControls:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_is_found(self, careless: Path, fault: str) -> None:
        is_caught, (inputs, finding) = caught(careless, fault)
        assert is_caught, finding
        assert finding is not None
        assert finding.case == f"{fault}:{inputs[fault] - 1}"
        data, at = ast.literal_eval(finding.literal)
        assert isinstance(data, bytes)
        assert at >= 0

    def test_is_found_again(self, careless: Path) -> None:
        _, (_, finding) = caught(careless, "by_pointer")
        assert finding is not None
        repeated = again(careless, "careless.faults", SEED, finding.case)
        assert repeated is not None
        assert (repeated.case, repeated.literal) == (finding.case, finding.literal)
        assert again(careless, "careless.faults", SEED, "past_the_end:0") is None

    def test_another_build_is_refused(self, careless: Path) -> None:
        """The working modules are not what this is about."""
        with pytest.raises(RuntimeError, match="not of this build"):
            hunt(careless, "tests.fuzz.targets", SEED, 1.0)


class TestTargets:
    def test_every_compiled_module_is_tried(self) -> None:
        assert {path.stem for path in ROOT.glob("*/*.pxd")} == {module.__name__.rpartition(".")[2] for module in LOADED}

    @every
    def test_an_input_is_a_literal_and_comes_again(self, target: Target) -> None:
        inputs = [case(target, SEED, number) for number in range(50)]
        assert ast.literal_eval(repr(inputs)) == inputs
        assert [case(target, SEED, number) for number in range(50)] == inputs
        assert [case(target, SEED + 1, number) for number in range(50)] != inputs

    @every
    def test_what_is_compiled_says_what_its_twin_says(self, target: Target) -> None:
        assert [found for number in range(300) if (found := try_case(target, case(target, SEED, number)))] == []


def test_mutations_leave_some_as_they_were_and_most_not() -> None:
    dice = Random(SEED)
    made = [mutated(dice, b"idempotency-key: k", [b"host", b"\r\n"]) for _ in range(1000)]
    assert len(set(made)) > 800
    assert max(map(len, made)) > 1000
    assert min(map(len, made)) == 0
