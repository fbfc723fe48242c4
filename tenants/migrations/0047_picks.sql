-- What a shopper chooses by: a night, a seat of a session, a number he likes. Each unit of such a SKU says which it is (`unit.pick`); here is
-- what is said of it, and until when it is offered. docs/picks.md.
-- As the type says: its units are chosen one by one.
ALTER TABLE sku ADD COLUMN picked boolean NOT NULL DEFAULT false;
CREATE TABLE pick (
    tenant_id       uuid        NOT NULL,
    sku_id          uuid        NOT NULL,
    pick            text        NOT NULL CHECK (length(pick) BETWEEN 1 AND 64),
    label           text        NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    surcharge_minor bigint      NOT NULL DEFAULT 0 CHECK (surcharge_minor BETWEEN 0 AND 100000000000),
    starts_at       timestamptz,
    ends_at         timestamptz CHECK (ends_at > starts_at),
    -- From then on nobody can choose it. The order of the list: what is past comes first, and a page begins behind it.
    offered_until   timestamptz NOT NULL DEFAULT '9999-01-01 00:00:00+00',
    is_on           boolean     NOT NULL DEFAULT true,
    PRIMARY KEY (tenant_id, sku_id, pick),
    FOREIGN KEY (tenant_id, sku_id) REFERENCES sku (tenant_id, id)
);
ALTER TABLE pick ENABLE ROW LEVEL SECURITY;
ALTER TABLE pick FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON pick TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON pick TO tessera_app;
CREATE INDEX pick_in_order ON pick (sku_id, offered_until, pick, tenant_id);
CREATE INDEX pick_offered ON pick (sku_id, offered_until, pick, tenant_id) WHERE is_on;
