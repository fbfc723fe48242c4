-- no-transaction
-- Sales that run, of which a store has few, and cases that are open. What a commit does to a sale changes nothing that the first holds: it
-- stays within the page.
CREATE INDEX CONCURRENTLY IF NOT EXISTS sale_running ON sale (tenant_id, id) WHERE state <> 'ended' AND door <> 'shelf';
CREATE INDEX CONCURRENTLY IF NOT EXISTS exception_open ON exception_case (tenant_id, id) WHERE state = 'open';
