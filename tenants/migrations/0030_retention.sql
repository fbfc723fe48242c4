-- How long a store keeps what it need not keep for ever; and how a store leaves. Both are carried out by a role of their own, tessera_retention,
-- for all stores at once: its policies show it what is past the shortest time there may be, and the rows of stores that have left, nothing else.

-- Absent, a store keeps things as long as tenants/privacy/retention.py says.
CREATE TABLE retention_rule (
    tenant_id    uuid    NOT NULL PRIMARY KEY,
    contact_days integer NOT NULL CHECK (contact_days BETWEEN 30 AND 3650),
    reply_days   integer NOT NULL CHECK (reply_days BETWEEN 1 AND 365),
    event_days   integer NOT NULL CHECK (event_days BETWEEN 1 AND 365),
    notice_days  integer NOT NULL CHECK (notice_days BETWEEN 30 AND 3650)
);
ALTER TABLE retention_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention_rule FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON retention_rule TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON retention_rule TO tessera_app;
CREATE POLICY every ON retention_rule FOR SELECT TO tessera_retention USING (true);
GRANT SELECT ON retention_rule TO tessera_retention;

CREATE POLICY past_reading ON idempotent_reply FOR SELECT TO tessera_retention USING (created_at < now() - interval '1 day');
CREATE POLICY past ON idempotent_reply FOR DELETE TO tessera_retention USING (created_at < now() - interval '1 day');
CREATE POLICY past_reading ON outbox FOR SELECT TO tessera_retention
    USING (next_try_at IS NULL AND created_at < now() - interval '1 day');
CREATE POLICY past ON outbox FOR DELETE TO tessera_retention USING (next_try_at IS NULL AND created_at < now() - interval '1 day');
CREATE POLICY past_reading ON orders FOR SELECT TO tessera_retention
    USING (created_at < now() - interval '30 days' AND state IN ('expired', 'cancelled', 'delivered', 'refunded', 'refused'));
CREATE POLICY past ON orders FOR UPDATE TO tessera_retention
    USING (created_at < now() - interval '30 days' AND state IN ('expired', 'cancelled', 'delivered', 'refunded', 'refused'))
    WITH CHECK (contact IS NULL AND lookup_hash IS NULL);
GRANT UPDATE (contact, lookup_hash, body_hash) ON orders TO tessera_retention;
CREATE POLICY past ON order_change FOR INSERT TO tessera_retention WITH CHECK (true);
GRANT INSERT (tenant_id, order_ids) ON order_change TO tessera_retention;
CREATE POLICY past_reading ON payment_inbox FOR SELECT TO tessera_retention
    USING (state = 'done' AND received_at < now() - interval '30 days');
CREATE POLICY past ON payment_inbox FOR UPDATE TO tessera_retention
    USING (state = 'done' AND received_at < now() - interval '30 days') WITH CHECK (raw = '');
GRANT UPDATE (notice, raw) ON payment_inbox TO tessera_retention;

-- Stores that leave. The row stays when everything else of the store is gone, with the last link of its audit and no name.
CREATE TABLE off_boarding (
    tenant_id   uuid        PRIMARY KEY,
    state       text        NOT NULL CHECK (state IN ('asked', 'cancelled', 'deleting', 'deleted', 'released')),
    asked_at    timestamptz NOT NULL DEFAULT now(),
    delete_at   timestamptz NOT NULL,
    deleted_at  timestamptz,
    audit_seq   bigint,
    audit_hash  bytea
);
GRANT SELECT, INSERT, UPDATE ON off_boarding TO tessera_platform;
GRANT SELECT (tenant_id, state, delete_at) ON off_boarding TO tessera_retention;
GRANT DELETE ON tenant TO tessera_platform;
GRANT DELETE ON merchant_user TO tessera_platform;
-- Who works for others too stays, and has opened none.
GRANT UPDATE (tenant_id) ON merchant_user TO tessera_platform;
