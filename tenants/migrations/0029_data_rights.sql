-- Data rights: what a shopper or a store asks to get or to have erased is a duty; its archives lie sealed here for a week.

-- Shoppers who are erased. Their tokens are signed and stored nowhere, so every process remembers these for as long as a token lives.
CREATE TABLE erased_shopper (
    tenant_id  uuid        NOT NULL,
    shopper_id uuid        NOT NULL,
    erased_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, shopper_id)
);
ALTER TABLE erased_shopper ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_shopper FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON erased_shopper TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON erased_shopper TO tessera_app;
CREATE POLICY refused ON erased_shopper FOR SELECT TO tessera_platform USING (true);
GRANT SELECT ON erased_shopper TO tessera_platform;
CREATE INDEX erased_shopper_lately ON erased_shopper (erased_at);

CREATE TABLE data_request (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('shopper_export', 'shopper_erasure', 'store_export')),
    state       text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'expired')),
    shopper_id  uuid        CHECK ((shopper_id IS NULL) = (kind = 'store_export')),
    asked_by    text        NOT NULL,
    progress    jsonb       NOT NULL DEFAULT '{}', -- how far it is: tables, keys and counts
    words       bytea,                             -- sealed: what an erasure still has to look for, removed when it is done
    key_id      smallint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    expires_at  timestamptz,
    next_try_at timestamptz DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CHECK (state <> 'running' OR next_try_at IS NOT NULL)
);
ALTER TABLE data_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_request FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON data_request TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON data_request TO tessera_app;
CREATE INDEX data_request_due ON data_request (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON data_request FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON data_request TO tessera_sweeper;

CREATE TABLE data_part (
    tenant_id  uuid     NOT NULL,
    request_id uuid     NOT NULL,
    number     integer  NOT NULL,
    name       text     NOT NULL, -- of the file in the archive
    key_id     smallint NOT NULL,
    sealed     bytea    NOT NULL, -- compressed, then sealed; AAD is tenant, request and number
    PRIMARY KEY (tenant_id, request_id, number),
    FOREIGN KEY (tenant_id, request_id) REFERENCES data_request (tenant_id, id)
);
ALTER TABLE data_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_part FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON data_part TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON data_part TO tessera_app;

-- A kept answer that names an erased shopper goes.
GRANT DELETE ON idempotent_reply TO tessera_app;
-- So does what a webhook said of him, and what a merchant's server answered.
GRANT UPDATE (body) ON webhook_event TO tessera_app;
GRANT UPDATE (answer) ON webhook_attempt TO tessera_app;
