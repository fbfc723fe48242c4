-- Units that are set aside: locked by staff, void, expired, quarantined; each act on a unit is a row that stays. Codes may be valid for a while
-- only, and a SKU says in which order its stock is issued (docs/vault.md).

ALTER TABLE unit DROP CONSTRAINT unit_state_check;
ALTER TABLE unit ADD CONSTRAINT unit_state_check
    CHECK (state IN ('available', 'held', 'sold', 'locked', 'void', 'expired', 'quarantined'));
ALTER TABLE unit ADD CONSTRAINT unit_aside_check CHECK (sale_id IS NULL OR state IN ('available', 'held', 'sold'));
ALTER TABLE unit ADD COLUMN valid_from timestamptz;
ALTER TABLE unit ADD COLUMN valid_until timestamptz;

ALTER TABLE sku ADD COLUMN issue_order text NOT NULL DEFAULT 'fifo' CHECK (issue_order IN ('fifo', 'priority', 'expiring'));
ALTER TABLE sku ADD COLUMN sell_until_days integer NOT NULL DEFAULT 0 CHECK (sell_until_days BETWEEN 0 AND 3650);

ALTER TABLE vault_batch ADD COLUMN priority integer NOT NULL DEFAULT 100 CHECK (priority BETWEEN 0 AND 9999); -- the lower goes first
-- Of the units whose lines name no date of their own.
ALTER TABLE vault_batch ADD COLUMN valid_from timestamptz;
ALTER TABLE vault_batch ADD COLUMN valid_until timestamptz CHECK (valid_until > valid_from);
-- What becomes of its units that are or become available, once it is recalled.
ALTER TABLE vault_batch ADD COLUMN recalled_as text CHECK (recalled_as IN ('locked', 'void'));
ALTER TABLE vault_batch ADD COLUMN recall_reason text;
-- Its units have ids from and to these, among those of others; NULL when nobody knows, which is only slower.
ALTER TABLE vault_batch ADD COLUMN unit_from bigint;
ALTER TABLE vault_batch ADD COLUMN unit_to bigint;
ALTER TABLE vault_batch ADD COLUMN next_try_at timestamptz; -- when the next of its available units may no longer be sold
ALTER TABLE vault_batch ADD COLUMN tries integer NOT NULL DEFAULT 0;
UPDATE vault_batch SET unit_from = u.first, unit_to = u.last
    FROM (SELECT tenant_id, batch_id, min(id) AS first, max(id) AS last FROM unit GROUP BY 1, 2) u
    WHERE u.tenant_id = vault_batch.tenant_id AND u.batch_id = vault_batch.id;
CREATE INDEX vault_batch_due ON vault_batch (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON vault_batch FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON vault_batch TO tessera_sweeper;

-- A delivered unit that was faulty: by which it was replaced. It stays quarantined, its row stays for ever.
ALTER TABLE delivery ADD COLUMN replaced_by bigint;
ALTER TABLE delivery ADD COLUMN replaced_at timestamptz CHECK ((replaced_at IS NULL) = (replaced_by IS NULL));
ALTER TABLE delivery ADD COLUMN replace_reason text;
ALTER TABLE delivery ADD COLUMN replace_actor text;
GRANT UPDATE (replaced_by, replaced_at, replace_reason, replace_actor) ON delivery TO tessera_app;

-- What staff and the sweep did with a unit. Of its sale the order tells, and its delivery.
CREATE SEQUENCE unit_event_id_seq;
GRANT USAGE ON SEQUENCE unit_event_id_seq TO tessera_app;
CREATE TABLE unit_event (
    tenant_id  uuid        NOT NULL,
    unit_id    bigint      NOT NULL,
    id         bigint      NOT NULL DEFAULT nextval('unit_event_id_seq'),
    at         timestamptz NOT NULL DEFAULT now(),
    actor      text        NOT NULL,
    act        text        NOT NULL CHECK (act IN ('lock', 'unlock', 'void', 'recall', 'expire', 'replace', 'stand_in')),
    from_state text        NOT NULL,
    to_state   text        NOT NULL,
    reason     text        NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
    PRIMARY KEY (tenant_id, unit_id, id)
);
ALTER TABLE unit_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE unit_event FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON unit_event TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON unit_event TO tessera_app;
