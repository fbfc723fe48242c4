"""The few marks a merchant's policies may have: paragraphs, `#` and `##` headings, `-` lists, `**bold**`, `[text](https://…)`.

Everything is escaped before any mark is looked at, so what is not one of these is text, whatever it says.
"""

import re

from markupsafe import Markup, escape

_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
# Of an address only what stands in one unescaped: no quote, no angle bracket, no space.
_LINK = re.compile(
    r"\[([^\[\]\n]{1,200})\]"
    r"\((https://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?(?:/(?:[A-Za-z0-9._~/?#@!$+,=%\-]|&amp;)*)?|mailto:[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+)\)"
)
_HEADING = re.compile(r"(#{1,2}) +(\S.*)")


def render(text: str) -> Markup:
    """HTML of these marks alone. Blocks are parted by empty lines; a heading is a line, a list a run of lines with `- `."""
    return Markup("\n").join(_block(block) for block in re.split(r"\n\s*\n", text.replace("\r", "").strip()) if block.strip())


def _block(block: str) -> Markup:
    out: list[Markup] = []
    items: list[Markup] = []
    lines: list[Markup] = []

    def close() -> None:
        if items:
            out.append(Markup("<ul>{}</ul>").format(Markup("").join(items)))
        if lines:
            out.append(Markup("<p>{}</p>").format(Markup("<br>").join(lines)))
        items.clear()
        lines.clear()

    for line in block.split("\n"):
        if heading := _HEADING.fullmatch(line.strip()):
            close()
            tag = "h2" if len(heading[1]) == 1 else "h3"  # the page has the only h1
            out.append(Markup("<{0}>{1}</{0}>").format(tag, _inline(heading[2])))
        elif line.lstrip().startswith("- "):
            if lines:
                close()
            items.append(Markup("<li>{}</li>").format(_inline(line.lstrip()[2:])))
        else:
            if items:
                close()
            lines.append(_inline(line))
    close()
    return Markup("").join(out)


def _inline(text: str) -> Markup:
    safe = str(escape(text))
    safe = _LINK.sub(r'<a href="\2" rel="nofollow noopener noreferrer">\1</a>', safe)
    return Markup(_BOLD.sub(r"<strong>\1</strong>", safe))  # noqa: S704  escaped above; the marks add only these tags
