-- How a store presents itself: its zone and languages, its colours and texts, its policies, its pictures.
-- Columns, not a document: each is checked where it enters and here. `version` counts the changes; it is the ETag of the settings.

ALTER TABLE store ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE store ADD COLUMN zone text NOT NULL DEFAULT 'Asia/Shanghai' CHECK (length(zone) <= 64);
ALTER TABLE store ADD COLUMN locale text NOT NULL DEFAULT 'zh-CN';
ALTER TABLE store ADD COLUMN locales text[] NOT NULL DEFAULT (ARRAY['zh-CN', 'en']) CHECK (cardinality(locales) BETWEEN 1 AND 20);
ALTER TABLE store ADD COLUMN contact text NOT NULL DEFAULT '' CHECK (length(contact) <= 254);
ALTER TABLE store ADD COLUMN primary_color text CHECK (primary_color ~ '^#[0-9a-f]{6}$');
ALTER TABLE store ADD COLUMN primary_color_dark text CHECK (primary_color_dark ~ '^#[0-9a-f]{6}$');
ALTER TABLE store ADD COLUMN accent_color text CHECK (accent_color ~ '^#[0-9a-f]{6}$');
ALTER TABLE store ADD COLUMN accent_color_dark text CHECK (accent_color_dark ~ '^#[0-9a-f]{6}$');
ALTER TABLE store ADD COLUMN banner text NOT NULL DEFAULT '' CHECK (length(banner) <= 200);
ALTER TABLE store ADD COLUMN notice text NOT NULL DEFAULT '' CHECK (length(notice) <= 500);
ALTER TABLE store ADD COLUMN footer text NOT NULL DEFAULT '' CHECK (length(footer) <= 500);
ALTER TABLE store ADD COLUMN seo_title text NOT NULL DEFAULT '' CHECK (length(seo_title) <= 70);
ALTER TABLE store ADD COLUMN seo_description text NOT NULL DEFAULT '' CHECK (length(seo_description) <= 300);
ALTER TABLE store ADD COLUMN refund_policy text NOT NULL DEFAULT '' CHECK (length(refund_policy) <= 10000);
ALTER TABLE store ADD COLUMN privacy_policy text NOT NULL DEFAULT '' CHECK (length(privacy_policy) <= 10000);
ALTER TABLE store ADD COLUMN terms text NOT NULL DEFAULT '' CHECK (length(terms) <= 10000);

-- Pictures as we encoded them, by what they are made of. One of a kind is current; the one before stays a day for pages already sent.
CREATE TABLE store_image (
    tenant_id   uuid        NOT NULL,
    digest      text        NOT NULL CHECK (digest ~ '^[0-9a-f]{32}$'),
    kind        text        NOT NULL CHECK (kind IN ('logo', 'banner', 'favicon')),
    media_type  text        NOT NULL CHECK (media_type IN ('image/png', 'image/webp')),
    width       integer     NOT NULL CHECK (width BETWEEN 1 AND 4096),
    height      integer     NOT NULL CHECK (height BETWEEN 1 AND 4096),
    content     bytea       NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 2097152),
    is_current  boolean     NOT NULL DEFAULT true,
    replaced_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, digest),
    CHECK (is_current = (replaced_at IS NULL))
);
ALTER TABLE store_image ENABLE ROW LEVEL SECURITY;
ALTER TABLE store_image FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON store_image TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON store_image TO tessera_app;
