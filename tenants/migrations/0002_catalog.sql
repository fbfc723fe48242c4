-- What a merchant offers: products, and under each the SKUs that have a price and stock of their own.

CREATE TABLE product (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text        NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE product ENABLE ROW LEVEL SECURITY;
ALTER TABLE product FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON product TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON product TO tessera_app;

CREATE TABLE sku (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    product_id   uuid        NOT NULL,
    name         text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    price_minor  bigint      NOT NULL CHECK (price_minor BETWEEN 1 AND 100000000000),
    currency     text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    code_pattern text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id)
);
ALTER TABLE sku ENABLE ROW LEVEL SECURITY;
ALTER TABLE sku FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON sku TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON sku TO tessera_app;
