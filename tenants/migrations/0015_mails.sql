-- Mails that somebody is owed, recorded with the deed they tell of. What the worker could not hand over yet is due again later; what was
-- handed over, or refused for good, keeps none of its content, which may hold the secret of a link.
CREATE TABLE mail (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    recipient   text        NOT NULL CHECK (length(recipient) BETWEEN 3 AND 254),
    template    text        NOT NULL,
    locale      text        NOT NULL CHECK (locale IN ('zh-CN', 'en')),
    content     jsonb       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    sent_at     timestamptz,
    refused     text,
    PRIMARY KEY (tenant_id, id),
    CHECK (next_try_at IS NOT NULL OR content = '{}')
);
ALTER TABLE mail ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON mail TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON mail TO tessera_app;
CREATE INDEX mail_due ON mail (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON mail FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON mail TO tessera_sweeper;
