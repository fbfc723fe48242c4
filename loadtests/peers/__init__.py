"""What people would write instead, as well as we can write it: the same contract and the same rules, to race against.

Each answers `POST /v1/checkouts` as the shop does, for the same shoppers' tokens, and sells what `stock` has put in Redis or the shop's own
tables in Postgres. Only the rules that a race needs are here: a limit for each shopper, stock, one order for each idempotency key.
"""
