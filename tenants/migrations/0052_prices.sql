-- Prices for some: lists for everyone or for a group of buyers, in a channel, within a window, each with prices by SKU and least quantity. And what
-- products and SKUs said at which time, so that an order finds what it was made of. docs/prices.md, docs/decisions/0039-prices.md.

-- Buyers who pay other prices than everybody: a level of customers, or resellers. Who is in which is `group_member`.
CREATE TABLE buyer_group (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    kind       text        NOT NULL CHECK (kind IN ('level', 'reseller')),
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE buyer_group ENABLE ROW LEVEL SECURITY;
ALTER TABLE buyer_group FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON buyer_group TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON buyer_group TO tessera_app;
CREATE UNIQUE INDEX buyer_group_by_name ON buyer_group (lower(name), tenant_id);

CREATE TABLE group_member (
    tenant_id  uuid        NOT NULL,
    group_id   uuid        NOT NULL,
    shopper_id uuid        NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, group_id, shopper_id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES buyer_group (tenant_id, id)
);
ALTER TABLE group_member ENABLE ROW LEVEL SECURITY;
ALTER TABLE group_member FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON group_member TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON group_member TO tessera_app;
-- Who is erased, or exported, is looked for by himself.
CREATE INDEX group_member_by_shopper ON group_member (shopper_id, tenant_id);

-- A list that is removed stays for the orders that were priced by it, and is nobody's.
CREATE TABLE price_list (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    group_id   uuid,                                          -- NULL: everyone
    channel    text        CHECK (length(channel) BETWEEN 1 AND 15), -- NULL: all
    starts_at  timestamptz,
    ends_at    timestamptz CHECK (ends_at > starts_at),
    state      text        NOT NULL DEFAULT 'off' CHECK (state IN ('on', 'off', 'removed')),
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES buyer_group (tenant_id, id)
);
ALTER TABLE price_list ENABLE ROW LEVEL SECURITY;
ALTER TABLE price_list FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON price_list TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON price_list TO tessera_app;
CREATE UNIQUE INDEX price_list_by_name ON price_list (lower(name), tenant_id) WHERE state <> 'removed';
CREATE INDEX price_list_of_group ON price_list (group_id, tenant_id) WHERE group_id IS NOT NULL;

-- Versions of prices. What an order was priced by stays as it was: a new price is a new row, and the old one gets its end.
CREATE TABLE price_entry (
    tenant_id      uuid        NOT NULL,
    id             uuid        NOT NULL,
    list_id        uuid        NOT NULL,
    sku_id         uuid        NOT NULL,
    least_quantity integer     NOT NULL CHECK (least_quantity BETWEEN 1 AND 1000),
    unit_minor     bigint      NOT NULL CHECK (unit_minor BETWEEN 1 AND 100000000000),
    since          timestamptz NOT NULL,
    until          timestamptz CHECK (until >= since),        -- NULL: it is the current one
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, list_id) REFERENCES price_list (tenant_id, id),
    FOREIGN KEY (tenant_id, sku_id) REFERENCES sku (tenant_id, id)
);
ALTER TABLE price_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE price_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON price_entry TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON price_entry TO tessera_app;
GRANT UPDATE (until) ON price_entry TO tessera_app;
CREATE UNIQUE INDEX price_entry_current ON price_entry (list_id, sku_id, least_quantity, tenant_id) WHERE until IS NULL;
-- The cheapest of a SKU first: whoever asks for a price reads until the first that applies to him.
CREATE INDEX price_entry_cheapest ON price_entry (sku_id, unit_minor, id, tenant_id) WHERE until IS NULL;
CREATE INDEX price_entry_of_sku ON price_entry (sku_id, id, tenant_id);

-- What a product or a SKU was shown as, from when on. Written by whoever edits it, when it is another than before; never by who sells.
CREATE TABLE content_version (
    tenant_id  uuid        NOT NULL,
    subject_id uuid        NOT NULL,                          -- a product or a SKU, as in `translation`
    since      timestamptz NOT NULL,
    content    jsonb       NOT NULL,                          -- as tenants/catalog/versions.py puts it together
    PRIMARY KEY (tenant_id, subject_id, since)
);
ALTER TABLE content_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE content_version FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON content_version TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON content_version TO tessera_app;
-- A reviewer who approves content shows it from then on.
CREATE POLICY platform_decides ON content_version TO tessera_platform
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON content_version TO tessera_platform;
-- What was said before this moment nobody wrote down; what is there is the first that is known.
INSERT INTO content_version (tenant_id, subject_id, since, content)
    SELECT p.tenant_id, p.id, now(), jsonb_build_object(
        'name', p.name, 'description', p.description, 'options', p.options,
        'translations', coalesce((SELECT jsonb_object_agg(t.locale, jsonb_build_object('name', t.name, 'description', t.description))
                                  FROM translation t WHERE t.tenant_id = p.tenant_id AND t.subject_id = p.id), '{}'),
        'images', coalesce((SELECT jsonb_agg(i.digest ORDER BY i.position, i.digest) FROM product_image i
                            WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id AND i.position IS NOT NULL), '[]'))
        || coalesce(p.shown - 'skus', '{}')
    FROM product p;
INSERT INTO content_version (tenant_id, subject_id, since, content)
    SELECT k.tenant_id, k.id, now(), jsonb_build_object(
        'name', k.name, 'choices', k.choices, 'face_value', k.face_value, 'usage_note', k.usage_note, 'price_minor', k.price_minor,
        'currency', k.currency, 'type', k.type, 'config', k.config,
        'translations', coalesce((SELECT jsonb_object_agg(t.locale, t.name) FROM translation t
                                  WHERE t.tenant_id = k.tenant_id AND t.subject_id = k.id), '{}'))
        || coalesce(p.shown -> 'skus' -> k.id::text, '{}')
    FROM sku k JOIN product p ON p.tenant_id = k.tenant_id AND p.id = k.product_id;
