"""After 30 days webhooks are forgotten, and only tenants that have something to forget are visited."""

from tenants import duties
from tenants.db import create_pool, dsn_for
from tenants.webhooks import retention
from tests.postbox import Postbox
from tests.receiver import Hook
from tests.shop import Store

TABLES = ("webhook_event", "webhook_delivery", "webhook_attempt")


async def test_what_is_old_goes_with_all_that_hangs_on_it(acme: Store, globex: Store, hook: Hook, postbox: Postbox) -> None:
    for store in (acme, globex):
        await postbox.endpoint(store, hook)
        await postbox.happen(store)
        await postbox.run(store)
    kept = "UPDATE webhook_event SET next_try_at = now() - interval '1 s' WHERE tenant_id = $1 AND type <> 'sale.resumed'"
    await postbox.rows(acme, kept)
    async with await create_pool(dsn_for(acme.process.settings, "tessera_sweeper"), size=1) as sweeper:
        due = [each for each in await duties.due(sweeper, "webhook_event", 10_000) if each.tenant_id in (acme.tenant_id, globex.tenant_id)]
    assert [each.tenant_id for each in due] == [acme.tenant_id] * 2
    assert await retention.forget(postbox.pool, acme.tenant_id) == 2
    for store, left in ((acme, 1), (globex, 3)):
        for table in TABLES:
            assert len(await postbox.rows(store, f"SELECT 1 FROM {table} WHERE tenant_id = $1")) == left, table
    assert [delivery["type"] for delivery in await postbox.log(acme)] == ["sale.resumed"]
    assert await retention.forget(postbox.pool, acme.tenant_id) == 0


async def test_an_event_is_kept_for_thirty_days(acme: Store, hook: Hook, postbox: Postbox) -> None:
    await postbox.endpoint(acme, hook)
    await acme.sale(1)
    await postbox.run(acme)
    sql = "SELECT extract(days FROM next_try_at - created_at)::integer FROM webhook_event WHERE tenant_id = $1"
    [[days]] = await postbox.rows(acme, sql)
    assert days == 30
