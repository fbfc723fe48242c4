"""What the checker found, as data and as a table for people."""

import datetime as dt
import textwrap
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Status(StrEnum):
    HOLDS = "holds"
    VIOLATED = "violated"
    NOT_CHECKED = "not checked"


class Claim(Struct, frozen=True, kw_only=True):
    """One statement about one kind of row, and the rows that contradict it."""

    sentence: str
    status: Status
    looked_at: int = 0  # rows the statement was held against; 0 means it holds of nothing
    violations: int = 0
    rows: list[dict[str, Any]] = []  # the first few offenders, ids and figures only
    reason: str = ""  # why it was not checked
    seconds: float = 0.0


class Verdict(Struct, frozen=True):
    """What became of one promise: the worst of its claims, of those that were checked."""

    name: str
    promise: str
    claims: list[Claim]

    @property
    def status(self) -> Status:
        found = {claim.status for claim in self.claims}
        if Status.VIOLATED in found:
            return Status.VIOLATED
        return Status.HOLDS if Status.HOLDS in found else Status.NOT_CHECKED

    @property
    def looked_at(self) -> int:
        return sum(claim.looked_at for claim in self.claims)

    @property
    def violations(self) -> int:
        return sum(claim.violations for claim in self.claims)


class Report(Struct, frozen=True, kw_only=True):
    """`failures` are things that were asked for and could not be looked at: then even a clean report proves too little."""

    taken_at: dt.datetime  # by Postgres' clock
    at_rest: bool
    seconds: float
    verdicts: list[Verdict]
    failures: list[str]
    notes: list[str]

    @property
    def status(self) -> Status:
        if any(verdict.status is Status.VIOLATED for verdict in self.verdicts):
            return Status.VIOLATED
        return Status.NOT_CHECKED if self.failures else Status.HOLDS

    @property
    def exit_code(self) -> int:
        """0 nothing violated, 1 violated, 2 could not check."""
        return {Status.HOLDS: 0, Status.VIOLATED: 1, Status.NOT_CHECKED: 2}[self.status]

    def summary(self) -> dict[str, str]:
        return {verdict.name: str(verdict.status) for verdict in self.verdicts}

    def as_dict(self) -> dict[str, Any]:
        """The report for programs; `msgspec.json` and `json` both write it."""
        return {
            "status": str(self.status),
            "taken_at": self.taken_at.isoformat(),
            "at_rest": self.at_rest,
            "seconds": round(self.seconds, 3),
            "failures": self.failures,
            "notes": self.notes,
            "invariants": {verdict.name: _verdict_dict(verdict) for verdict in self.verdicts},
        }


def _verdict_dict(verdict: Verdict) -> dict[str, Any]:
    return {
        "promise": verdict.promise,
        "status": str(verdict.status),
        "looked_at": verdict.looked_at,
        "violations": verdict.violations,
        "claims": [
            {
                "sentence": claim.sentence,
                "status": str(claim.status),
                "looked_at": claim.looked_at,
                "violations": claim.violations,
                "rows": claim.rows,
                "reason": claim.reason,
                "seconds": round(claim.seconds, 3),
            }
            for claim in verdict.claims
        ],
    }


MARKS = {Status.HOLDS: "holds", Status.VIOLATED: "VIOLATED", Status.NOT_CHECKED: "not checked"}


def as_text(report: Report, *, verbose: bool = False, width: int = 118) -> str:
    """A table: one line a promise, below it what contradicts it or was not looked at. `verbose` shows every claim."""
    lines = [f"{'':4} {'':11} {'looked at':>11}"]
    for verdict in report.verdicts:
        lines += _verdict_lines(verdict, verbose, width)
    lines += [f"note: {note}" for note in report.notes] + [f"could not check: {failure}" for failure in report.failures]
    count = {status: sum(verdict.status is status for verdict in report.verdicts) for status in Status}
    when = f"{report.taken_at:%Y-%m-%d %H:%M:%S} UTC, {'at rest' if report.at_rest else 'while running'}, {report.seconds:.1f} s"
    lines.append(f"{count[Status.HOLDS]} hold, {count[Status.VIOLATED]} violated, {count[Status.NOT_CHECKED]} not checked ({when})")
    return "\n".join(lines)


def _verdict_lines(verdict: Verdict, verbose: bool, width: int) -> list[str]:
    looked_at = "–" if verdict.status is Status.NOT_CHECKED else f"{verdict.looked_at:,}"
    nothing = "  (nothing to look at)" if verdict.status is Status.HOLDS and not verdict.looked_at else ""
    lines = [f"{verdict.name:4} {MARKS[verdict.status]:11} {looked_at:>11}  {verdict.promise}{nothing}"]
    for claim in verdict.claims:
        if claim.status is Status.VIOLATED:
            lines += _wrapped(f"✗ {claim.sentence}: {claim.violations:,} of {claim.looked_at:,}", width)
            lines += [f"{'':34}{_row_text(row)}" for row in claim.rows]
            if claim.violations > len(claim.rows):
                lines.append(f"{'':34}and {claim.violations - len(claim.rows):,} more")
        elif claim.status is Status.NOT_CHECKED:
            lines += _wrapped(f"· not checked: {claim.sentence}: {claim.reason}", width)
        elif verbose:
            lines += _wrapped(f"✓ {claim.sentence} ({claim.looked_at:,}, {claim.seconds:.2f} s)", width)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=" " * 30, subsequent_indent=" " * 32)


def _row_text(row: dict[str, Any]) -> str:
    return "  ".join(f"{name} {value}" for name, value in row.items())
