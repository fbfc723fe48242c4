-- Hosts that change. A sub-domain that was left still leads to its store for a while, and is never given to another: links live long.
-- A domain of the merchant's own is served once the DNS says that it is his, by a record that names the tenant.

-- Until when a sub-domain that was left leads on; NULL for one that is in use.
ALTER TABLE store_host ADD COLUMN redirects_until timestamptz;
CREATE INDEX store_host_by_tenant ON store_host (tenant_id);

-- The host that links to the store name; NULL, or one that is not the tenant's any more, means the sub-domain.
ALTER TABLE tenant ADD COLUMN primary_host text;
GRANT UPDATE (slug, primary_host) ON tenant TO tessera_platform;

-- Any tenant may claim any domain; only who proves it gets the row of `store_host`, which is one for each host.
CREATE TABLE store_domain (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    domain        text        NOT NULL CHECK (domain = lower(domain) AND length(domain) <= 230),
    state         text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'active', 'lost')),
    problem       text        NOT NULL DEFAULT '', -- what the last check found wrong
    failures      integer     NOT NULL DEFAULT 0,  -- checks in a row that found the proof gone; what DNS did not answer counts for nothing
    failing_since timestamptz,
    verified_at   timestamptz,
    checked_at    timestamptz,
    asked_at      timestamptz NOT NULL DEFAULT now(), -- since when a pending one is looked for
    created_at    timestamptz NOT NULL DEFAULT now(),
    next_try_at   timestamptz DEFAULT now(),       -- when the DNS is to be asked
    tries         integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (domain, tenant_id),
    CHECK ((failures > 0) = (failing_since IS NOT NULL))
);
ALTER TABLE store_domain ENABLE ROW LEVEL SECURITY;
ALTER TABLE store_domain FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON store_domain TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON store_domain TO tessera_app;
CREATE INDEX store_domain_due ON store_domain (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON store_domain FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON store_domain TO tessera_sweeper;
