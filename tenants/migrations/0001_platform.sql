-- Who is on the platform: tenants, the hosts of their stores, the people who sign in, and what every tenant has one of.
--
-- Tables without forced row-level security are the platform's own: only tessera_platform reads them, to find the tenant a request
-- belongs to before there is one. Everything else is a tenant's, keyed by tenant_id first so that it distributes over Citus by it.
-- In every other index tenant_id comes last or not at all: a planner that has no statistics yet then has only the primary key to look a row
-- up by (with a second index led by tenant_id it took that one, and read all orders of the tenant for each foreign key it checked).
-- States are text with CHECK: equality on an enum is not leakproof, and would not use an index under row-level security.

CREATE TABLE tenant (
    id         uuid        PRIMARY KEY,
    slug       text        NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{1,30}[a-z0-9])$'),
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON tenant TO tessera_platform;

CREATE TABLE store_host (
    host      text PRIMARY KEY CHECK (host = lower(host)),
    tenant_id uuid NOT NULL REFERENCES tenant (id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON store_host TO tessera_platform;

CREATE TABLE merchant_user (
    id            uuid        PRIMARY KEY,
    tenant_id     uuid        NOT NULL REFERENCES tenant (id),
    mail          text        NOT NULL UNIQUE CHECK (mail = lower(mail)),
    password_hash text        NOT NULL,
    scopes        text[]      NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON merchant_user TO tessera_platform;

CREATE TABLE merchant_session (
    token_hash bytea       PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    user_id    uuid        NOT NULL REFERENCES merchant_user (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, DELETE ON merchant_session TO tessera_platform;

CREATE TABLE store (
    tenant_id  uuid        NOT NULL PRIMARY KEY,
    slug       text        NOT NULL,
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    currency   text        NOT NULL DEFAULT 'CNY' CHECK (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE store ENABLE ROW LEVEL SECURITY;
ALTER TABLE store FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON store TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON store TO tessera_app;

-- A tenant's data keys, each wrapped by the master key; the newest seals, the older ones only open.
CREATE TABLE tenant_key (
    tenant_id  uuid        NOT NULL,
    id         smallint    NOT NULL,
    purpose    text        NOT NULL CHECK (purpose IN ('seal', 'fingerprint')),
    wrapped    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, purpose, id)
);
ALTER TABLE tenant_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_key FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON tenant_key TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON tenant_key TO tessera_app;

CREATE TABLE api_key (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    key_hash   bytea       NOT NULL CHECK (octet_length(key_hash) = 32),
    scopes     text[]      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (key_hash, tenant_id)
);
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_key FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON api_key TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON api_key TO tessera_app;

-- The first answer to a creating POST, by its Idempotency-Key (checkouts need none: their order id follows from the key).
CREATE TABLE idempotent_reply (
    tenant_id    uuid        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 300),
    request_hash bytea       NOT NULL,
    status       smallint    NOT NULL,
    body         bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
ALTER TABLE idempotent_reply ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotent_reply FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON idempotent_reply TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON idempotent_reply TO tessera_app;

-- Append-only: the application may add and read, never change.
CREATE TABLE audit (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    actor      text        NOT NULL,
    action     text        NOT NULL,
    subject    text        NOT NULL,
    detail     jsonb       NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON audit TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON audit TO tessera_app;

-- What must happen after a commit, recorded in it. The relay sends it at least once; receivers know it again by its id.
CREATE TABLE outbox (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    topic       text        NOT NULL,
    payload     jsonb       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON outbox TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON outbox TO tessera_app;
CREATE INDEX outbox_due ON outbox (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON outbox FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON outbox TO tessera_sweeper;
