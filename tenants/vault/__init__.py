"""The vault: merchants' codes, read from the files they come in, sealed, and opened for one buyer each.

`run` and `resume` take a file in, `report` tells what became of each line, `preview` tells before; `make` makes units that come from no
file; `stock` counts, `reveal` opens.
"""

from tenants.vault.batches import Origin, Report, is_picked, pattern_of, recent, report, unfinished
from tenants.vault.codes import Code, Content, compile_pattern, pack_all, unpack_all
from tenants.vault.imports import resume, run
from tenants.vault.layout import Layout, Wishes
from tenants.vault.making import make
from tenants.vault.preview import Preview, preview
from tenants.vault.stock import Stock, reveal, stock

__all__ = [
    "Code", "Content", "Layout", "Origin", "Preview", "Report", "Stock", "Wishes",
    "compile_pattern", "is_picked", "make", "pack_all", "pattern_of", "preview", "recent", "report", "resume", "reveal", "run", "stock",
    "unfinished", "unpack_all",
]  # fmt: skip
