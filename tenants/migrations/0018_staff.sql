-- Who works for a merchant. A person (merchant_user) may work for several, with a role at each; a session is of a person at one of them.
-- Expand: merchant_user.tenant_id and .scopes go on being written for processes of the release before, and are read by none of this one.
-- The role of a person is a built-in one by its name, or `custom` and a row of staff_role.

CREATE TABLE staff_role (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    permissions text[]      NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (name, tenant_id)
);
ALTER TABLE staff_role ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff_role FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON staff_role TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON staff_role TO tessera_app;
-- Which merchants a person works for, and what he may there, is asked before there is a tenant.
CREATE POLICY signing_in ON staff_role FOR SELECT TO tessera_platform USING (true);
GRANT SELECT ON staff_role TO tessera_platform;

CREATE TABLE membership (
    tenant_id  uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    role       text        NOT NULL CHECK (role IN ('owner', 'manager', 'operations', 'finance', 'support', 'read-only', 'custom')),
    role_id    uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, role_id) REFERENCES staff_role (tenant_id, id),
    CHECK ((role = 'custom') = (role_id IS NOT NULL))
);
CREATE INDEX membership_of_a_person ON membership (user_id);
CREATE INDEX membership_in_a_role ON membership (role_id) WHERE role_id IS NOT NULL;
ALTER TABLE membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE membership FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON membership TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON membership TO tessera_app;
CREATE POLICY signing_in ON membership FOR SELECT TO tessera_platform USING (true);
GRANT SELECT ON membership TO tessera_platform;

-- Until now a merchant had one person, who had signed up and may everything.
INSERT INTO membership (tenant_id, user_id, role, created_at) SELECT tenant_id, id, 'owner', created_at FROM merchant_user;
ALTER TABLE merchant_user ALTER COLUMN tenant_id DROP NOT NULL;
ALTER TABLE merchant_user ALTER COLUMN scopes SET DEFAULT '{}';
ALTER TABLE merchant_session ADD COLUMN tenant_id uuid REFERENCES tenant (id);

-- What is offered to somebody who holds the token. The row goes when the offer is accepted or taken back; the audit keeps that it was made.
CREATE TABLE invitation (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    mail       text        NOT NULL CHECK (mail = lower(mail)),
    role       text        NOT NULL CHECK (role IN ('owner', 'manager', 'operations', 'finance', 'support', 'read-only', 'custom')),
    role_id    uuid,
    invited_by uuid,
    locale     text        NOT NULL CHECK (locale IN ('zh-CN', 'en')),
    token_hash bytea       NOT NULL CHECK (octet_length(token_hash) = 32),
    sends      smallint    NOT NULL DEFAULT 1 CHECK (sends BETWEEN 1 AND 5),
    sent_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (mail, tenant_id),
    UNIQUE (token_hash, tenant_id),
    FOREIGN KEY (tenant_id, role_id) REFERENCES staff_role (tenant_id, id),
    CHECK ((role = 'custom') = (role_id IS NOT NULL))
);
CREATE INDEX invitation_in_a_role ON invitation (role_id) WHERE role_id IS NOT NULL;
ALTER TABLE invitation ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON invitation TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON invitation TO tessera_app;
