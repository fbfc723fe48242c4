"""Webhooks: merchants' own servers hear what happened, signed by the Standard Webhooks specification, in order, until they have it.

deed ── outbox ── `fanout` ── one queue for each endpoint ── `queue` ── `sender` ── the merchant's server
"""
