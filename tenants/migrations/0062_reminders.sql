-- Who wants to be told by mail that a sale begins, or that it has something again. A sale's wishes are looked after by one duty, however
-- many there are; a wish is gone with its mail.

CREATE TABLE sale_reminder (
    tenant_id    uuid        NOT NULL,
    id           uuid        NOT NULL,
    sale_id      uuid        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('start', 'back')),
    contact      text        NOT NULL CHECK (length(contact) BETWEEN 3 AND 254), -- in lower case
    shopper_id   uuid,                                                           -- who asked, if he was known
    locale       text        NOT NULL CHECK (locale IN ('zh-CN', 'en')),
    shop_url     text        NOT NULL,                                           -- where the links lead
    created_at   timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,                                                    -- by who reads the mailbox; nothing else is sent before
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sale (tenant_id, id)
);
ALTER TABLE sale_reminder ENABLE ROW LEVEL SECURITY;
ALTER TABLE sale_reminder FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON sale_reminder TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON sale_reminder TO tessera_app;
CREATE UNIQUE INDEX sale_reminder_once ON sale_reminder (sale_id, kind, contact, tenant_id);
CREATE INDEX sale_reminder_queue ON sale_reminder (sale_id, kind, confirmed_at);
CREATE INDEX sale_reminder_by_shopper ON sale_reminder (shopper_id) WHERE shopper_id IS NOT NULL;

-- The duty of a sale's wishes. Without any it is done, and keeps what was sent.
CREATE TABLE reminder_round (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,              -- of the sale
    sent        integer     NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz DEFAULT now(),
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, id) REFERENCES sale (tenant_id, id)
);
ALTER TABLE reminder_round ENABLE ROW LEVEL SECURITY;
ALTER TABLE reminder_round FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON reminder_round TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON reminder_round TO tessera_app;
CREATE INDEX reminder_round_due ON reminder_round (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON reminder_round FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON reminder_round TO tessera_sweeper;
