-- The audit's chain. Who acts writes his entry and, beside it, that it is not linked yet: no lock, no order. The worker links what has been
-- committed, in the order in which it finds it, under a lock that only linking takes. An entry that becomes visible late is linked late, once.

-- Entries that no link holds yet. Deleted by the transaction that writes the link.
CREATE TABLE audit_unlinked (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    next_try_at timestamptz NOT NULL DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE audit_unlinked ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_unlinked FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON audit_unlinked TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON audit_unlinked TO tessera_app;
CREATE INDEX audit_unlinked_due ON audit_unlinked (next_try_at);
CREATE POLICY due ON audit_unlinked FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON audit_unlinked TO tessera_sweeper;

-- Append-only, as the audit itself. `hash` covers the link before and the entry, see tenants/audit/chain.py.
-- No foreign key: that each link has its entry is part of what the chain proves.
CREATE TABLE audit_link (
    tenant_id uuid   NOT NULL,
    seq       bigint NOT NULL CHECK (seq > 0),
    audit_id  uuid   NOT NULL,
    hash      bytea  NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (tenant_id, seq),
    UNIQUE (audit_id, tenant_id)
);
ALTER TABLE audit_link ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_link FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON audit_link TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON audit_link TO tessera_app;

-- The last link of each chain, and up to where it was anchored outside. The platform anchors all tenants' heads together and sees nothing else.
CREATE TABLE audit_head (
    tenant_id    uuid   NOT NULL PRIMARY KEY,
    seq          bigint NOT NULL,
    hash         bytea  NOT NULL CHECK (octet_length(hash) = 32),
    anchored_seq bigint NOT NULL DEFAULT 0
);
ALTER TABLE audit_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_head FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON audit_head TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON audit_head TO tessera_app;
GRANT UPDATE (seq, hash) ON audit_head TO tessera_app;
CREATE POLICY anchored ON audit_head TO tessera_platform USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE (anchored_seq) ON audit_head TO tessera_platform;
CREATE INDEX audit_head_changed ON audit_head (tenant_id) WHERE seq > anchored_seq;

-- What is there already is linked by the worker, as if it had been written today.
INSERT INTO audit_unlinked (tenant_id, id) SELECT tenant_id, id FROM audit;

-- Looking through the audit: by what was acted on, by whom, and by what was done; each newest first.
CREATE INDEX audit_by_subject ON audit (subject, id, tenant_id);
CREATE INDEX audit_by_actor ON audit (actor, id, tenant_id);
CREATE INDEX audit_by_action ON audit (action, id, tenant_id);

-- What the platform's people do to a store is linked as well.
CREATE POLICY platform_adds ON audit_unlinked FOR INSERT TO tessera_platform
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT INSERT ON audit_unlinked TO tessera_platform;
