"""The audit: who did what to what, append-only, chained per tenant, its heads anchored outside the database.

`TenantTx.audit` writes an entry; `chain` links it, `anchors` signs the heads, `verify` proves them, `read` shows the entries.
"""
