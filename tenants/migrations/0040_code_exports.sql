-- Codes in bulk leave the vault with the consent of two: asked for by one, approved by another, downloaded once.

CREATE TABLE code_export (
    tenant_id       uuid        NOT NULL,
    id              uuid        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('stock', 'batch', 'order')),
    subject_id      uuid        NOT NULL,            -- of the SKU, batch or order
    reason          text        NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    units           bigint[]    NOT NULL,            -- what was chosen when it was asked for, and no other
    state           text        NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'approved', 'refused', 'downloaded', 'expired')),
    asked_by        text        NOT NULL,
    asked_by_user   uuid        NOT NULL,
    decided_by      text,
    decided_by_user uuid        CHECK (state IN ('requested', 'refused', 'expired') OR decided_by_user <> asked_by_user),
    exported        integer,                         -- how many of them the file held
    created_at      timestamptz NOT NULL DEFAULT now(),
    decided_at      timestamptz,
    downloaded_at   timestamptz,
    expires_at      timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    next_try_at     timestamptz DEFAULT now() + interval '24 hours',
    tries           integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CHECK (state NOT IN ('approved', 'downloaded') OR decided_by_user IS NOT NULL),
    CHECK ((state IN ('requested', 'approved')) = (next_try_at IS NOT NULL)),
    CHECK ((state = 'downloaded') = (exported IS NOT NULL))
);
ALTER TABLE code_export ENABLE ROW LEVEL SECURITY;
ALTER TABLE code_export FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON code_export TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON code_export TO tessera_app;
-- What was chosen, why and by whom stays as it was asked.
GRANT UPDATE (state, decided_by, decided_by_user, exported, decided_at, downloaded_at, expires_at, next_try_at, tries)
    ON code_export TO tessera_app;
CREATE INDEX code_export_due ON code_export (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON code_export FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON code_export TO tessera_sweeper;
