-- A store as it lives: its events as a list with numbers, and how many orders there were, counted where they are indexed.
-- docs/decisions/0043-live.md.

-- The number of a store's last event.
CREATE TABLE event_head (
    tenant_id uuid   NOT NULL PRIMARY KEY,
    seq       bigint NOT NULL CHECK (seq > 0)
);
ALTER TABLE event_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_head FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON event_head TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON event_head TO tessera_app;

-- A store's newest events, by the numbers they were given when they were relayed: without a gap, so whoever reads on from a number has missed
-- nothing. The id is the outbox's; the relay lets go what is older than anybody may ask for.
CREATE TABLE event_entry (
    tenant_id uuid   NOT NULL,
    seq       bigint NOT NULL,
    id        uuid   NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);
ALTER TABLE event_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON event_entry TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON event_entry TO tessera_app;

-- Orders by the minute they were made, paid, delivered in; written by the duty that indexes orders, with the same statement. Orders that wait
-- to be indexed are counted when somebody asks. Refunds by the minute they were done in, counted when that is relayed.
CREATE TABLE order_minute (
    tenant_id      uuid        NOT NULL,
    minute         timestamptz NOT NULL,
    currency       text        NOT NULL,
    made           bigint      NOT NULL,
    paid           bigint      NOT NULL,
    paid_minor     bigint      NOT NULL,
    delivered      bigint      NOT NULL,
    refunds        bigint      NOT NULL DEFAULT 0,
    refunded_minor bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, minute, currency)
);
ALTER TABLE order_minute ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_minute FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON order_minute TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON order_minute TO tessera_app;

-- Orders of a sale, and their units of it, by the state they are in.
CREATE TABLE sale_tally (
    tenant_id uuid   NOT NULL,
    sale_id   uuid   NOT NULL,
    state     text   NOT NULL,
    orders    bigint NOT NULL,
    units     bigint NOT NULL,
    PRIMARY KEY (tenant_id, sale_id, state)
);
ALTER TABLE sale_tally ENABLE ROW LEVEL SECURITY;
ALTER TABLE sale_tally FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON sale_tally TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON sale_tally TO tessera_app;

-- What is indexed already, as it is indexed: what has changed since waits in the notes, and is counted with them.
INSERT INTO sale_tally (tenant_id, sale_id, state, orders, units)
    SELECT e.tenant_id, l.sale_id, e.state, count(*), sum(l.quantity)
    FROM order_entry e JOIN order_line l ON l.tenant_id = e.tenant_id AND l.order_id = e.order_id GROUP BY 1, 2, 3;
INSERT INTO order_minute (tenant_id, minute, currency, made, paid, paid_minor, delivered)
    SELECT tenant_id, minute, currency, sum(made), sum(paid), sum(paid_minor), sum(delivered)
    FROM (SELECT e.tenant_id, e.state, o.currency, o.amount_minor, e.at, o.paid_at, o.delivered_at
          FROM order_entry e JOIN orders o ON o.tenant_id = e.tenant_id AND o.id = e.order_id) AS entry
    CROSS JOIN LATERAL (
        SELECT date_trunc('minute', at) AS minute, 1 AS made, 0 AS paid, 0 AS paid_minor, 0 AS delivered WHERE state <> 'refused'
        UNION ALL SELECT date_trunc('minute', paid_at), 0, 1, amount_minor, 0
        WHERE paid_at IS NOT NULL AND state IN ('paid', 'delivered', 'refunding', 'refunded')
        UNION ALL SELECT date_trunc('minute', delivered_at), 0, 0, 0, 1
        WHERE delivered_at IS NOT NULL AND state IN ('delivered', 'refunding', 'refunded')) AS counted
    GROUP BY 1, 2, 3;
INSERT INTO order_minute AS kept (tenant_id, minute, currency, made, paid, paid_minor, delivered, refunds, refunded_minor)
    SELECT tenant_id, date_trunc('minute', finished_at), currency, 0, 0, 0, 0, count(*), sum(amount_minor)
    FROM refund r WHERE state = 'succeeded' AND reason = 'requested' AND NOT EXISTS (
        SELECT FROM outbox o WHERE o.tenant_id = r.tenant_id AND o.topic = 'refund.succeeded' AND o.next_try_at IS NOT NULL
          AND NOT o.fanned_out AND o.payload ->> 'refund_id' = r.id::text)
    GROUP BY 1, 2, 3
    ON CONFLICT (tenant_id, minute, currency) DO UPDATE SET refunds = excluded.refunds, refunded_minor = excluded.refunded_minor;
