-- Keys that are rotated while the shop sells: several master keys, and newer data and fingerprint keys with everything sealed anew.

-- Which master key wraps it; 0 follows from TESSERA_SECRET.
ALTER TABLE tenant_key ADD COLUMN master_id smallint NOT NULL DEFAULT 0;
-- A key that nothing is sealed under any more goes.
GRANT DELETE ON tenant_key TO tessera_app;
-- Wrapping anew is the platform's, tenant by tenant; the application cannot change a key.
CREATE POLICY platform_wraps ON tenant_key FOR UPDATE TO tessera_platform
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT UPDATE (wrapped, master_id) ON tenant_key TO tessera_platform;

-- Under which key the fingerprint was made: while they are rotated there are two.
ALTER TABLE code ADD COLUMN fingerprint_key_id smallint NOT NULL DEFAULT 1;

-- What a rotation writes, and nothing else of these rows.
GRANT UPDATE (key_id, sealed, fingerprint_key_id, fingerprint) ON code TO tessera_app;
GRANT UPDATE (key_id, content) ON qualification_document TO tessera_app;
GRANT UPDATE (key_id, sealed) ON data_part TO tessera_app;

CREATE TABLE key_rotation (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    purposes    text[]      NOT NULL CHECK (purposes <@ ARRAY['seal', 'fingerprint'] AND cardinality(purposes) > 0),
    state       text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done')),
    codes       bigint      NOT NULL,              -- how many there were when it began
    progress    jsonb       NOT NULL DEFAULT '{}', -- which pass it is, and how far
    asked_by    text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    next_try_at timestamptz DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CHECK ((state = 'running') = (next_try_at IS NOT NULL)),
    CHECK ((state = 'done') = (finished_at IS NOT NULL))
);
ALTER TABLE key_rotation ENABLE ROW LEVEL SECURITY;
ALTER TABLE key_rotation FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON key_rotation TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON key_rotation TO tessera_app;
-- One at a time: there are never more than two keys of a purpose.
CREATE UNIQUE INDEX key_rotation_running ON key_rotation (state, tenant_id) WHERE state = 'running';
CREATE INDEX key_rotation_due ON key_rotation (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON key_rotation FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON key_rotation TO tessera_sweeper;
