"""Coupons: what a merchant takes off a price, for whom, until when and how often. docs/decisions/0048-coupons.md.

`definitions` are the merchant's, `grants` the pieces that shoppers have, `held` those that an order may use, `reckon` what they take off,
`uses` what becomes of them with the order.
"""
