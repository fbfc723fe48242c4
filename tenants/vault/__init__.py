"""The vault: merchants' codes, read from the files they come in, sealed, and opened for one buyer each.

`run` and `resume` take a file in, `report` tells what became of each line, `preview` tells before; `stock` counts, `reveal` opens.
"""

from tenants.vault.batches import Origin, Report, pattern_of, recent, report, unfinished
from tenants.vault.codes import Code, compile_pattern
from tenants.vault.imports import resume, run
from tenants.vault.layout import Layout, Wishes
from tenants.vault.preview import Preview, preview
from tenants.vault.stock import Stock, reveal, stock

__all__ = [
    "Code", "Layout", "Origin", "Preview", "Report", "Stock", "Wishes",
    "compile_pattern", "pattern_of", "preview", "recent", "report", "resume", "reveal", "run", "stock", "unfinished",
]  # fmt: skip
