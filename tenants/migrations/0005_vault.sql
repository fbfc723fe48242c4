-- The vault. A unit is one sellable thing and is never deleted; the code it seals lies in a table of its own, so that the rows
-- which change with every sale stay narrow and the ciphertext is written once.

CREATE TABLE vault_batch (
    tenant_id           uuid        NOT NULL,
    id                  uuid        NOT NULL,
    sku_id              uuid        NOT NULL,
    state               text        NOT NULL DEFAULT 'loading' CHECK (state IN ('loading', 'loaded', 'failed')),
    filename            text        NOT NULL DEFAULT '',
    source              text        NOT NULL DEFAULT '',
    note                text        NOT NULL DEFAULT '',
    operator            text        NOT NULL,
    idempotency_key     text        CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    cost_minor          bigint      CHECK (cost_minor >= 0),
    layout              jsonb       NOT NULL DEFAULT '{}', -- encoding, delimiter, header and columns as they were read
    digest              bytea,                             -- SHA-256 of the lines up to lines_done, so that a resume proves it is the same file
    lines_done          bigint      NOT NULL DEFAULT 0,
    loaded              bigint      NOT NULL DEFAULT 0,
    duplicates_in_file  bigint      NOT NULL DEFAULT 0,
    duplicates_in_vault bigint      NOT NULL DEFAULT 0,
    malformed           bigint      NOT NULL DEFAULT 0,
    blank               bigint      NOT NULL DEFAULT 0,
    failure             text,
    created_at          timestamptz NOT NULL DEFAULT now(),
    finished_at         timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, id, sku_id),
    UNIQUE (idempotency_key, tenant_id),
    FOREIGN KEY (tenant_id, sku_id) REFERENCES sku (tenant_id, id)
);
ALTER TABLE vault_batch ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault_batch FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON vault_batch TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON vault_batch TO tessera_app;

-- Lines that were not loaded, and why. The line itself is not kept: it may hold a code.
CREATE TABLE vault_line (
    tenant_id uuid   NOT NULL,
    batch_id  uuid   NOT NULL,
    line_no   bigint NOT NULL,
    kind      text   NOT NULL CHECK (kind IN ('malformed', 'duplicate_in_file', 'duplicate_in_vault')),
    reason    text   NOT NULL,
    PRIMARY KEY (tenant_id, batch_id, line_no),
    FOREIGN KEY (tenant_id, batch_id) REFERENCES vault_batch (tenant_id, id)
);
ALTER TABLE vault_line ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault_line FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON vault_line TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON vault_line TO tessera_app;

CREATE SEQUENCE unit_id_seq;
GRANT USAGE ON SEQUENCE unit_id_seq TO tessera_app;

CREATE TABLE unit (
    tenant_id  uuid    NOT NULL,
    id         bigint  NOT NULL,
    sku_id     uuid    NOT NULL,
    batch_id   uuid    NOT NULL,
    state      text    NOT NULL DEFAULT 'available' CHECK (state IN ('available', 'held', 'sold', 'void', 'quarantined')),
    sale_id    uuid,             -- the sale it is allotted to
    order_id   uuid,
    shopper_id uuid,
    slot       integer CHECK (slot BETWEEN 1 AND 1000), -- which of the shopper's places in the sale it fills; none without a limit
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, batch_id, sku_id) REFERENCES vault_batch (tenant_id, id, sku_id), -- and through it the SKU
    FOREIGN KEY (tenant_id, sale_id) REFERENCES sale (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    CHECK ((state IN ('held', 'sold')) = (order_id IS NOT NULL)),
    CHECK ((order_id IS NULL) = (shopper_id IS NULL)),
    CHECK (order_id IS NULL OR sale_id IS NOT NULL),
    CHECK (slot IS NULL OR shopper_id IS NOT NULL)
);
ALTER TABLE unit ENABLE ROW LEVEL SECURITY;
ALTER TABLE unit FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON unit TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON unit TO tessera_app;

-- The next units of a sale, in the order they were loaded.
CREATE INDEX unit_next ON unit (sale_id, id) WHERE state = 'available' AND sale_id IS NOT NULL;
-- Stock that no sale has yet.
CREATE INDEX unit_unallotted ON unit (sku_id, id) WHERE state = 'available' AND sale_id IS NULL;
-- One slot of a sale belongs to at most one unit of a shopper: the limit, as a constraint. It also finds the units of an order.
CREATE UNIQUE INDEX unit_slot ON unit (sale_id, shopper_id, slot, tenant_id) WHERE shopper_id IS NOT NULL;

-- Only one statement writes here, and writes the unit with it; nothing deletes either. A foreign key to `unit` would be checked a million
-- times for a million lines (25% of an import's time here); the checker proves instead that units and codes are the same set.
CREATE TABLE code (
    tenant_id   uuid     NOT NULL,
    unit_id     bigint   NOT NULL,
    sku_id      uuid     NOT NULL,
    batch_id    uuid     NOT NULL,
    line_no     bigint   NOT NULL,
    fingerprint bytea    NOT NULL CHECK (octet_length(fingerprint) = 32),
    key_id      smallint NOT NULL,
    sealed      bytea    NOT NULL, -- nonce and AES-256-GCM ciphertext; AAD is tenant, SKU and unit
    PRIMARY KEY (tenant_id, unit_id),
    UNIQUE (fingerprint, tenant_id)
);
ALTER TABLE code ENABLE ROW LEVEL SECURITY;
ALTER TABLE code FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON code TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON code TO tessera_app;
