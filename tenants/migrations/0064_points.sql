-- Points and levels: what a store says of them, one account a shopper, what it got and gave (entries), what is left of each gift (lots),
-- and what each order earned and gave back. docs/points.md, docs/decisions/0049-points-and-levels.md.

CREATE TABLE points_program (
    tenant_id      uuid    NOT NULL PRIMARY KEY,
    enabled        boolean NOT NULL,
    earn_points    integer NOT NULL CHECK (earn_points BETWEEN 0 AND 1000000),
    earn_minor     bigint  NOT NULL CHECK (earn_minor BETWEEN 1 AND 1000000000),  -- for so many minor units
    hold_days      integer NOT NULL CHECK (hold_days BETWEEN 0 AND 365),
    expiry         text    NOT NULL CHECK (expiry IN ('never', 'days', 'month_end')),
    expiry_count   integer NOT NULL CHECK (expiry_count BETWEEN 1 AND 3650),     -- days, or calendar months
    sign_in_points integer NOT NULL CHECK (sign_in_points BETWEEN 0 AND 1000000),
    growth_points  integer NOT NULL CHECK (growth_points BETWEEN 0 AND 1000000),
    growth_minor   bigint  NOT NULL CHECK (growth_minor BETWEEN 1 AND 1000000000),
    period_days    integer CHECK (period_days BETWEEN 1 AND 3650),               -- NULL: a level is for ever
    grace_days     integer NOT NULL CHECK (grace_days BETWEEN 0 AND 365),
    version        bigint  NOT NULL DEFAULT 1
);
ALTER TABLE points_program ENABLE ROW LEVEL SECURITY;
ALTER TABLE points_program FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON points_program TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON points_program TO tessera_app;

CREATE TABLE points_level (
    tenant_id    uuid    NOT NULL,
    id           uuid    NOT NULL,
    name         text    NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    growth       bigint  NOT NULL CHECK (growth > 0),                            -- from how much on
    earn_percent integer NOT NULL CHECK (earn_percent BETWEEN 100 AND 1000),     -- of the points that everybody earns
    group_id     uuid,                                                           -- whose prices it has
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES buyer_group (tenant_id, id)
);
ALTER TABLE points_level ENABLE ROW LEVEL SECURITY;
ALTER TABLE points_level FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON points_level TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON points_level TO tessera_app;
CREATE INDEX points_level_of_group ON points_level (group_id, tenant_id) WHERE group_id IS NOT NULL;

-- The row that everybody locks who changes anything of a shopper's points. `owed` is what he must give back and has not got.
CREATE TABLE points_account (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,                                            -- of the shopper
    balance     bigint      NOT NULL DEFAULT 0 CHECK (balance >= 0),
    owed        bigint      NOT NULL DEFAULT 0 CHECK (owed >= 0),
    entries     bigint      NOT NULL DEFAULT 0,
    level_id    uuid,
    level_since timestamptz,
    level_until timestamptz,
    in_grace    boolean     NOT NULL DEFAULT false,
    group_id    uuid,                                                            -- into which his level put him
    created_at  timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz,
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CHECK (owed = 0 OR balance = 0)
);
ALTER TABLE points_account ENABLE ROW LEVEL SECURITY;
ALTER TABLE points_account FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON points_account TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON points_account TO tessera_app;
CREATE INDEX points_account_due ON points_account (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON points_account FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON points_account TO tessera_sweeper;

-- Written once. An account's entries are numbered without a gap; `once` names what may happen to an account a single time.
CREATE TABLE points_entry (
    tenant_id  uuid        NOT NULL,
    shopper_id uuid        NOT NULL,
    seq        bigint      NOT NULL CHECK (seq > 0),
    amount     bigint      NOT NULL CHECK (amount <> 0),
    kind       text        NOT NULL CHECK (kind IN ('order', 'sign_in', 'staff', 'refund', 'owed', 'expired')),
    balance    bigint      NOT NULL CHECK (balance >= 0),                        -- after it
    order_id   uuid,
    once       text        CHECK (length(once) <= 100),
    note       text        CHECK (length(note) BETWEEN 1 AND 200),
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, shopper_id, seq),
    FOREIGN KEY (tenant_id, shopper_id) REFERENCES points_account (tenant_id, id)
);
ALTER TABLE points_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE points_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON points_entry TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON points_entry TO tessera_app;
GRANT UPDATE (note) ON points_entry TO tessera_app; -- emptied with an erased shopper
CREATE UNIQUE INDEX points_entry_once ON points_entry (shopper_id, once, tenant_id) WHERE once IS NOT NULL;

