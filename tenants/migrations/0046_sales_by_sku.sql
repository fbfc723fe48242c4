-- no-transaction
-- A category's or a question's offers, and what sales of a SKU have free, are found by SKU. Orders change nothing that this
-- index holds: their updates stay within the page.
CREATE INDEX CONCURRENTLY IF NOT EXISTS sale_on_shelf ON sale (sku_id, tenant_id) WHERE state <> 'ended';
