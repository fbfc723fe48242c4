-- no-transaction
-- What is past its time is found by time, over all stores. An order without contact and password is in none of these.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idempotent_reply_past ON idempotent_reply (created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_past ON outbox (created_at) WHERE next_try_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_with_contact ON orders (created_at) WHERE contact IS NOT NULL OR lookup_hash IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_inbox_past ON payment_inbox (received_at) WHERE raw <> '';
