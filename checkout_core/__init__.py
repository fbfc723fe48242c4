"""The hot path's mechanism: who wishes for what, in batches, admitted and committed. Knows no routes and no tables."""
