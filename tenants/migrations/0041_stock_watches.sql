-- SKUs whose stock is watched: looked after twice a minute by a duty, so that no sale pays for it.

CREATE TABLE stock_watch (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,                 -- of the SKU
    low_stock_at integer     NOT NULL CHECK (low_stock_at BETWEEN 1 AND 100000),
    units        bigint,                               -- there were when it was looked at last; beyond low_stock_at, at least so many
    low_since    timestamptz,
    told         boolean     NOT NULL DEFAULT true,    -- whether the mails about it are written
    looked_at    timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    next_try_at  timestamptz NOT NULL DEFAULT now(),
    tries        integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, id) REFERENCES sku (tenant_id, id)
);
ALTER TABLE stock_watch ENABLE ROW LEVEL SECURITY;
ALTER TABLE stock_watch FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON stock_watch TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON stock_watch TO tessera_app;
CREATE INDEX stock_watch_due ON stock_watch (next_try_at);
CREATE POLICY due ON stock_watch FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON stock_watch TO tessera_sweeper;
