-- Which unit went to which order. Insert-only and unique by unit, for ever: a code reaches at most one order.

CREATE TABLE delivery (
    tenant_id    uuid        NOT NULL,
    unit_id      bigint      NOT NULL,
    order_id     uuid        NOT NULL,
    sale_id      uuid        NOT NULL,
    delivered_at timestamptz NOT NULL DEFAULT now(),
    revealed_at  timestamptz,
    PRIMARY KEY (tenant_id, unit_id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
ALTER TABLE delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON delivery TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON delivery TO tessera_app;
GRANT UPDATE (revealed_at) ON delivery TO tessera_app;

CREATE INDEX delivery_by_order ON delivery (order_id);
