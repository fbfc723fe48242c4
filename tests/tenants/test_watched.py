"""What a statement is called at the places before and after it."""

import pytest

from tenants.watched import step


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT id, state FROM orders WHERE tenant_id = $1 FOR UPDATE", "select-orders"),
        ("SELECT now()", "select-nothing"),
        ("INSERT INTO outbox (tenant_id) VALUES ($1)", "insert-outbox"),
        ("UPDATE sale SET epoch = epoch + 1", "update-sale"),
        ("DELETE FROM session WHERE id = $1", "delete-session"),
        ("WITH picked AS (SELECT id FROM unit FOR UPDATE) UPDATE unit SET sale_id = $3 FROM picked", "update-unit"),
        ("WITH line AS (SELECT 1 FROM order_line), given AS (INSERT INTO delivery SELECT $1) SELECT 1", "insert-delivery"),
        ("SELECT id FROM outbox FOR NO KEY UPDATE SKIP LOCKED", "select-outbox"),
        ("COMMIT", "commit"),
        ("COMMIT;", "commit"),
        ("BEGIN; SELECT set_config('app.tenant_id', 'x', true)", None),
        ("ROLLBACK", None),
        ("SET LOCAL synchronous_commit = off", None),
        ("SELECT pg_advisory_unlock_all();", None),
    ],
)
def test_the_name_of_a_step(sql: str, name: str | None) -> None:
    assert step(sql) == name
