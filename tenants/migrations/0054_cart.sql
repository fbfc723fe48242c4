-- What a shopper has put into his cart: lines as he would order them, and no more. It holds nothing and promises nothing; prices and
-- stock are looked up when it is read.
CREATE TABLE cart (
    tenant_id  uuid        NOT NULL,
    shopper_id uuid        NOT NULL,
    lines      jsonb       NOT NULL CHECK (jsonb_typeof(lines) = 'array' AND jsonb_array_length(lines) <= 50),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, shopper_id)
);
ALTER TABLE cart ENABLE ROW LEVEL SECURITY;
ALTER TABLE cart FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON cart TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON cart TO tessera_app;
-- One that nobody has touched for so many days goes. Found by time, over all stores.
CREATE INDEX cart_past ON cart (updated_at);
ALTER TABLE retention_rule ADD COLUMN cart_days integer NOT NULL DEFAULT 90 CHECK (cart_days BETWEEN 1 AND 3650);
CREATE POLICY past_reading ON cart FOR SELECT TO tessera_retention USING (updated_at < now() - interval '1 day');
CREATE POLICY past ON cart FOR DELETE TO tessera_retention USING (updated_at < now() - interval '1 day');
GRANT SELECT (tenant_id, shopper_id, updated_at), DELETE ON cart TO tessera_retention;
