-- The platform's own people, apart from merchants: their sign-ins, their record, what they may do to a tenant, and the slugs they keep back.
--
-- Only tessera_platform reads these tables. Where staff act on a tenant, they do it in a transaction of that tenant by the same role, so that
-- the deed, the platform's record and the tenant's audit are committed together; the policies below let the role see and add no more than that.

CREATE TABLE platform_staff (
    id             uuid        PRIMARY KEY,
    mail           text        NOT NULL CHECK (mail = lower(mail)),
    role           text        NOT NULL CHECK (role IN ('admin', 'reviewer', 'support')),
    password_hash  text,
    totp_secret    bytea,                                  -- sealed for this person
    totp_step      bigint      NOT NULL DEFAULT 0,         -- of the last code that was taken: no code is taken twice
    totp_failures  smallint    NOT NULL DEFAULT 0,         -- in a row, each with the right password
    locked_until   timestamptz NOT NULL DEFAULT '-infinity',
    enrolment_hash bytea       UNIQUE CHECK (octet_length(enrolment_hash) = 32),
    enrolment_ends timestamptz,
    enrolled_at    timestamptz,                            -- the first sign-in
    removed_at     timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX platform_staff_mail ON platform_staff (mail) WHERE removed_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON platform_staff TO tessera_platform;

CREATE TABLE platform_session (
    token_hash bytea       PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    staff_id   uuid        NOT NULL REFERENCES platform_staff (id),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON platform_session TO tessera_platform;
CREATE INDEX platform_session_of ON platform_session (staff_id);

-- Append-only: the role may add and read, never change.
CREATE TABLE platform_audit (
    id        uuid        PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    actor     text        NOT NULL,
    action    text        NOT NULL,
    subject   text        NOT NULL,
    tenant_id uuid,
    detail    jsonb       NOT NULL DEFAULT '{}'
);
GRANT SELECT, INSERT ON platform_audit TO tessera_platform;
CREATE INDEX platform_audit_of ON platform_audit (tenant_id, id) WHERE tenant_id IS NOT NULL;

CREATE TABLE reserved_slug (
    slug       text        PRIMARY KEY CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{1,30}[a-z0-9])$'),
    reason     text        NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, DELETE ON reserved_slug TO tessera_platform;
INSERT INTO reserved_slug (slug, reason)
SELECT slug, 'A visitor would take it for the platform''s own.'
FROM unnest(ARRAY['admin', 'api', 'app', 'console', 'docs', 'help', 'login', 'mail', 'pay', 'platform', 'static', 'status', 'support', 'www'])
     AS slug;

-- A suspended store sells nothing; its staff read on, and what is paid is still delivered or refunded.
ALTER TABLE tenant ADD COLUMN suspended_at timestamptz;
ALTER TABLE tenant ADD COLUMN suspended_for text CHECK (length(suspended_for) BETWEEN 1 AND 500);
ALTER TABLE tenant ADD CONSTRAINT tenant_suspended_why CHECK ((suspended_at IS NULL) = (suspended_for IS NULL));
GRANT UPDATE (suspended_at, suspended_for) ON tenant TO tessera_platform;
-- A page of merchants, of those suspended, or of those whose slug begins so, is read from an index from where the last page ended.
CREATE INDEX tenant_suspended ON tenant (id) WHERE suspended_at IS NOT NULL;
CREATE INDEX tenant_slug_c ON tenant (slug COLLATE "C");

CREATE POLICY platform_adds ON audit FOR INSERT TO tessera_platform
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT INSERT ON audit TO tessera_platform;
CREATE POLICY platform_adds ON outbox FOR INSERT TO tessera_platform
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT INSERT ON outbox TO tessera_platform;
-- Owners are told by mail what was decided about them.
CREATE POLICY platform_adds ON mail FOR INSERT TO tessera_platform
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT INSERT ON mail TO tessera_platform;
CREATE POLICY platform_sees ON store FOR SELECT TO tessera_platform USING (true);
GRANT SELECT (tenant_id, name) ON store TO tessera_platform;
