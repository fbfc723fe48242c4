-- no-transaction
-- A store's events by their numbers; sales that run, which a store has few of; refunds by when they were done; cases that are open.
-- Orders change nothing that the second holds: what a commit does to a sale stays within the page.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS outbox_by_seq ON outbox (tenant_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS sale_running ON sale (tenant_id, id) WHERE state <> 'ended' AND door <> 'shelf';
CREATE INDEX CONCURRENTLY IF NOT EXISTS refund_done ON refund (tenant_id, finished_at) WHERE state = 'succeeded' AND reason = 'requested';
CREATE INDEX CONCURRENTLY IF NOT EXISTS exception_open ON exception_case (tenant_id, id) WHERE state = 'open';
