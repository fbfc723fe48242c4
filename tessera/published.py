"""Files that say where a local shop is: there in one step, gone with it."""

import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tessera.shop import Shop


def publish(file: Path, text: str, mode: int = 0o644) -> None:
    """Put `text` there in one step: a reader sees the old or the new, never half."""
    handle, name = tempfile.mkstemp(dir=file.parent)
    with open(handle, "w", encoding="utf-8") as new:
        new.write(text)
    os.chmod(name, mode)
    os.replace(name, file)


def withdraw(file: Path, text: str) -> None:
    """Remove what `publish` put there, unless another run has put its own since."""
    with suppress(FileNotFoundError):
        if file.read_text(encoding="utf-8") == text:
            file.unlink()


@contextmanager
def for_shells(shop: Shop, folder: Path) -> Iterator[str]:
    """Within the block `folder/env` sets API, MAIL, PROVIDER and PROVIDER_TOKEN, which the guides use. The value is what reads it."""
    file = folder / "env"
    names = {"API": shop.api_url, "MAIL": shop.mail_url, "PROVIDER": shop.provider_url, "PROVIDER_TOKEN": shop.provider.admin_token}
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in names.items())
    publish(file, text, mode=0o600)
    try:
        yield f". {shlex.quote(str(file))}"
    finally:
        withdraw(file, text)
