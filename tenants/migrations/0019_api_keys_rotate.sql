-- API keys that can be exchanged while they are in use, that end by themselves, and that are known by their first characters.
-- A key may never do more than its maker may at that moment; keys from before audit named a person are nobody's, and keep what they have.

ALTER TABLE api_key ADD COLUMN made_by uuid;
ALTER TABLE api_key ADD COLUMN prefix text CHECK (length(prefix) = 6);
ALTER TABLE api_key ADD COLUMN expires_at timestamptz;
ALTER TABLE api_key ADD COLUMN last_used_at timestamptz;
ALTER TABLE api_key ADD COLUMN old_hash bytea CHECK (octet_length(old_hash) = 32);
ALTER TABLE api_key ADD COLUMN old_until timestamptz;
CREATE INDEX api_key_old ON api_key (old_hash, tenant_id) WHERE old_hash IS NOT NULL;

UPDATE api_key k SET made_by = substring(a.actor FROM 5)::uuid
FROM audit a WHERE a.tenant_id = k.tenant_id AND a.action = 'api_key.created'
    AND a.subject = 'key_' || replace(k.id::text, '-', '') AND a.actor ~ '^usr_[0-9a-f]{32}$';
