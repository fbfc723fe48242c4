"""docs/guides/first-store.md is run as it stands: its commands in one shell, every answer held against the one that is shown."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from tessera.published import for_shells
from tessera.shop import Shop
from tests.house.sources import ROOT

GUIDE = (ROOT / "docs/guides/first-store.md").read_text()
TIMEOUT_S = 60.0
LEFT_OUT = "…"
pytestmark = pytest.mark.xdist_group("e2e")  # the shop that the browser's tests have open


class Step(NamedTuple):
    """A block of commands, and the answers shown below it."""

    commands: str
    shown: str


def steps(guide: str) -> list[Step]:
    """Raises `ValueError` for an answer without commands before it."""
    found: list[Step] = []
    for language, text in re.findall(r"^```(sh|json)\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL):
        if language == "sh":
            found.append(Step(text, ""))
        elif not found or found[-1].shown:
            raise ValueError(f"No commands give this answer:\n{text}")
        else:
            found[-1] = found[-1]._replace(shown=text)
    return found


class GuideFails(Exception):
    """A block ended with an error or not in time, or an answer is not the one shown; the message says which and what was said."""


def run(guide: list[Step], shop: Shop, folder: Path) -> list[list[Any]]:
    """What each block answered, all pasted into one bash in `folder`. Raises `GuideFails`."""
    said = folder / "said"
    (folder / ".tessera").mkdir(parents=True)
    said.mkdir()
    script = "".join(f"exec >said/{number} 2>&1\n{step.commands}\n" for number, step in enumerate(guide))
    # What a reader would see go wrong ends the script: a failed command, an answer without the member that is wanted, a value never set.
    (folder / "guide.sh").write_text(f"set -euo pipefail\n{script}")
    with for_shells(shop, folder / ".tessera"):
        try:
            subprocess.run(["bash", "guide.sh"], cwd=folder, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=True)
        except subprocess.SubprocessError as problem:
            last = max(said.iterdir(), key=lambda file: int(file.name))
            raise GuideFails(f"{problem}\n{guide[int(last.name)].commands}{last.read_text()}") from problem
    return [list(documents((said / str(number)).read_text())) for number in range(len(guide))]


def documents(text: str) -> Iterator[Any]:
    """The JSON documents in `text`, one after the other; lines of anything else are passed over."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        document, at = decoder.raw_decode(text, at)
        yield document


def differences(shown: Any, real: Any, at: str = "") -> Iterator[str]:
    """Where an answer is not the one shown. `…` stands for any text within a string, for any further members at the end of an object,
    for any further items at the end of a list; all else is shown in full."""
    if isinstance(shown, str) and isinstance(real, str):
        if not re.fullmatch(".*".join(map(re.escape, shown.split(LEFT_OUT))), real, re.DOTALL):
            yield f"{at} is {real!r}, shown is {shown!r}"
    elif isinstance(shown, dict) and isinstance(real, dict):
        members = shown.keys() - {LEFT_OUT}
        yield from (f"{at}.{name} is not in the answer" for name in sorted(members - real.keys()))
        if LEFT_OUT not in shown:
            yield from (f"{at}.{name} is not shown" for name in sorted(real.keys() - members))
        for name in sorted(members & real.keys()):
            yield from differences(shown[name], real[name], f"{at}.{name}")
    elif isinstance(shown, list) and isinstance(real, list):
        items = [item for item in shown if item != LEFT_OUT]
        if len(items) > len(real) or (len(items) < len(real) and LEFT_OUT not in shown):
            yield f"{at} has {len(real)} items, {len(items)} are shown"
        for number, (item, other) in enumerate(zip(items, real, strict=False)):
            yield from differences(item, other, f"{at}[{number}]")
    elif type(shown) is not type(real) or shown != real:
        yield f"{at} is {real!r}, shown is {shown!r}"


def shown_answers(step: Step) -> list[Any]:
    text = step.shown.replace(f", {LEFT_OUT}}}", f', "{LEFT_OUT}": ""}}').replace(f", {LEFT_OUT}]", f', "{LEFT_OUT}"]')
    return list(documents(text))


def follow(guide: list[Step], shop: Shop, folder: Path) -> None:
    """Do what the guide says. Raises `GuideFails` unless every answer is as it is shown."""
    for step, answers in zip(guide, run(guide, shop, folder), strict=True):
        wrong = list(differences(shown_answers(step), answers))
        if wrong:
            raise GuideFails("\n".join([step.commands, *wrong]))


def for_another(guide: str, slug: str) -> str:
    """The guide as somebody else follows it: a store and a mail address of his own."""
    return guide.replace("corner", slug).replace("ann@", f"{slug}@")


@pytest.fixture(autouse=True)
def curl() -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine: the guide was not tried (.ci/run sees to it that there is one)")


async def test_a_newcomer_sells_the_first_code(shop: Shop, tmp_path: Path) -> None:
    follow(steps(GUIDE), shop, tmp_path)
    conn = await asyncpg.connect(shop.environ["DATABASE_URL"])
    try:
        sql = """SELECT s.state, s.allotted, s.committed, o.state, o.amount_minor, o.currency, d.revealed_at IS NOT NULL
                 FROM store JOIN sale s USING (tenant_id)
                            JOIN orders o USING (tenant_id)
                            JOIN delivery d ON d.tenant_id = o.tenant_id AND d.order_id = o.id AND d.sale_id = s.id
                 WHERE store.slug = 'corner'"""
        sold = [tuple(row) for row in await conn.fetch(sql)]
    finally:
        await conn.close()
    assert sold == [("open", 3, 1, "delivered", 450, "EUR", True)]


class TestNoticesAGuideThatIsWrong:
    @pytest.mark.parametrize(
        ("slug", "missing", "said"),
        [("unpaid", "$PROVIDER/admin/merchants", "pay_url"), ("empty", "--data-binary @codes.txt", "not_enough_stock")],
    )
    def test_a_step_is_missing(self, shop: Shop, tmp_path: Path, slug: str, missing: str, said: str) -> None:
        guide = steps(for_another(GUIDE, slug))
        rest = [step for step in guide if missing not in step.commands]
        assert len(rest) == len(guide) - 1
        with pytest.raises(GuideFails, match=said):
            follow(rest, shop, tmp_path)

    def test_an_answer_has_no_commands(self) -> None:
        with pytest.raises(ValueError, match="No commands give this answer"):
            steps("```sh\ncurl\n```\n```json\n{}\n```\n```json\n{}\n```\n")

    @pytest.mark.parametrize(
        ("shown", "real", "said"),
        [
            ({"id": "ord_…"}, {"id": "sal_1"}, ".id is 'sal_1', shown is 'ord_…'"),
            ({"id": "…"}, {"id": "1", "state": "open"}, ".state is not shown"),
            ({"id": "…", "…": ""}, {"state": "open"}, ".id is not in the answer"),
            ({"units": 3}, {"units": "3"}, ".units is '3', shown is 3"),
            ({"units": 1}, {"units": True}, ".units is True, shown is 1"),
            ([{"id": "…"}], [], " has 0 items, 1 are shown"),
            ([1], [1, 2], " has 2 items, 1 are shown"),
            ([1, "…"], [2, 3], "[0] is 2, shown is 1"),
        ],
    )
    def test_an_answer_is_another(self, shown: Any, real: Any, said: str) -> None:
        assert list(differences(shown, real)) == [said]

    def test_an_answer_may_be_shortened(self) -> None:
        shown, real = {"id": "ord_…", "of": [1, "…"], "…": ""}, {"id": "ord_1", "of": [1, 2], "state": "open"}
        assert list(differences(shown, real)) == []
