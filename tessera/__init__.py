"""The command line: what starts Tessera's processes, and the servers they need on a bare machine."""
