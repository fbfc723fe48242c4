-- When the limit was last changed: who had more by then keeps it, and the checker must know.
ALTER TABLE sale ADD COLUMN IF NOT EXISTS limit_since timestamptz NOT NULL DEFAULT '-infinity';
