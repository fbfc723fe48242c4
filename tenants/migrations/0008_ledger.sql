-- Double entry, integer minor units, append-only. A debit is positive, a credit negative; the entries of a transaction sum to zero.
-- clearing: money at the provider · revenue: money earned · unapplied: money that came for no live order and goes back.

CREATE TABLE ledger_tx (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('sale', 'receipt', 'refund')),
    reference  uuid        NOT NULL, -- the payment or refund it books
    currency   text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (reference, tenant_id)
);
ALTER TABLE ledger_tx ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_tx FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON ledger_tx TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON ledger_tx TO tessera_app;

CREATE TABLE ledger_entry (
    tenant_id    uuid   NOT NULL,
    tx_id        uuid   NOT NULL,
    account      text   NOT NULL CHECK (account IN ('clearing', 'revenue', 'unapplied')),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (tenant_id, tx_id, account),
    FOREIGN KEY (tenant_id, tx_id) REFERENCES ledger_tx (tenant_id, id)
);
ALTER TABLE ledger_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON ledger_entry TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON ledger_entry TO tessera_app;
