-- An order may be refunded in parts. Each refund says which units it takes back and what was paid for each; what the order keeps is what no
-- refund names. docs/decisions/0038-part-refunds.md.
CREATE TABLE refund_unit (
    tenant_id    uuid   NOT NULL,
    refund_id    uuid   NOT NULL,
    unit_id      bigint NOT NULL,
    order_id     uuid   NOT NULL,
    sale_id      uuid   NOT NULL, -- the line it was bought with: the unit itself forgets its sale when it is quarantined
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (tenant_id, unit_id), -- a unit is refunded once, for ever
    FOREIGN KEY (tenant_id, refund_id) REFERENCES refund (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, id)
);
ALTER TABLE refund_unit ENABLE ROW LEVEL SECURITY;
ALTER TABLE refund_unit FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON refund_unit TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON refund_unit TO tessera_app;
CREATE INDEX refund_unit_by_order ON refund_unit (order_id);

-- Money that came for no live order still goes back once, whole; what was asked back of a live one in as many parts as it has units.
-- The new rule stands before the old one goes.
CREATE UNIQUE INDEX refund_returned ON refund (payment_id, tenant_id) WHERE reason <> 'requested';
ALTER TABLE refund DROP CONSTRAINT refund_payment_id_tenant_id_key;
CREATE INDEX refund_by_order ON refund (order_id);
