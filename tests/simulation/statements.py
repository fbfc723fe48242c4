"""The product's own statements on one row, read and done on the double; a few on several rows, each by a function here.

A statement the double does not know is an error that names it: what the simulation runs is what the product says, or nothing.
"""

import datetime as dt
import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from tests.simulation.postgres import Connection, Row

KEYED = r"tenant_id = \$1 AND id = \$2(?: AND (?P<where>.*?))?"
_SELECT = re.compile(rf"SELECT (?P<columns>.*) FROM (?P<table>sale|orders) WHERE {KEYED}(?P<lock> FOR UPDATE)?")
_UPDATE = re.compile(rf"UPDATE (?P<table>sale|orders) SET (?P<set>.*) WHERE {KEYED}(?: RETURNING (?P<columns>.*))?")


class Unlearnt(Exception):
    """A statement that nobody has taught the double."""


class Record(tuple[Any, ...]):
    """A row of a result, by number and by name."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: tuple[str, ...], values: list[Any]) -> "Record":
        record = cls(values)
        record.names = names
        return record

    def __getitem__(self, item: Any) -> Any:
        return super().__getitem__(self.names.index(item) if isinstance(item, str) else item)

    def keys(self) -> tuple[str, ...]:
        return self.names


class Null:
    """SQL's NULL: what is computed from it is it, and it is not true."""

    def _same(self, *_: object) -> "Null":
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _same  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return False


NULL = Null()


def coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not NULL), NULL)


def _seconds(text: str) -> dt.timedelta:
    number, _, unit = text.partition(" ")
    return dt.timedelta(seconds=float(number) * {"s": 1, "second": 1, "seconds": 1, "minute": 60, "minutes": 60}[unit])


_WORDS = {
    "OR": "or",
    "AND": "and",
    "NOT": "not",
    "NULL": "NULL",
    "IS": "is",
    "false": "False",
    "true": "True",
    "greatest": "max",
    "least": "min",
}
_TOKEN = re.compile(
    r"(?P<text>'[^']*')|(?P<arg>\$\d+)|(?P<cast>::\w+)|(?P<word>[A-Za-z_]\w*)|(?P<eq>(?<![<>!])=)|(?P<ne><>)|(?P<rest>\s+|.)"
)
_FUNCTIONS = {"coalesce", "interval", "max", "min"}
_CASE = re.compile(r"CASE WHEN (.*?) THEN (.*?) (?:ELSE (.*?) )?END")


def _python(sql: str) -> str:
    """An expression on one row as Python."""
    sql = _CASE.sub(lambda m: f"({m[2]} if {m[1]} else {m[3] or 'NULL'})", sql)
    sql = re.sub(r"interval '([^']*)'", r"interval('\1')", sql).replace("now()", "now").replace("clock_timestamp()", "clock")
    out = []
    for token in _TOKEN.finditer(sql):
        match token.lastgroup:
            case "arg":
                out.append(f"a[{int(token[0][1:]) - 1}]")
            case "cast":
                pass
            case "eq":
                out.append("==")
            case "ne":
                out.append("!=")
            case "word":
                word = _WORDS.get(token[0], token[0])
                known = word in _FUNCTIONS or word in _WORDS.values() or word in ("now", "clock", "if", "else")
                out.append(word if known else f"r[{word!r}]")
            case _:
                out.append(token[0])
    return "".join(out).strip()


Evaluate = Callable[[Row, tuple[Any, ...], dt.datetime, dt.datetime], Any]


def _expression(sql: str) -> Evaluate:
    code = compile(_python(sql), sql, "eval")
    names = {"NULL": NULL, "coalesce": coalesce, "interval": _seconds, "max": max, "min": min}

    def evaluate(row: Row, args: tuple[Any, ...], now: dt.datetime, clock: dt.datetime) -> Any:
        seen = {name: NULL if value is None else value for name, value in row.items()}
        values = tuple(NULL if value is None else value for value in args)
        found = eval(code, names, {"r": seen, "a": values, "now": now, "clock": clock})
        return None if found is NULL else found

    return evaluate


def _split(sql: str) -> list[str]:
    """At the commas that stand in no brackets."""
    parts, depth = [""], 0
    for letter in sql:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


class Plan(NamedTuple):
    table: str
    where: Evaluate
    assign: list[tuple[str, Evaluate]]
    names: tuple[str, ...]
    columns: list[Evaluate]
    locks: bool


@cache
def _plan(sql: str) -> Plan | None:
    found = _SELECT.fullmatch(sql) or _UPDATE.fullmatch(sql)
    if found is None:
        return None
    parts = found.groupdict()
    columns = [column.rpartition(" AS ")[::2] if " AS " in column else (column, column) for column in _split(parts["columns"] or "")]
    assign = [part.partition(" = ")[::2] for part in _split(parts.get("set") or "")]
    return Plan(
        table=parts["table"],
        where=_expression(parts["where"] or "true"),
        assign=[(name, _expression(value)) for name, value in assign],
        names=tuple(name for _, name in columns),
        columns=[_expression(column) for column, _ in columns],
        locks=bool(assign or parts.get("lock")),
    )


