-- Lists that people look through: payments that were none of an order's own, refunds that are not done, rights by type and state.
CREATE INDEX payment_odd ON payment (disposition, id, tenant_id) WHERE disposition <> 'applied';
CREATE INDEX refund_not_done ON refund (state, id, tenant_id) WHERE state <> 'succeeded';
CREATE INDEX entitlement_by_type ON entitlement (type, state, id, tenant_id);
-- Credentials that were changed are read again by every process within a minute.
ALTER TABLE provider_account ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
