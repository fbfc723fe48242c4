"""Data rights: what is held about a shopper is found, handed out, and erased; and a store may take all that is its own.

`registry` says of every column whose data it holds and what erasure does there; `requests` are the duties, `archives` what they hand out.
"""
