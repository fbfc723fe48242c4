"""A raw HTTP loader: keep-alive connections on uvloop and httptools, closed and open loop, and what each client was told.

It knows the store only by its HTTP surface, so what it reports is what a shopper would see.
"""
