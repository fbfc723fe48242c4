-- Payments. What we ask of a provider is committed before we ask; what a provider tells us is remembered before we act on it.

CREATE TABLE provider_account (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    provider    text        NOT NULL CHECK (provider IN ('sandbox')),
    mch_id      text        NOT NULL,
    credentials bytea       NOT NULL, -- sealed, AAD is tenant and account
    key_id      smallint    NOT NULL,
    state       text        NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (provider, mch_id, tenant_id)
);
ALTER TABLE provider_account ENABLE ROW LEVEL SECURITY;
ALTER TABLE provider_account FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON provider_account TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON provider_account TO tessera_app;

CREATE TABLE payment_attempt (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    order_id     uuid        NOT NULL,
    account_id   uuid        NOT NULL,
    out_trade_no text        NOT NULL,
    state        text        NOT NULL DEFAULT 'creating' CHECK (state IN ('creating', 'open', 'paid', 'closed', 'failed')),
    amount_minor bigint      NOT NULL CHECK (amount_minor > 0),
    currency     text        NOT NULL,
    pay_url      text,
    notify_url   text        NOT NULL, -- these two as they were first sent: a provider takes a repeated request only if it is the same
    return_url   text        NOT NULL,
    expires_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    next_try_at  timestamptz,                         -- when the provider is to be asked
    tries        integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (out_trade_no, tenant_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES provider_account (tenant_id, id)
);
ALTER TABLE payment_attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_attempt FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON payment_attempt TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON payment_attempt TO tessera_app;
CREATE INDEX payment_attempt_due ON payment_attempt (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON payment_attempt FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON payment_attempt TO tessera_sweeper;

CREATE INDEX payment_attempt_by_order ON payment_attempt (order_id);

CREATE TABLE payment_inbox (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    account_id  uuid        NOT NULL,
    event_id    text        NOT NULL CHECK (length(event_id) BETWEEN 1 AND 128),
    notice      jsonb       NOT NULL, -- as verified and opened
    raw         bytea       NOT NULL, -- as received
    state       text        NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done')),
    outcome     text,
    received_at timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (account_id, event_id, tenant_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES provider_account (tenant_id, id)
);
ALTER TABLE payment_inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON payment_inbox TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON payment_inbox TO tessera_app;
CREATE INDEX payment_inbox_due ON payment_inbox (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON payment_inbox FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON payment_inbox TO tessera_sweeper;

-- Money that arrived, once for each transaction of the provider, whether it was wanted or not.
CREATE TABLE payment (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    account_id   uuid        NOT NULL,
    attempt_id   uuid        NOT NULL,
    order_id     uuid        NOT NULL,
    txn_id       text        NOT NULL,
    amount_minor bigint      NOT NULL CHECK (amount_minor > 0),
    currency     text        NOT NULL,
    disposition  text        NOT NULL CHECK (disposition IN ('applied', 'late', 'double', 'mismatch')),
    paid_at      timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (account_id, txn_id, tenant_id),
    FOREIGN KEY (tenant_id, attempt_id) REFERENCES payment_attempt (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
ALTER TABLE payment ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON payment TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON payment TO tessera_app;

CREATE INDEX payment_by_order ON payment (order_id);

CREATE TABLE refund (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    payment_id    uuid        NOT NULL,
    order_id      uuid        NOT NULL,
    out_refund_no text        NOT NULL,
    reason        text        NOT NULL CHECK (reason IN ('late', 'double', 'mismatch', 'requested')),
    amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),
    currency      text        NOT NULL,
    state         text        NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'succeeded', 'failed')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    next_try_at   timestamptz DEFAULT now(),
    tries         integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (payment_id, tenant_id), -- a payment is refunded once, whole
    UNIQUE (out_refund_no, tenant_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payment (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
ALTER TABLE refund ENABLE ROW LEVEL SECURITY;
ALTER TABLE refund FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON refund TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON refund TO tessera_app;
CREATE INDEX refund_due ON refund (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON refund FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON refund TO tessera_sweeper;

-- What the rules could not settle waits here for a person.
CREATE TABLE exception_case (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    kind       text        NOT NULL,
    reference  text        NOT NULL,
    detail     jsonb       NOT NULL DEFAULT '{}',
    state      text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (kind, reference, tenant_id)
);
ALTER TABLE exception_case ENABLE ROW LEVEL SECURITY;
ALTER TABLE exception_case FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON exception_case TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON exception_case TO tessera_app;
