"""Pictures of every page on both screens, in both languages, by day and by night: build/screens/index.html.

    python -m tests.web.screenshots --only home,cart

A page that does not come up, complains, or is wider than its screen is said; exit code 1 then.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser
from playwright.sync_api import Error as BrowserError

from tests.house.sources import ROOT
from tests.web import gallery
from tests.web.chromium import DESKTOP, PHONE, open_browser
from tests.web.gallery import Look
from tests.web.pages import PAGES, Page
from tests.web.showcase import Showcase, open_showcase

SCREENS = {"desktop": DESKTOP, "phone": PHONE}
LOOKS = [Look(screen, language, dark) for dark, language, screen in product((False, True), ("zh-CN", "en"), SCREENS)]
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def photograph(showcase: Showcase, browser: Browser, page: Page, folder: Path) -> Iterator[str]:
    """All looks of one page; what is wrong with any, in words. One browser of one reader for each language: what changes is the light."""
    (folder / page.name).mkdir(parents=True, exist_ok=True)
    for language in ("zh-CN", "en"):
        context = showcase.context(browser, page, locale=language)
        heard: list[str] = []
        tab = context.new_page()
        tab.on("console", lambda message, heard=heard: heard.append(message.text) if message.type == "error" else None)  # type: ignore[misc]
        tab.on("pageerror", lambda error, heard=heard: heard.append(str(error)))  # type: ignore[misc]
        try:
            for screen, size in SCREENS.items():
                tab.set_viewport_size(size)  # type: ignore[arg-type]
                for dark in (False, True):
                    look = Look(screen, language, dark)
                    tab.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
                    showcase.show(tab, page)
                    if (over := tab.evaluate(WIDER)) > 0:
                        yield f"{page.name}, {look.name}: {over} px wider than the screen"
                    tab.screenshot(path=folder / page.name / f"{look.name}.png", full_page=page.whole, animations="disabled")
        except (AssertionError, BrowserError) as problem:
            yield f"{page.name}, {language}: {str(problem).splitlines()[0]}"
        finally:
            context.close()
        # The browser notes an answer that is no success as an error of its own.
        yield from (f"{page.name}, {language}: {text}" for text in sorted(set(heard)) if "Failed to load resource" not in text)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.web.screenshots", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default="", help="names of pages, a comma between two; the others' pictures stay")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "screens")
    args = parser.parse_args(argv)
    only = set(filter(None, args.only.split(",")))
    chosen = [page for page in PAGES if not only or page.name in only]
    if not only:
        shutil.rmtree(args.out, ignore_errors=True)
    began, wrong = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="tessera-screens-") as folder:
        Path(folder).chmod(0o755)
        with open_showcase(Path(folder)) as showcase, open_browser() as browser:
            for page in chosen:
                wrong += list(photograph(showcase, browser, page, args.out))
                print(page.name, flush=True)
    index = gallery.write(args.out, [page.name for page in PAGES], LOOKS)
    print(*(f"WRONG {sentence}" for sentence in wrong), sep="\n")
    print(f"{len(chosen)} pages, {len(chosen) * len(LOOKS)} pictures in {time.monotonic() - began:.0f} s: {index}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
