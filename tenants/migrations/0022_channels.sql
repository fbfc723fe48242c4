-- Where orders come from. Every store has the channels that everybody has; a row here is one of its own, or one of those under its own name.
CREATE TABLE channel (
    tenant_id  uuid        NOT NULL,
    code       text        NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{0,14}$'),
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    is_enabled boolean     NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, code)
);
ALTER TABLE channel ENABLE ROW LEVEL SECURITY;
ALTER TABLE channel FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON channel TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON channel TO tessera_app;

-- In which channels alone a sale or product is shown; without a row in all of them. Not a column of the sale: that row is locked by every order.
CREATE TABLE visibility (
    tenant_id  uuid   NOT NULL,
    subject_id uuid   NOT NULL,
    channels   text[] NOT NULL CHECK (cardinality(channels) <= 100),
    PRIMARY KEY (tenant_id, subject_id)
);
ALTER TABLE visibility ENABLE ROW LEVEL SECURITY;
ALTER TABLE visibility FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON visibility TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON visibility TO tessera_app;