-- What is left of what an entry brought. Held until `ready_at`; what is past `expires_at` is nobody's.
CREATE TABLE points_lot (
    tenant_id  uuid        NOT NULL,
    shopper_id uuid        NOT NULL,
    seq        bigint      NOT NULL,                                             -- of the entry that brought it
    amount     bigint      NOT NULL CHECK (amount > 0),
    remaining  bigint      NOT NULL CHECK (remaining BETWEEN 0 AND amount),
    expired    bigint      NOT NULL DEFAULT 0 CHECK (expired BETWEEN 0 AND amount),
    ready_at   timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, shopper_id, seq),
    FOREIGN KEY (tenant_id, shopper_id, seq) REFERENCES points_entry (tenant_id, shopper_id, seq)
);
ALTER TABLE points_lot ENABLE ROW LEVEL SECURITY;
ALTER TABLE points_lot FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON points_lot TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON points_lot TO tessera_app;
GRANT UPDATE (remaining, expired) ON points_lot TO tessera_app;
CREATE INDEX points_lot_left ON points_lot (shopper_id, expires_at, seq) WHERE remaining > 0;

-- From which lots an entry took.
CREATE TABLE points_consumption (
    tenant_id  uuid   NOT NULL,
    shopper_id uuid   NOT NULL,
    seq        bigint NOT NULL,
    lot_seq    bigint NOT NULL,
    amount     bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (tenant_id, shopper_id, seq, lot_seq),
    FOREIGN KEY (tenant_id, shopper_id, seq) REFERENCES points_entry (tenant_id, shopper_id, seq),
    FOREIGN KEY (tenant_id, shopper_id, lot_seq) REFERENCES points_lot (tenant_id, shopper_id, seq)
);
ALTER TABLE points_consumption ENABLE ROW LEVEL SECURITY;
ALTER TABLE points_consumption FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON points_consumption TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON points_consumption TO tessera_app;

-- What a delivered order brought and gave back again. Its duty makes it what order and refunds say, however often it is told of them.
-- Of what it earned, `taken` came from lots, `owed` went into the account's debt, `lapsed` had expired before.
CREATE TABLE points_order (
    tenant_id      uuid        NOT NULL,
    id             uuid        NOT NULL,                                         -- of the order
    shopper_id     uuid,
    settled_at     timestamptz,                                                  -- NULL: nobody looked at it yet
    delivered_at   timestamptz,
    amount_minor   bigint      NOT NULL DEFAULT 0 CHECK (amount_minor >= 0),
    refunded_minor bigint      NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    earn_percent   integer     NOT NULL DEFAULT 100,
    lot_seq        bigint,
    earned         bigint      NOT NULL DEFAULT 0 CHECK (earned >= 0),
    taken          bigint      NOT NULL DEFAULT 0 CHECK (taken >= 0),
    owed           bigint      NOT NULL DEFAULT 0 CHECK (owed >= 0),
    lapsed         bigint      NOT NULL DEFAULT 0 CHECK (lapsed >= 0),
    growth         bigint      NOT NULL DEFAULT 0 CHECK (growth >= 0),
    growth_back    bigint      NOT NULL DEFAULT 0 CHECK (growth_back BETWEEN 0 AND growth),
    created_at     timestamptz NOT NULL DEFAULT now(),
    next_try_at    timestamptz DEFAULT now(),
    tries          integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CHECK (taken + owed + lapsed <= earned)
);
ALTER TABLE points_order ENABLE ROW LEVEL SECURITY;
ALTER TABLE points_order FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON points_order TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON points_order TO tessera_app;
CREATE INDEX points_order_due ON points_order (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX points_order_growth ON points_order (shopper_id, delivered_at, id) WHERE growth > 0;
CREATE POLICY due ON points_order FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON points_order TO tessera_sweeper;

-- Which level a shopper had since when. `name` as it was then; NULL: none.
CREATE TABLE points_level_change (
    tenant_id  uuid        NOT NULL,
    shopper_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        CHECK (length(name) BETWEEN 1 AND 40),
    growth     bigint      NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, shopper_id, id),
    FOREIGN KEY (tenant_id, shopper_id) REFERENCES points_account (tenant_id, id)
);
ALTER TABLE points_level_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE points_level_change FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON points_level_change TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON points_level_change TO tessera_app;
