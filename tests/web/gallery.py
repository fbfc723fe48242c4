"""The pictures of all pages on one page for people: grouped by page, the same look side by side, a click for the whole."""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import NamedTuple

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 1700px; padding: 1.5rem; }
nav { columns: 12rem; margin: 1rem 0 2rem; }
nav a { display: block; }
section { border-top: 1px solid #8886; padding: 1rem 0 2rem; }
.looks { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); align-items: start; }
figure { margin: 0; }
figure.desktop { grid-column: span 2; }
img { width: 100%; height: 340px; object-fit: cover; object-position: top; border: 1px solid #8886; border-radius: 4px; display: block; }
figcaption { font-size: 12px; opacity: .75; }
"""


class Look(NamedTuple):
    """How a page is looked at."""

    screen: str
    language: str
    dark: bool

    @property
    def name(self) -> str:
        return f"{self.screen}-{self.language}-{'dark' if self.dark else 'light'}"


def write(folder: Path, pages: Iterable[str], looks: Iterable[Look]) -> Path:
    """`index.html` beside the pictures `<page>/<look>.png`, for those that are there."""
    looks, sections, links = list(looks), [], []
    for page in pages:
        there = [look for look in looks if (folder / page / f"{look.name}.png").exists()]
        if not there:
            continue
        figures = "".join(
            f'<figure class="{look.screen}"><a href="{page}/{look.name}.png"><img loading="lazy" src="{page}/{look.name}.png" alt="">'
            f"</a><figcaption>{look.name}</figcaption></figure>\n"
            for look in there
        )
        sections.append(f'<section id="{page}"><h2>{escape(page)}</h2><div class="looks">\n{figures}</div></section>\n')
        links.append(f'<a href="#{page}">{escape(page)}</a>')
    index = folder / "index.html"
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Tessera, page by page</title>'
    index.write_text(f"{head}<style>{STYLE}</style><h1>Tessera, page by page</h1><nav>{''.join(links)}</nav>\n{''.join(sections)}</html>\n")
    return index
