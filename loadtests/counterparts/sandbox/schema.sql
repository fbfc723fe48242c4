-- The provider's books. State tables say what is; the journal says what money moved and is never changed.
CREATE TABLE IF NOT EXISTS merchant (
    mch_id TEXT PRIMARY KEY, name TEXT NOT NULL, serial_no TEXT NOT NULL, public_key_pem TEXT NOT NULL,
    api_v3_key TEXT NOT NULL, created_ms INTEGER NOT NULL
) STRICT;

-- trade_state: NOTPAY, SUCCESS, REFUND (paid, and a refund was asked for), CLOSED.
CREATE TABLE IF NOT EXISTS trade (
    prepay_id TEXT PRIMARY KEY, mch_id TEXT NOT NULL REFERENCES merchant, out_trade_no TEXT NOT NULL,
    request BLOB NOT NULL, description TEXT NOT NULL, attach TEXT NOT NULL, total INTEGER NOT NULL, currency TEXT NOT NULL,
    expire_ms INTEGER NOT NULL, notify_url TEXT NOT NULL, return_url TEXT,
    state TEXT NOT NULL DEFAULT 'NOTPAY' CHECK (state IN ('NOTPAY', 'SUCCESS', 'REFUND', 'CLOSED')),
    created_ms INTEGER NOT NULL, closed_ms INTEGER, UNIQUE (mch_id, out_trade_no)
) STRICT;
CREATE INDEX IF NOT EXISTS trade_open ON trade (expire_ms) WHERE state = 'NOTPAY';

CREATE TABLE IF NOT EXISTS payment (
    transaction_id TEXT PRIMARY KEY, prepay_id TEXT NOT NULL UNIQUE REFERENCES trade, amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL, late INTEGER NOT NULL, paid_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS payment_day ON payment (paid_ms);

-- status: PROCESSING, then SUCCESS (the money went back) or ABNORMAL (the payer's bank would not take it).
CREATE TABLE IF NOT EXISTS refund (
    refund_id TEXT PRIMARY KEY, mch_id TEXT NOT NULL REFERENCES merchant, out_refund_no TEXT NOT NULL,
    transaction_id TEXT NOT NULL REFERENCES payment, request BLOB NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL, reason TEXT NOT NULL, notify_url TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'PROCESSING' CHECK (status IN ('PROCESSING', 'SUCCESS', 'ABNORMAL')),
    settle_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL, done_ms INTEGER, UNIQUE (mch_id, out_refund_no)
) STRICT;
CREATE INDEX IF NOT EXISTS refund_of ON refund (transaction_id);
CREATE INDEX IF NOT EXISTS refund_open ON refund (settle_ms) WHERE status = 'PROCESSING';
CREATE INDEX IF NOT EXISTS refund_day ON refund (done_ms);

CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, mch_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'refund')), reference TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, UNIQUE (kind, reference)
) STRICT;
CREATE TRIGGER IF NOT EXISTS journal_is_kept BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_is_fixed BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- state: pending, delivered (answered 200 or 204), given_up (after the sixteenth attempt).
CREATE TABLE IF NOT EXISTS notice (
    event_id TEXT PRIMARY KEY, mch_id TEXT NOT NULL, out_trade_no TEXT NOT NULL, event_type TEXT NOT NULL, resource BLOB NOT NULL,
    notify_url TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'given_up')),
    attempts INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL, last_answer TEXT NOT NULL DEFAULT '', created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS notice_pending ON notice (next_ms) WHERE state = 'pending';
