-- Who a merchant is and what he is licensed to sell: what he says, the documents that show it, and what the platform's reviewers decided.

CREATE TABLE qualification (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('individual', 'sole_trader', 'company', 'game_topup', 'gift_cards')),
    state        text        NOT NULL DEFAULT 'draft' CHECK (state IN (
                                 'draft', 'submitted', 'in_review', 'more_wanted', 'approved', 'rejected', 'expired', 'revoked', 'withdrawn')),
    particulars  bytea       NOT NULL,                     -- sealed: names and numbers of persons
    key_id       smallint    NOT NULL,
    reasons      text[]      NOT NULL DEFAULT '{}',        -- of the last decision, for the merchant
    reviewer     text,                                     -- who took it, `pst_…`
    valid_until  timestamptz,                              -- an approved one is in force until then; NULL: without end
    created_at   timestamptz NOT NULL DEFAULT now(),
    submitted_at timestamptz,
    decided_at   timestamptz,
    next_try_at  timestamptz,                              -- when an approved one is to be expired
    tries        integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE qualification ENABLE ROW LEVEL SECURITY;
ALTER TABLE qualification FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON qualification TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON qualification TO tessera_app;
CREATE INDEX qualification_due ON qualification (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON qualification FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON qualification TO tessera_sweeper;
-- One of a kind is under way at a time; the one in force stays so while its successor is reviewed.
CREATE UNIQUE INDEX qualification_under_way ON qualification (kind, tenant_id)
    WHERE state IN ('draft', 'submitted', 'in_review', 'more_wanted');
CREATE INDEX qualification_waiting ON qualification (submitted_at, id) WHERE state IN ('submitted', 'in_review');
-- Reviewers see what waits, of all tenants, and change only what is of the tenant their transaction names.
CREATE POLICY platform_sees ON qualification FOR SELECT TO tessera_platform USING (state <> 'draft');
CREATE POLICY platform_decides ON qualification FOR UPDATE TO tessera_platform
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, UPDATE ON qualification TO tessera_platform;

CREATE TABLE qualification_document (
    tenant_id        uuid        NOT NULL,
    id               uuid        NOT NULL,
    qualification_id uuid        NOT NULL,
    shows            text        NOT NULL,                 -- what of the kind's documents it is
    media_type       text        NOT NULL CHECK (media_type IN ('application/pdf', 'image/png', 'image/jpeg')),
    sha256           bytea       NOT NULL CHECK (octet_length(sha256) = 32), -- of the file as it was sent
    size_bytes       integer     NOT NULL CHECK (size_bytes > 0),            -- of what is kept, unsealed
    content          bytea       NOT NULL,                 -- sealed, AAD is tenant, qualification and document
    key_id           smallint    NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (qualification_id, shows, sha256, tenant_id),
    FOREIGN KEY (tenant_id, qualification_id) REFERENCES qualification (tenant_id, id)
);
ALTER TABLE qualification_document ENABLE ROW LEVEL SECURITY;
ALTER TABLE qualification_document FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON qualification_document TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON qualification_document TO tessera_app;
-- What is sealed does not compress: stored outside the row as it is.
ALTER TABLE qualification_document ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE POLICY platform_reviews ON qualification_document FOR SELECT TO tessera_platform
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON qualification_document TO tessera_platform;
CREATE POLICY platform_reviews ON tenant_key FOR SELECT TO tessera_platform
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON tenant_key TO tessera_platform;

-- What a product is: some kinds take a licence to sell. The list, and what each takes, is in tenants/capabilities.py.
ALTER TABLE product ADD COLUMN category text NOT NULL DEFAULT 'general';
-- Which providers there are is the adapters' word; that money is real there is told by the name.
ALTER TABLE provider_account DROP CONSTRAINT provider_account_provider_check;
ALTER TABLE provider_account ADD CONSTRAINT provider_account_provider_check CHECK (provider ~ '^[a-z][a-z0-9_]{1,31}$');
