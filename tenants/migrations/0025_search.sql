-- What is found and how: orders by state, sale, channel, contact and number, newest first; products, sales and contacts by parts of texts.
-- Trigram and array operators are not leakproof: under row-level security their indexes go unused. All this is looked up with = and <.
-- A commit writes nothing of it but one row of `order_change` for a whole batch; the rest is written later, by the duty of that row.

-- Orders that were made or changed, and are not indexed since: the tail of the index, which every search reads too. It is indexed some
-- seconds late: a rush has the processors for itself, and of an order that was paid meanwhile only the last state is written.
CREATE TABLE order_change (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL DEFAULT gen_random_uuid(),
    order_ids   uuid[]      NOT NULL,
    next_try_at timestamptz DEFAULT now() + interval '5 seconds',
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
-- Random bytes: to try to compress them is for nothing.
ALTER TABLE order_change ALTER COLUMN order_ids SET STORAGE EXTERNAL;
ALTER TABLE order_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_change FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON order_change TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON order_change TO tessera_app;
CREATE INDEX order_change_due ON order_change (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON order_change FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON order_change TO tessera_sweeper;

-- Every order in the order of time, and what it was indexed as.
CREATE TABLE order_entry (
    tenant_id uuid        NOT NULL,
    at        timestamptz NOT NULL, -- the order's created_at
    order_id  uuid        NOT NULL,
    state     text        NOT NULL,
    contact   text,                 -- folded
    PRIMARY KEY (tenant_id, at, order_id)
);
ALTER TABLE order_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON order_entry TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON order_entry TO tessera_app;

-- For each thing orders are asked for by, those that have it, in the order of time. A term is the sale's id, or the md5 of a text.
CREATE TABLE order_posting (
    tenant_id uuid        NOT NULL,
    term      uuid        NOT NULL,
    at        timestamptz NOT NULL,
    order_id  uuid        NOT NULL,
    PRIMARY KEY (tenant_id, term, at, order_id)
);
ALTER TABLE order_posting ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_posting FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON order_posting TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON order_posting TO tessera_app;

CREATE TABLE search_text (
    tenant_id uuid NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('product', 'sale', 'contact')),
    id        uuid NOT NULL, -- of a contact the md5 of its text
    text      text NOT NULL, -- folded: NFKC, lower case
    PRIMARY KEY (tenant_id, kind, id)
);
ALTER TABLE search_text ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_text FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON search_text TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON search_text TO tessera_app;

-- Three letters from every place of a text, fewer at its end: any part of it begins with one of them.
CREATE TABLE search_gram (
    tenant_id uuid NOT NULL,
    kind      text NOT NULL,
    gram      text NOT NULL COLLATE "C",
    id        uuid NOT NULL,
    PRIMARY KEY (tenant_id, kind, gram, id)
);
ALTER TABLE search_gram ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_gram FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON search_gram TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON search_gram TO tessera_app;

-- What is there already. Orders come into the tail, some hundreds a row, and are indexed from there.
INSERT INTO search_text (tenant_id, kind, id, text)
    SELECT p.tenant_id, 'product', p.id, lower(normalize(concat_ws(' ', p.name, string_agg(k.name, ' ' ORDER BY k.id)), NFKC))
    FROM product p LEFT JOIN sku k ON k.tenant_id = p.tenant_id AND k.product_id = p.id GROUP BY p.tenant_id, p.id;
INSERT INTO search_text (tenant_id, kind, id, text)
    SELECT s.tenant_id, 'sale', s.id, lower(normalize(concat_ws(' ', s.name, k.name, p.name), NFKC))
    FROM sale s JOIN sku k ON k.tenant_id = s.tenant_id AND k.id = s.sku_id
    JOIN product p ON p.tenant_id = k.tenant_id AND p.id = k.product_id;
INSERT INTO search_gram (tenant_id, kind, gram, id)
    SELECT DISTINCT tenant_id, kind, substr(text, n, 3), id FROM search_text, generate_series(1, length(text)) AS n;
INSERT INTO order_change (tenant_id, order_ids)
    SELECT tenant_id, array_agg(id)
    FROM (SELECT tenant_id, id, row_number() OVER (PARTITION BY tenant_id ORDER BY created_at) / 500 AS part FROM orders) AS parts
    GROUP BY tenant_id, part;
