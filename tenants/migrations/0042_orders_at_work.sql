-- Orders at work: what staff write on an order, the tags they sort orders by, mails about an order, exports of the list, and the wish of
-- somebody who has forgotten his orders' numbers.

-- When an order ended unpaid: its timeline says so, and nothing else keeps it.
ALTER TABLE orders ADD COLUMN ended_at timestamptz;

-- The tags a store has, 200 at most.
CREATE TABLE tag (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE tag ENABLE ROW LEVEL SECURITY;
ALTER TABLE tag FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON tag TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON tag TO tessera_app;
CREATE UNIQUE INDEX tag_by_name ON tag (lower(name), tenant_id);

-- Which tags an order has. Which orders a tag has, in the order of time, is in `order_posting` with the tag's id as the term: both are
-- written together. There is no key to `tag`: to remove one would read every order; who removes it locks it and looks into its list.
CREATE TABLE order_tag (
    tenant_id uuid NOT NULL,
    order_id  uuid NOT NULL,
    tag_id    uuid NOT NULL,
    PRIMARY KEY (tenant_id, order_id, tag_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
ALTER TABLE order_tag ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_tag FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON order_tag TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON order_tag TO tessera_app;

-- Notes are added, never changed; those of an erased shopper's orders lose their words.
CREATE TABLE order_note (
    tenant_id  uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    id         uuid        NOT NULL,
    author     text        NOT NULL, -- usr_… or key_…
    words      text        CHECK (length(words) BETWEEN 1 AND 2000),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, order_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
ALTER TABLE order_note ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_note FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON order_note TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON order_note TO tessera_app;
GRANT UPDATE (words) ON order_note TO tessera_app;

-- That a mail about an order was owed; its id is the mail's. The mail itself is forgotten after 30 days.
CREATE TABLE order_mail (
    tenant_id  uuid        NOT NULL,
    order_id   uuid        NOT NULL,
    id         uuid        NOT NULL,
    asked_by   text        NOT NULL,
    elsewhere  boolean     NOT NULL, -- not to the contact that was left with the order
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, order_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
ALTER TABLE order_mail ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_mail FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON order_mail TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON order_mail TO tessera_app;

-- Somebody wants a mail with the numbers of his orders. Whether there are any is looked up later, so that the answer cannot tell; the row
-- goes with the mail.
CREATE TABLE order_reminder (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    contact     text        NOT NULL CHECK (length(contact) BETWEEN 3 AND 254),
    locale      text        NOT NULL CHECK (locale IN ('zh-CN', 'en')),
    shop_url    text        NOT NULL, -- where the links lead
    created_at  timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE order_reminder ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_reminder FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON order_reminder TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON order_reminder TO tessera_app;
CREATE INDEX order_reminder_due ON order_reminder (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON order_reminder FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON order_reminder TO tessera_sweeper;

-- An export of orders is a request about data like the others, with what orders must be.
ALTER TABLE data_request ADD COLUMN asked jsonb;
ALTER TABLE data_request DROP CONSTRAINT data_request_kind_check;
ALTER TABLE data_request ADD CONSTRAINT data_request_kind_check
    CHECK (kind IN ('shopper_export', 'shopper_erasure', 'store_export', 'order_export'));
ALTER TABLE data_request DROP CONSTRAINT data_request_check;
ALTER TABLE data_request ADD CONSTRAINT data_request_check
    CHECK ((shopper_id IS NULL) = (kind IN ('store_export', 'order_export')));
ALTER TABLE data_request ADD CONSTRAINT data_request_asked_check CHECK (asked IS NOT NULL OR kind <> 'order_export');
