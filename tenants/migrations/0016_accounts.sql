-- People who sign in: their proofs of a mail address, their sessions as a list, a second factor, and what slows down guessing.

-- What was sent to a mail address proves, when it comes back, that its owner wants what was asked. Kept as a hash, used once.
CREATE TABLE proof (
    token_hash bytea       PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    purpose    text        NOT NULL CHECK (purpose IN ('sign_up', 'password_reset', 'new_mail')),
    mail       text        NOT NULL CHECK (mail = lower(mail)),
    user_id    uuid        REFERENCES merchant_user (id),
    content    jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX proof_by_mail ON proof (mail, purpose, created_at);
CREATE INDEX proof_by_user ON proof (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX proof_by_end ON proof (expires_at);
GRANT SELECT, INSERT, DELETE ON proof TO tessera_platform;

ALTER TABLE merchant_user ADD COLUMN locale text NOT NULL DEFAULT 'zh-CN' CHECK (locale IN ('zh-CN', 'en'));
GRANT UPDATE (mail, password_hash) ON merchant_user TO tessera_platform;

-- The id is what a list shows and revokes by; the token stays its holder's.
ALTER TABLE merchant_session ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE merchant_session ADD COLUMN user_agent text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 200);
ALTER TABLE merchant_session ADD COLUMN address text NOT NULL DEFAULT '';
ALTER TABLE merchant_session ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();
CREATE UNIQUE INDEX merchant_session_by_id ON merchant_session (id);
CREATE INDEX merchant_session_by_user ON merchant_session (user_id);
CREATE INDEX merchant_session_by_end ON merchant_session (expires_at);
GRANT UPDATE (seen_at) ON merchant_session TO tessera_platform;

-- Where somebody has signed in before: guesses made elsewhere do not keep him from doing so again.
CREATE TABLE merchant_place (
    user_id uuid        NOT NULL REFERENCES merchant_user (id),
    address text        NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, address)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON merchant_place TO tessera_platform;

-- The second factor (RFC 6238). `last_step` is the newest time step whose code was taken: no code is good twice.
CREATE TABLE merchant_totp (
    user_id      uuid   PRIMARY KEY REFERENCES merchant_user (id),
    sealed       bytea  NOT NULL,
    last_step    bigint NOT NULL DEFAULT 0,
    confirmed_at timestamptz
);
GRANT SELECT, INSERT, UPDATE, DELETE ON merchant_totp TO tessera_platform;

CREATE TABLE merchant_recovery_code (
    user_id   uuid  NOT NULL REFERENCES merchant_user (id),
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    PRIMARY KEY (user_id, code_hash)
);
GRANT SELECT, INSERT, DELETE ON merchant_recovery_code TO tessera_platform;

-- Leaky buckets that all processes share. A key is a hash of what is limited: no mail is kept here.
CREATE TABLE throttle (
    key   bytea            PRIMARY KEY CHECK (octet_length(key) = 32),
    level double precision NOT NULL,
    at    timestamptz      NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON throttle TO tessera_platform;
