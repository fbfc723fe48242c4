-- Webhooks: where a merchant wants to be told, what he is told, and how it went. One row of webhook_delivery for an event and an endpoint.
--
-- An endpoint is a queue: its duty (next_try_at) is its oldest waiting delivery, and the others wait behind that. Nothing a merchant configured
-- is waited for inside a transaction: whoever delivers holds a lease, and a crash only lets it run out.

CREATE TABLE webhook_endpoint (
    tenant_id        uuid        NOT NULL,
    id               uuid        NOT NULL,
    url              text        NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
    description      text        NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    event_types      text[]      NOT NULL,
    enabled          boolean     NOT NULL DEFAULT true,
    disabled_because text        CHECK (disabled_because IN ('merchant', 'gone', 'failing')),
    secret           bytea       NOT NULL, -- sealed, AAD is tenant and endpoint
    key_id           smallint    NOT NULL,
    old_secret       bytea,                -- signs too until old_until
    old_key_id       smallint,
    old_until        timestamptz,
    last_seq         bigint      NOT NULL DEFAULT 0,
    failing_since    timestamptz,          -- the first failure since the last success
    lease            uuid,                 -- of whoever delivers just now
    created_at       timestamptz NOT NULL DEFAULT now(),
    next_try_at      timestamptz,          -- when the head of the queue is to be tried, NULL when nothing waits or it is disabled
    tries            integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CHECK (enabled = (disabled_because IS NULL)),
    CHECK (enabled OR next_try_at IS NULL)
);
ALTER TABLE webhook_endpoint ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_endpoint FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON webhook_endpoint TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoint TO tessera_app;
CREATE INDEX webhook_endpoint_due ON webhook_endpoint (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON webhook_endpoint FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON webhook_endpoint TO tessera_sweeper;

-- What is told, byte for byte as it is signed. Its duty is to be forgotten, with its deliveries.
CREATE TABLE webhook_event (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    type        text        NOT NULL,
    body        text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz NOT NULL DEFAULT now() + interval '30 days',
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE webhook_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_event FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON webhook_event TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_event TO tessera_app;
CREATE INDEX webhook_event_due ON webhook_event (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON webhook_event FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON webhook_event TO tessera_sweeper;

-- No foreign key to the endpoint: the log outlives it.
CREATE TABLE webhook_delivery (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    endpoint_id uuid        NOT NULL,
    event_id    uuid        NOT NULL,
    type        text        NOT NULL,
    seq         bigint      NOT NULL, -- its place in the endpoint's queue
    state       text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up', 'cancelled')),
    attempts    integer     NOT NULL DEFAULT 0, -- since it was last queued
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (event_id, endpoint_id, tenant_id),
    FOREIGN KEY (tenant_id, event_id) REFERENCES webhook_event (tenant_id, id),
    CHECK ((state = 'waiting') = (finished_at IS NULL))
);
ALTER TABLE webhook_delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_delivery FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON webhook_delivery TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_delivery TO tessera_app;
CREATE INDEX webhook_delivery_queue ON webhook_delivery (endpoint_id, state, seq);
CREATE INDEX webhook_delivery_by_endpoint ON webhook_delivery (endpoint_id, id);

CREATE TABLE webhook_attempt (
    tenant_id   uuid        NOT NULL,
    delivery_id uuid        NOT NULL,
    id          uuid        NOT NULL, -- sent as X-Request-Id
    at          timestamptz NOT NULL,
    duration_ms integer     NOT NULL,
    status      smallint,             -- NULL when there was no answer
    failure     text,                 -- why there was none
    answer      text        NOT NULL DEFAULT '' CHECK (octet_length(answer) <= 4096), -- the first 1,024 bytes, as text
    PRIMARY KEY (tenant_id, delivery_id, id),
    FOREIGN KEY (tenant_id, delivery_id) REFERENCES webhook_delivery (tenant_id, id)
);
ALTER TABLE webhook_attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_attempt FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON webhook_attempt TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON webhook_attempt TO tessera_app;

-- A tenant with an endpoint for `order.reserved`: his new orders are looked for every other second (its id is the tenant's). The commit of a
-- flash sale says nothing of them, and costs nothing for it.
CREATE TABLE webhook_watch (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    seen        timestamptz NOT NULL DEFAULT now(), -- orders made before are told of
    next_try_at timestamptz DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE webhook_watch ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_watch FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON webhook_watch TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON webhook_watch TO tessera_app;
CREATE INDEX webhook_watch_due ON webhook_watch (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON webhook_watch FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON webhook_watch TO tessera_sweeper;

-- An event whose webhooks are queued, though it was not published yet: Redis was away.
ALTER TABLE outbox ADD COLUMN fanned_out boolean NOT NULL DEFAULT false;
