-- Orders. The id follows from shopper and idempotency key, so a retry finds its order; a refused wish has its row too, and keeps its answer.

CREATE TABLE orders (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    intent_id    uuid        NOT NULL,
    shopper_id   uuid        NOT NULL,
    state        text        NOT NULL CHECK (state IN ('awaiting', 'closing', 'expired', 'cancelled', 'paid', 'delivered', 'refunding', 'refunded', 'refused')),
    refusal      smallint    CHECK ((refusal IS NOT NULL) = (state = 'refused')),
    amount_minor bigint      NOT NULL CHECK (amount_minor >= 0),
    currency     text        NOT NULL,
    body_hash    bytea       NOT NULL,
    contact      text        CHECK (length(contact) <= 254),
    lookup_hash  bytea,
    channel      text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    hold_until   timestamptz,
    paid_at      timestamptz,
    delivered_at timestamptz,
    ends_as      text        NOT NULL DEFAULT 'expired' CHECK (ends_as IN ('expired', 'cancelled')), -- what closing leads to
    next_try_at  timestamptz,                          -- when the hold is to be ended, NULL when there is none
    tries        integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CHECK ((state IN ('awaiting', 'closing')) = (next_try_at IS NOT NULL))
);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON orders TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON orders TO tessera_app;
CREATE INDEX orders_due ON orders (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON orders FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON orders TO tessera_sweeper;

-- A shopper's latest orders: his own list, the unpaid-order cap and the cool-down.
CREATE INDEX orders_by_shopper ON orders (shopper_id, created_at);

CREATE TABLE order_line (
    tenant_id        uuid    NOT NULL,
    order_id         uuid    NOT NULL,
    sale_id          uuid    NOT NULL,
    sku_id           uuid    NOT NULL,
    quantity         integer NOT NULL CHECK (quantity BETWEEN 1 AND 1000),
    unit_price_minor bigint  NOT NULL CHECK (unit_price_minor > 0),
    PRIMARY KEY (tenant_id, order_id, sale_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sale (tenant_id, id)
);
ALTER TABLE order_line ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_line FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON order_line TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON order_line TO tessera_app;
