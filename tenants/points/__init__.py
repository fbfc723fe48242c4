"""Points and levels: what buyers earn and keep. A ledger by lots for each shopper, and a level that follows from what he bought.

`program` is what the store says, `lots` the ledger, `earnings` what orders bring and refunds take back, `levels` who has which, `acts` what
people do, `read` what they see.
"""