async def run(conn: Connection, sql: str, args: tuple[Any, ...]) -> list[Any]:
    """Do one statement of the product."""
    sql = " ".join(sql.split())
    await conn.trip()
    plan = _plan(sql)
    if plan is None:
        if (work := _special(sql)) is None:
            conn.db.unlearnt.append(sql)
            raise Unlearnt(f"the simulation's Postgres has not learnt this statement (tests/simulation/statements.py): {sql}")
        return await work(conn, *args)
    row = await conn.lock(plan.table, args[:2]) if plan.locks else conn.get(plan.table, args[:2])
    clock = conn.db.now()
    if row is None or not plan.where(row, args, conn.begun, clock):
        return []
    if plan.assign:
        row = row | {name: value(row, args, conn.begun, clock) for name, value in plan.assign}
        conn.put(plan.table, args[:2], row)
    return [Record.of(plan.names, [column(row, args, conn.begun, clock) for column in plan.columns])]


Special = Callable[..., Awaitable[list[Any]]]


@cache
def _special(sql: str) -> Special | None:
    return next((work for pattern, work in SPECIAL.items() if re.fullmatch(pattern, sql)), None)


async def _clock(conn: Connection) -> list[Any]:
    return [(conn.db.now(),)]


async def _everybody(conn: Connection, tenant_id: UUID, sale_id: UUID) -> list[Any]:
    units = conn.select("unit", lambda u: u["sale_id"] == sale_id and u["shopper_id"] is not None)
    return [(b"".join(sorted({u["shopper_id"].bytes[8:] for u in units})),)]


async def _since(conn: Connection, tenant_id: UUID, sale_id: UUID, moment: dt.datetime) -> list[Any]:
    lines = conn.select("order_line", lambda line: line["sale_id"] == sale_id and line["created_at"] > moment)
    orders = (conn.get("orders", (tenant_id, line["order_id"])) for line in lines)
    return [(order["shopper_id"],) for order in orders if order]


async def _wake(conn: Connection, tenant_id: UUID, sale_ids: list[UUID]) -> list[Any]:
    woken = []
    for sale_id in sale_ids:
        row = await conn.lock("sale", (tenant_id, sale_id))
        if row is not None and row["next_try_at"] is None:
            conn.put("sale", (tenant_id, sale_id), row | {"next_try_at": conn.begun})
            woken.append((sale_id,))
    return woken


async def _lines(conn: Connection, tenant_id: Any, order_id: Any) -> list[Any]:
    return sorted((line["sale_id"],) for line in conn.select("order_line", lambda line: line["order_id"] == order_id))


async def _emit(conn: Connection, tenant_id: Any, row_id: Any, topic: str, payload: str) -> list[Any]:
    conn.emitted.append(topic)
    return []


async def _nothing(conn: Connection, *_: Any) -> list[Any]:
    return []


def _due(table: str) -> Special:
    async def due(conn: Connection, limit: int) -> list[Any]:
        now = conn.db.now()
        rows = conn.select(table, lambda row: row["next_try_at"] is not None and row["next_try_at"] <= now)
        rows.sort(key=lambda row: row["next_try_at"])
        return [(row["tenant_id"], row["id"], row["next_try_at"]) for row in rows[:limit]]

    return due


SPECIAL: dict[str, Special] = {
    r"SELECT clock_timestamp\(\)": _clock,
    r"SELECT string_agg\(.*\) FROM \(SELECT DISTINCT shopper_id FROM unit WHERE .*\) AS holder": _everybody,
    r"SELECT .* FROM order_line l .*l\.created_at > \$3": _since,
    r"UPDATE sale SET next_try_at = now\(\) WHERE tenant_id = \$1 AND id = ANY\(\$2\) AND next_try_at IS NULL RETURNING id": _wake,
    r"SELECT sale_id FROM order_line WHERE tenant_id = \$1 AND order_id = \$2 ORDER BY sale_id": _lines,
    r"INSERT INTO outbox \(tenant_id, id, topic, payload\) VALUES .*": _emit,
    r"WITH entry AS \(INSERT INTO audit .*": _nothing,
    r"UPDATE webhook_watch SET next_try_at = now\(\) .*": _nothing,
    r"INSERT INTO order_change .*": _nothing,  # what is found is no matter of the protocol
    r"SELECT .* FROM payment_attempt .*": _nothing,  # payments are the drills' subject
    r"SELECT .* FROM coupon_use .*": _nothing,  # a flash sale takes none
    r"INSERT INTO exception.*": _nothing,
    r"SELECT tenant_id, id, next_try_at FROM sale WHERE .*": _due("sale"),
    r"SELECT tenant_id, id, next_try_at FROM orders WHERE .*": _due("orders"),
}
