-- What is shown to people in other languages than the store's own. The rows of products, SKUs and sales keep the text that all fall back to.
CREATE TABLE translation (
    tenant_id   uuid NOT NULL,
    subject_id  uuid NOT NULL, -- of a product, a SKU or a sale
    locale      text NOT NULL CHECK (length(locale) <= 16),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text CHECK (length(description) <= 10000),
    PRIMARY KEY (tenant_id, subject_id, locale)
);
ALTER TABLE translation ENABLE ROW LEVEL SECURITY;
ALTER TABLE translation FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON translation TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON translation TO tessera_app;
