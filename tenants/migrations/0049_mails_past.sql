-- no-transaction
-- A mail that was sent, or refused for good, keeps its recipient no longer than an event that was sent is kept: who buys leaves his address
-- in these rows too.
DROP POLICY IF EXISTS past_reading ON mail;
CREATE POLICY past_reading ON mail FOR SELECT TO tessera_retention USING (next_try_at IS NULL AND created_at < now() - interval '1 day');
DROP POLICY IF EXISTS past ON mail;
CREATE POLICY past ON mail FOR DELETE TO tessera_retention USING (next_try_at IS NULL AND created_at < now() - interval '1 day');
CREATE INDEX CONCURRENTLY IF NOT EXISTS mail_past ON mail (created_at) WHERE next_try_at IS NULL;
