-- The catalogue in full: a tree of categories, products that are drafted, published by a clock and archived, SKUs that are variants of one
-- product. What is there already is published and in no category.

-- A store's own shelves. (`product.category` is another matter: the kind of goods, which may take a licence.)
CREATE TABLE category (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    parent_id  uuid,                                       -- NULL at the top
    level      smallint    NOT NULL CHECK (level BETWEEN 1 AND 4),
    position   integer     NOT NULL DEFAULT 0,             -- among its siblings, then by id
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    version    bigint      NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES category (tenant_id, id)
);
ALTER TABLE category ENABLE ROW LEVEL SECURITY;
ALTER TABLE category FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON category TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON category TO tessera_app;

ALTER TABLE product ADD COLUMN category_id uuid;
ALTER TABLE product ADD FOREIGN KEY (tenant_id, category_id) REFERENCES category (tenant_id, id);
-- By what another system knows it: an import creates or changes what has this reference.
ALTER TABLE product ADD COLUMN reference text CHECK (length(reference) BETWEEN 1 AND 64);
ALTER TABLE product ADD COLUMN state text NOT NULL DEFAULT 'published' CHECK (state IN ('draft', 'published', 'archived'));
ALTER TABLE product ADD COLUMN publish_at timestamptz;
ALTER TABLE product ADD COLUMN unpublish_at timestamptz;
-- Up to three axes of variants and the values of each: [{"name": "面值", "values": ["50", "100"]}].
ALTER TABLE product ADD COLUMN options jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(options) = 'array');
ALTER TABLE product ADD COLUMN version bigint NOT NULL DEFAULT 1;
-- The duty that carries out the schedule: the earlier of its two moments that are still to come.
ALTER TABLE product ADD COLUMN next_try_at timestamptz;
ALTER TABLE product ADD COLUMN tries integer NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX product_reference ON product (reference, tenant_id) WHERE reference IS NOT NULL;
CREATE INDEX product_in_category ON product (category_id, id, tenant_id);
CREATE INDEX product_due ON product (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE POLICY due ON product FOR SELECT TO tessera_sweeper USING (next_try_at <= now());
GRANT SELECT (tenant_id, id, next_try_at) ON product TO tessera_sweeper;

ALTER TABLE sku ADD COLUMN reference text CHECK (length(reference) BETWEEN 1 AND 64);
ALTER TABLE sku ADD COLUMN state text NOT NULL DEFAULT 'published' CHECK (state IN ('draft', 'published', 'archived'));
-- A value of each of its product's axes, in their order; empty for one that is no variant.
ALTER TABLE sku ADD COLUMN choices text[] NOT NULL DEFAULT '{}';
ALTER TABLE sku ADD COLUMN cost_minor bigint CHECK (cost_minor BETWEEN 0 AND 100000000000);
ALTER TABLE sku ADD COLUMN face_value text CHECK (length(face_value) BETWEEN 1 AND 64);
ALTER TABLE sku ADD COLUMN usage_note text NOT NULL DEFAULT '' CHECK (length(usage_note) <= 5000); -- for who has paid
ALTER TABLE sku ADD COLUMN version bigint NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX sku_reference ON sku (reference, tenant_id) WHERE reference IS NOT NULL;
CREATE UNIQUE INDEX sku_choices ON sku (product_id, choices, tenant_id) WHERE choices <> '{}';
CREATE INDEX sku_of_product ON sku (product_id, id, tenant_id);

-- SKUs are found by texts of their own: one text for a product of a thousand SKUs would be written anew with each of them.
ALTER TABLE search_text DROP CONSTRAINT search_text_kind_check;
ALTER TABLE search_text ADD CONSTRAINT search_text_kind_check CHECK (kind IN ('product', 'sku', 'sale', 'contact'));
INSERT INTO search_text (tenant_id, kind, id, text)
    SELECT k.tenant_id, 'sku', k.id, lower(normalize(concat_ws(' ', p.name, k.name), NFKC))
    FROM sku k JOIN product p ON p.tenant_id = k.tenant_id AND p.id = k.product_id;
INSERT INTO search_gram (tenant_id, kind, gram, id)
    SELECT DISTINCT tenant_id, kind, substr(text, n, 3), id FROM search_text, generate_series(1, length(text)) AS n WHERE kind = 'sku';
