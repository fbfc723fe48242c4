-- no-transaction
-- The front page of a store begins with what is sold in a sale of its own, among ten thousand sales on the shelf.
CREATE INDEX CONCURRENTLY IF NOT EXISTS sale_beside_the_shelf ON sale (tenant_id, starts_at) WHERE door <> 'shelf' AND state <> 'ended';
