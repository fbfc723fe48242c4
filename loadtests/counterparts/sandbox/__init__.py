"""The sandbox payment provider: a process of its own, with its own books and keys. Wire format: docs/sandbox-provider.md.

It shares no line of code with the product on purpose. When both agree on a signature, an amount or a state, two independent
readings of one document agree, not one function with itself.
"""
