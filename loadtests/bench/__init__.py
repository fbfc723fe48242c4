"""The race: our checkout against its peers on one machine, in interleaved rounds, and what each process spent on it.

This folder is a place where all is put together, so it alone of the load tests may import what it measures.
"""
