-- The platform's look at what a store says and shows of its products, for the stores it asks it of. What waits is the text itself, as it
-- was when it was handed in; what was approved is what shoppers are shown until the next is (docs/catalog.md).

-- Absent: nothing is reviewed.
CREATE TABLE review_rule (
    tenant_id uuid        NOT NULL PRIMARY KEY,
    mode      text        NOT NULL CHECK (mode IN ('off', 'after', 'before')), -- is it shown before it was looked at?
    set_at    timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE review_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE review_rule FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON review_rule TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT ON review_rule TO tessera_app;
CREATE POLICY platform_decides ON review_rule TO tessera_platform
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON review_rule TO tessera_platform;

CREATE TABLE product_review (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    product_id uuid        NOT NULL,
    state      text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'approved', 'refused', 'withdrawn')),
    content    jsonb       NOT NULL,              -- names, texts and pictures, as tenants/catalog/review.py puts them together
    reasons    text[]      NOT NULL DEFAULT '{}', -- of a refusal, for the merchant
    reviewer   text,                              -- who decided, `pst_…`
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id)
);
ALTER TABLE product_review ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_review FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON product_review TO tessera_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON product_review TO tessera_app;
CREATE UNIQUE INDEX product_review_waiting ON product_review (product_id, tenant_id) WHERE state = 'waiting';
CREATE INDEX product_review_queue ON product_review (created_at, id) WHERE state = 'waiting';
CREATE INDEX product_review_of_product ON product_review (product_id, id, tenant_id);
-- Reviewers see what waits, of all stores, and change only what is of the tenant their transaction names.
CREATE POLICY platform_sees ON product_review FOR SELECT TO tessera_platform USING (state = 'waiting');
CREATE POLICY platform_decides ON product_review TO tessera_platform
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, UPDATE ON product_review TO tessera_platform;

-- `waiting` and `refused` hide a product; with `shown`, what was approved last is shown instead of what it says now.
ALTER TABLE product ADD COLUMN moderation text NOT NULL DEFAULT 'clear' CHECK (moderation IN ('clear', 'waiting', 'refused'));
ALTER TABLE product ADD COLUMN shown jsonb;
CREATE POLICY platform_decides ON product TO tessera_platform
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT (tenant_id, id, name, state, moderation, shown, version) ON product TO tessera_platform;
GRANT UPDATE (moderation, shown, version) ON product TO tessera_platform;
