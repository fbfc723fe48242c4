-- Coupons. `coupon` says what is taken off, of what, for whom and how often; a `coupon_grant` is one piece that a shopper has; a
-- `coupon_use` is what a piece did in an order, and `coupon_line` what of that fell on each of the order's lines. What lines and units
-- cost (order_line.amount_minor, unit.paid_minor) is already less it: payments, refunds and books know nothing of coupons.
--
-- Locked after everything else: order, sales, units, then pieces by id, then coupons by id. Whoever claims locks the coupon and inserts.

CREATE TABLE coupon (
    tenant_id          uuid        NOT NULL,
    id                 uuid        NOT NULL,
    name               text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    currency           text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    kind               text        NOT NULL CHECK (kind IN ('fixed', 'percent')),
    off_minor          bigint      NOT NULL,            -- of a fixed one
    off_bp             integer     NOT NULL DEFAULT 0,  -- hundredths of a percent, of the other
    cap_minor          bigint      CHECK (cap_minor > 0),
    threshold_minor    bigint      NOT NULL DEFAULT 0 CHECK (threshold_minor >= 0),
    scope              text        NOT NULL DEFAULT 'all' CHECK (scope IN ('all', 'only', 'except')),
    sku_ids            uuid[]      NOT NULL DEFAULT '{}',
    product_ids        uuid[]      NOT NULL DEFAULT '{}',
    category_ids       uuid[]      NOT NULL DEFAULT '{}', -- and all below them
    channels           text[]      NOT NULL DEFAULT '{}', -- empty: all
    claim              text        NOT NULL CHECK (claim IN ('public', 'code', 'staff')),
    code               text        CHECK (length(code) BETWEEN 3 AND 32 AND code = upper(code)),
    claim_from         timestamptz,
    claim_until        timestamptz,
    valid_from         timestamptz,
    valid_until        timestamptz,
    valid_days         integer     CHECK (valid_days BETWEEN 1 AND 3650),                 -- after it was claimed
    per_shopper_max    smallint    NOT NULL DEFAULT 1 CHECK (per_shopper_max BETWEEN 1 AND 100),
    claims_max         bigint      CHECK (claims_max > 0),
    uses_max           bigint      CHECK (uses_max > 0),
    budget_minor       bigint      CHECK (budget_minor > 0),
    stack_group        text        NOT NULL DEFAULT '' CHECK (length(stack_group) <= 32), -- an order has one of each
    exclusive          boolean     NOT NULL DEFAULT false,                                -- or this one alone
    returned_on_refund boolean     NOT NULL DEFAULT true,
    state              text        NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'active', 'paused', 'ended')),
    claimed            bigint      NOT NULL DEFAULT 0,
    locked             bigint      NOT NULL DEFAULT 0,  -- by orders that wait for their payment
    used               bigint      NOT NULL DEFAULT 0,
    spent_minor        bigint      NOT NULL DEFAULT 0,  -- by both
    version            integer     NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    next_try_at        timestamptz,                     -- when the next of its pieces ends
    tries              integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT coupon_worth CHECK (CASE kind WHEN 'fixed' THEN off_minor > 0 AND off_bp = 0 AND cap_minor IS NULL
                                             ELSE off_minor = 0 AND off_bp BETWEEN 1 AND 9999 END),
    CONSTRAINT coupon_code CHECK ((claim = 'code') = (code IS NOT NULL)),
    CONSTRAINT coupon_ends CHECK (num_nonnulls(valid_until, valid_days) <= 1),
    CONSTRAINT coupon_scope CHECK ((scope = 'all') = (cardinality(sku_ids || product_ids || category_ids) = 0)),
    CONSTRAINT coupon_claims CHECK (claimed >= 0 AND claimed <= claims_max),
    CONSTRAINT coupon_uses CHECK (locked >= 0 AND used >= 0 AND locked + used <= uses_max),
    CONSTRAINT coupon_budget CHECK (spent_minor >= 0 AND spent_minor <= budget_minor)
);
ALTER TABLE coupon ENABLE ROW LEVEL SECURITY;
ALTER TABLE coupon FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON coupon TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON coupon TO tessera_app;
CREATE UNIQUE INDEX coupon_by_code ON coupon (code, tenant_id) WHERE code IS NOT NULL;
CREATE INDEX coupon_due ON coupon (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON coupon FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON coupon TO tessera_sweeper;

CREATE TABLE coupon_grant (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    coupon_id   uuid        NOT NULL,
    shopper_id  uuid        NOT NULL,
    n           smallint    NOT NULL CHECK (n > 0),     -- the first, second, … of this coupon that he got
    source      text        NOT NULL CHECK (source IN ('claim', 'code', 'staff')),
    state       text        NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'locked', 'used', 'void', 'expired')),
    order_id    uuid,
    valid_from  timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, coupon_id) REFERENCES coupon (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    CONSTRAINT coupon_grant_order CHECK ((state IN ('locked', 'used')) = (order_id IS NOT NULL))
);
ALTER TABLE coupon_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE coupon_grant FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON coupon_grant TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON coupon_grant TO tessera_app;
CREATE UNIQUE INDEX coupon_grant_once ON coupon_grant (coupon_id, shopper_id, n, tenant_id);
CREATE INDEX coupon_grant_by_shopper ON coupon_grant (shopper_id, id, tenant_id);
CREATE INDEX coupon_grant_held ON coupon_grant (shopper_id, valid_until, id, tenant_id) WHERE state = 'held';
CREATE INDEX coupon_grant_ending ON coupon_grant (coupon_id, valid_until, id, tenant_id) WHERE state = 'held';

CREATE TABLE coupon_use (
    tenant_id      uuid        NOT NULL,
    order_id       uuid        NOT NULL,
    grant_id       uuid        NOT NULL,
    coupon_id      uuid        NOT NULL,
    -- `borne`: the order was paid when it was over and its piece, or the coupon's uses or budget, had gone elsewhere; the merchant bears it.
    state          text        NOT NULL DEFAULT 'locked' CHECK (state IN ('locked', 'used', 'released', 'returned', 'borne')),
    discount_minor bigint      NOT NULL CHECK (discount_minor > 0),
    created_at     timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz,
    PRIMARY KEY (tenant_id, order_id, grant_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    FOREIGN KEY (tenant_id, grant_id) REFERENCES coupon_grant (tenant_id, id),
    FOREIGN KEY (tenant_id, coupon_id) REFERENCES coupon (tenant_id, id)
);
ALTER TABLE coupon_use ENABLE ROW LEVEL SECURITY;
ALTER TABLE coupon_use FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON coupon_use TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON coupon_use TO tessera_app;
CREATE INDEX coupon_use_by_coupon ON coupon_use (coupon_id, state, tenant_id);

CREATE TABLE coupon_line (
    tenant_id      uuid   NOT NULL,
    order_id       uuid   NOT NULL,
    sale_id        uuid   NOT NULL,
    grant_id       uuid   NOT NULL,
    discount_minor bigint NOT NULL CHECK (discount_minor > 0),
    whole_minor    bigint NOT NULL CHECK (whole_minor > discount_minor), -- what the line would cost without any coupon
    PRIMARY KEY (tenant_id, order_id, sale_id, grant_id),
    FOREIGN KEY (tenant_id, order_id, grant_id) REFERENCES coupon_use (tenant_id, order_id, grant_id)
);
ALTER TABLE coupon_line ENABLE ROW LEVEL SECURITY;
ALTER TABLE coupon_line FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON coupon_line TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON coupon_line TO tessera_app;
