-- Product types. A SKU names its type and what the type must know of it; a unit of whatever type is a row of `unit`, made ahead, so that
-- the checkout knows nothing of types. What differs begins when an order is paid: docs/decisions/0031-product-types.md.
ALTER TABLE sku ADD COLUMN type text NOT NULL DEFAULT 'code' CHECK (type ~ '^[a-z][a-z_]{0,31}$');
ALTER TABLE sku ADD COLUMN config jsonb NOT NULL DEFAULT '{}';
-- As the type says: from files of codes, or made here.
ALTER TABLE sku ADD COLUMN stock text NOT NULL DEFAULT 'imported' CHECK (stock IN ('imported', 'made'));

-- A batch that was made here has no file; and where units have no code of their own, it is not `sealed`.
ALTER TABLE vault_batch ADD COLUMN kind text NOT NULL DEFAULT 'imported' CHECK (kind IN ('imported', 'made'));
ALTER TABLE vault_batch ADD COLUMN sealed boolean NOT NULL DEFAULT true;
-- What a shopper may choose a unit by: a night, a seat, a number he likes.
ALTER TABLE unit ADD COLUMN pick text CHECK (length(pick) BETWEEN 1 AND 64);

-- What the shopper says of a line before he pays (an account to top up, a guest's name), sealed; and a line's own delivery.
ALTER TABLE order_line ADD COLUMN input bytea;
ALTER TABLE order_line ADD COLUMN input_key_id smallint;
GRANT UPDATE (input, input_key_id) ON order_line TO tessera_app;
-- Those that hold one: the rotation of keys goes through them.
CREATE INDEX order_line_with_input ON order_line (order_id, sale_id, tenant_id) WHERE input IS NOT NULL;

-- A paid line that is not delivered by the payment itself. It is due until it is done, failed (and refunded) or revoked by a refund.
CREATE TABLE fulfilment (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL DEFAULT gen_random_uuid(),
    order_id    uuid        NOT NULL,
    sale_id     uuid        NOT NULL,
    sku_id      uuid        NOT NULL,
    state       text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed', 'revoked')),
    sealed      bytea,                     -- what the shopper is told, for each unit or for all of them
    key_id      smallint,
    problem     text        CHECK (length(problem) <= 500),
    due_at      timestamptz NOT NULL DEFAULT now(),
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    next_try_at timestamptz DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (order_id, sale_id, tenant_id),
    CHECK ((state = 'pending') = (next_try_at IS NOT NULL)),
    CHECK ((state = 'pending') = (finished_at IS NULL))
);
ALTER TABLE fulfilment ENABLE ROW LEVEL SECURITY;
ALTER TABLE fulfilment FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON fulfilment TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON fulfilment TO tessera_app;
CREATE INDEX fulfilment_due ON fulfilment (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON fulfilment FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON fulfilment TO tessera_sweeper;
-- The queue, what is due first on top.
CREATE INDEX fulfilment_queue ON fulfilment (due_at, id, tenant_id) WHERE state = 'pending';

-- What a delivered unit entitles to, for types whose units live on: a licence, a period of membership, a seat, a stay.
CREATE TABLE entitlement (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    unit_id     bigint      NOT NULL,
    order_id    uuid        NOT NULL,
    sku_id      uuid        NOT NULL,
    shopper_id  uuid        NOT NULL,
    type        text        NOT NULL,
    state       text        NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'expired', 'revoked')),
    valid_from  timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz CHECK (valid_until > valid_from),
    data        jsonb       NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz,
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (unit_id, tenant_id),
    CHECK (state = 'active' OR next_try_at IS NULL)
);
ALTER TABLE entitlement ENABLE ROW LEVEL SECURITY;
ALTER TABLE entitlement FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON entitlement TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON entitlement TO tessera_app;
CREATE INDEX entitlement_due ON entitlement (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON entitlement FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON entitlement TO tessera_sweeper;
CREATE INDEX entitlement_by_shopper ON entitlement (shopper_id, sku_id);
CREATE INDEX entitlement_by_order ON entitlement (order_id);

-- Each use of one: a device it is activated on, an entry, a night. `name` is what it may be used on once; given back, it may be used again.
CREATE TABLE entitlement_use (
    tenant_id      uuid        NOT NULL,
    entitlement_id uuid        NOT NULL,
    name           text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    actor          text        NOT NULL,
    used_at        timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz,
    PRIMARY KEY (tenant_id, entitlement_id, name),
    FOREIGN KEY (tenant_id, entitlement_id) REFERENCES entitlement (tenant_id, id)
);
ALTER TABLE entitlement_use ENABLE ROW LEVEL SECURITY;
ALTER TABLE entitlement_use FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON entitlement_use TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON entitlement_use TO tessera_app;
