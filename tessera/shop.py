"""A whole shop on this machine: servers, schema, sandbox provider, mail catcher, API processes and a worker, over one folder.

    with Shop(Path(".tessera")) as shop:
        shop.api_url, shop.provider_url, shop.mail_url, shop.environ

`tessera up` keeps one open; the demonstration and the tests of faults sell in one.
"""

import asyncio
import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from checkout_core.config import Settings
from tenants.migrate import migrate
from tessera.embedded import Servers
from tessera.processes import HOST, Processes, free_port

PROVIDER = "loadtests.counterparts.sandbox"
CATCHER = "loadtests.counterparts.mail"


class ProviderStarted(msgspec.Struct):
    """The first line the sandbox provider prints. Unknown fields are its own affair."""

    url: str
    admin_token: str
    provider_serial: str
    provider_public_key_pem: str


class Shop:
    """`folder` keeps the data, the logs and the secret between runs. Ports are free ones unless given.

    `environ` is added to this process's environment for all children. Servers named there (`DATABASE_URL`, …) replace the embedded ones.
    """

    def __init__(
        self,
        folder: Path,
        *,
        apis: int = 1,
        port: int = 0,
        fsync: bool = True,
        time_scale: float = 1.0,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.apis = apis
        self.port = port or free_port()
        self.provider_port = free_port()
        self.time_scale = time_scale
        self.api_url = f"http://{HOST}:{self.port}"
        self.provider_url = f"http://{HOST}:{self.provider_port}"
        self.mail_port, self.smtp_port = free_port(), free_port()
        self.mail_url = f"http://{HOST}:{self.mail_port}"
        given = {**os.environ, **(environ or {})}
        self.servers = Servers(self.folder / "servers", fsync=fsync, environ=given)
        self.environ = {
            "TESSERA_ENV": "demo",
            "TESSERA_SECRET": given.get("TESSERA_SECRET") or secret_of(self.folder),
            "TESSERA_PUBLIC_URL": self.api_url,
            "TESSERA_PROVIDER_URL": self.provider_url,
            "SMTP_URL": f"smtp://{HOST}:{self.smtp_port}",
        } | given
        self.processes = Processes(self.folder / "logs", self.environ)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack as stack:
            stack.enter_context(self.servers)
            self.environ |= self.servers.environment
            asyncio.run(migrate(Settings.from_env(self.environ)))
            stack.enter_context(self.processes)
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    @property
    def provider(self) -> ProviderStarted:
        """The provider's keys and the token of its back office."""
        first_line = self.processes.log("provider").read_text().splitlines()[0]
        return msgspec.json.decode(first_line, type=ProviderStarted)

    def environ_of(self, kind: str) -> Mapping[str, str]:
        """What `api` processes or a `worker` find in their environment besides: nothing; a drill puts other ways to the servers here."""
        return {}

    def _start(self) -> None:
        run = self.processes.run
        options = ["--port", str(self.provider_port), "--folder", str(self.folder / "provider"), "--time-scale", str(self.time_scale)]
        # It need not watch its parent: whatever a keeper starts ends with the keeper.
        options += ["--print-json", "--outlive-parent"]
        run("provider", *options, module=PROVIDER, port=self.provider_port, path="/healthz")
        self.processes.wait_ready("provider")
        office = {"TESSERA_PROVIDER_ADMIN_TOKEN": self.provider.admin_token}
        ports = ["--port", str(self.mail_port), "--smtp-port", str(self.smtp_port)]
        run("mail", *ports, "--outlive-parent", module=CATCHER, port=self.mail_port, path="/healthz")
        for number in range(1, self.apis + 1):
            run(
                f"api-{number}",
                "api",
                "--host",
                HOST,
                "--port",
                str(self.port),
                port=self.port,
                environ={**office, **self.environ_of("api")},
            )
        run("worker", "worker", environ=self.environ_of("worker"))
        self.processes.wait_ready()


def secret_of(folder: Path) -> str:
    """The root of a local shop's keys, made once and kept in `<folder>/secret`, readable by its owner only."""
    file = folder / "secret"
    if not file.exists():
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as new:
            new.write(secrets.token_hex(32))
    return file.read_text()
