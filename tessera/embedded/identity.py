"""Who the embedded servers run as.

PostgreSQL refuses to run as root. A plain user runs the servers as itself. Root runs them as `nobody` where nobody can reach
the programs and the data; below a folder closed to others (a home of mode 0700) root runs them in a user namespace, where
they keep root's access to files without being root; and where the machine forbids namespaces, what nobody cannot reach is
put into the system's temporary folder instead (`servers.py`).
"""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tessera.keeper import launched


@dataclass(frozen=True)
class Identity:
    """`runs_as` is a word for `launch.py`; `owner` is (uid, gid) of the files it needs, None for the caller's own."""

    runs_as: str
    owner: tuple[int, int] | None = None

    def give(self, path: Path) -> None:
        """Make `path`, and everything in it, this identity's own."""
        if os.geteuid() != 0:
            return
        uid, gid = self.owner or (0, 0)
        if (path.stat().st_uid, path.stat().st_gid) == (uid, gid):
            return
        # The folder itself goes last: a hand-over that is interrupted is begun again.
        for below in path.rglob("*"):
            os.chown(below, uid, gid, follow_symlinks=False)
        os.chown(path, uid, gid)


SAME = Identity("same")
NAMESPACE = Identity("namespace")


def nobody() -> Identity:
    """The unprivileged user of this machine."""
    try:
        entry = pwd.getpwnam("nobody")
        uid, gid = entry.pw_uid, entry.pw_gid
    except KeyError:
        uid, gid = 65534, 65534
    return Identity(f"{uid}:{gid}", (uid, gid))


def choose(paths: Iterable[Path]) -> Identity:
    """The identity for servers that need `paths` (existing files and folders)."""
    if os.geteuid() != 0:
        return SAME
    if all(map(open_to_all, paths)) and works(nobody()):
        return nobody()
    return NAMESPACE if works(NAMESPACE) else nobody()


def open_to_all(path: Path) -> bool:
    """Whether any user may pass through every folder down to `path`, and into it or run it."""
    path = path.resolve()
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents))


def works(identity: Identity) -> bool:
    """Whether this machine lets us run a program so."""
    harmless = launched([shutil.which("true") or "/bin/true"], runs_as=identity.runs_as)
    return subprocess.run(harmless, capture_output=True, cwd="/", check=False).returncode == 0
