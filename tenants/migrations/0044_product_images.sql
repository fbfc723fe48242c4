-- A product's pictures, encoded anew by us. One picture at two products is two rows: each goes with its own.
CREATE TABLE product_image (
    tenant_id  uuid        NOT NULL,
    product_id uuid        NOT NULL,
    digest     text        NOT NULL CHECK (digest ~ '^[0-9a-f]{32}$'), -- of its content: its address for ever
    position   integer,              -- NULL: taken away, and kept while shoppers are shown what was approved with it
    media_type text        NOT NULL CHECK (media_type IN ('image/webp')),
    width      integer     NOT NULL CHECK (width > 0),
    height     integer     NOT NULL CHECK (height > 0),
    content    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, product_id, digest),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id)
);
-- Encoded already: not compressed once more.
ALTER TABLE product_image ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE product_image ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_image FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON product_image TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON product_image TO tessera_app;
CREATE INDEX product_image_by_digest ON product_image (digest, tenant_id);
