-- A sale is the offer shoppers hit: a SKU at a price, between two instants, with units allotted to it.
-- Its row is fence, allotment and low-water mark in one: whoever commits, pauses, ends or changes stock locks it first.

CREATE TABLE sale (
    tenant_id         uuid        NOT NULL,
    id                uuid        NOT NULL,
    sku_id            uuid        NOT NULL,
    name              text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    door              text        NOT NULL DEFAULT 'direct' CHECK (door IN ('direct', 'gate')),
    state             text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paused', 'ended')),
    price_minor       bigint      NOT NULL CHECK (price_minor BETWEEN 1 AND 100000000000),
    currency          text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    starts_at         timestamptz NOT NULL,
    ends_at           timestamptz CHECK (ends_at > starts_at),
    limit_per_shopper integer     NOT NULL CHECK (limit_per_shopper BETWEEN 0 AND 1000), -- 0: no limit
    hold_s            integer     NOT NULL DEFAULT 900 CHECK (hold_s BETWEEN 2 AND 86400),
    epoch             bigint      NOT NULL DEFAULT 1,
    allotted          bigint      NOT NULL DEFAULT 0,
    committed         bigint      NOT NULL DEFAULT 0, -- units held or sold
    last_unit         bigint      NOT NULL DEFAULT 0, -- no available unit of the sale has an id up to this one
    give_seq          bigint      NOT NULL DEFAULT 0, -- the last give-back to the gate
    fallback_per_s    integer     NOT NULL DEFAULT 0 CHECK (fallback_per_s BETWEEN 0 AND 1000), -- sold past a gate that is away
    created_at        timestamptz NOT NULL DEFAULT now(),
    next_try_at       timestamptz,                    -- when the gate is to be looked after, NULL when there is none
    tries             integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, sku_id) REFERENCES sku (tenant_id, id),
    CHECK (committed BETWEEN 0 AND allotted)
);
ALTER TABLE sale ENABLE ROW LEVEL SECURITY;
ALTER TABLE sale FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON sale TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON sale TO tessera_app;
CREATE INDEX sale_due ON sale (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON sale FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON sale TO tessera_sweeper;
