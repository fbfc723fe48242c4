-- What Postgres gives back to the gate of a flash sale: units and shoppers' slots, each for one reason, for ever.
-- Rows of an epoch are applied in order of seq; a newer epoch was counted with them, and voids them.

CREATE TABLE give_back (
    tenant_id  uuid        NOT NULL,
    sale_id    uuid        NOT NULL,
    reason     text        NOT NULL,
    epoch      bigint      NOT NULL,
    seq        bigint      NOT NULL,
    shopper_id uuid        NOT NULL,
    units      integer     NOT NULL CHECK (units >= 0),
    slots      integer     NOT NULL CHECK (slots >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, sale_id, reason),
    UNIQUE (sale_id, seq, tenant_id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sale (tenant_id, id)
);
ALTER TABLE give_back ENABLE ROW LEVEL SECURITY;
ALTER TABLE give_back FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON give_back TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON give_back TO tessera_app;
