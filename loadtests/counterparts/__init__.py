"""Counterparts: the other parties, each a process of its own with its own books and its own keys."""
