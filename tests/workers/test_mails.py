"""Mails: recorded with a deed, rendered, handed over at least once, forgotten afterwards."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from api.process import Process
from checkout_core.config import Settings
from loadtests.counterparts.mail.box import Box, Faults
from tenants import mails
from tenants.db import tenant_tx
from tenants.mails.render import render
from tenants.mails.words import LOCALES, TEMPLATES, fields
from workers.duties import Services, attend
from workers.mails import Mailer, NotTaken

TENANT = uuid4()


@pytest.fixture
async def box() -> AsyncIterator[tuple[Box, str]]:
    """The catcher in this process, and where it takes mails."""
    box = Box()
    server = await asyncio.get_running_loop().create_server(box.server, "127.0.0.1", 0)
    async with server:
        yield box, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def mailer_at(process: Process, url: str) -> Mailer:
    settings = msgspec.structs.replace(process.settings, smtp_url=url, mail_from="Tessera <no-reply@example.org>")
    return Mailer(settings, process.app_pool)


async def owe(process: Process, to: str, **values: str) -> UUID:
    async with tenant_tx(process.app_pool, TENANT) as tx:
        return await mails.send(tx, to, "sign_up", locale="en", **({"store": "Corner", "token": "t0ken"} | values))


async def row(process: Process, mail_id: UUID) -> dict[str, object]:
    async with tenant_tx(process.app_pool, TENANT) as tx:
        found = await tx.conn.fetchrow("SELECT *, next_try_at <= now() AS due FROM mail WHERE tenant_id = $1 AND id = $2", TENANT, mail_id)
    return dict(found)


async def make_due(process: Process, mail_id: UUID) -> None:
    async with tenant_tx(process.app_pool, TENANT) as tx:
        await tx.conn.execute("UPDATE mail SET next_try_at = now() WHERE tenant_id = $1 AND id = $2", TENANT, mail_id)


class TestDeliver:
    async def test_arrives_once_and_is_forgotten(self, process: Process, box: tuple[Box, str]) -> None:
        mailer, to = mailer_at(process, box[1]), f"{uuid4().hex}@example.org"
        mail_id = await owe(process, to)
        await asyncio.gather(*(mailer.deliver(TENANT, mail_id) for _ in range(5)))
        (letter,) = box[0].to(to)
        assert "token=t0ken" in letter.text
        assert dict(letter.headers)["Message-ID"] == f"<{mail_id.hex}@example.org>"
        kept = await row(process, mail_id)
        assert (kept["content"], kept["next_try_at"], kept["refused"]) == ("{}", None, None)
        assert kept["sent_at"] is not None

    async def test_that_one_was_sent_is_forgotten_in_the_end(self, process: Process, box: tuple[Box, str]) -> None:
        long_ago = UUID(int=1 << 80 | uuid4().int >> 64)
        async with tenant_tx(process.app_pool, TENANT) as tx:
            sql = """INSERT INTO mail (tenant_id, id, recipient, template, locale, content, next_try_at)
                     VALUES ($1, $2, 'a@b.cd', 'known', 'en', '{}', $3)"""
            await tx.conn.execute(sql, TENANT, long_ago, None)
        await mailer_at(process, box[1]).deliver(TENANT, await owe(process, "ann@example.org"))
        async with tenant_tx(process.app_pool, TENANT) as tx:
            assert await tx.conn.fetchval("SELECT count(*) FROM mail WHERE tenant_id = $1 AND id = $2", TENANT, long_ago) == 0

    async def test_leaves_with_the_commit_or_not_at_all(self, process: Process) -> None:
        with suppress(RuntimeError):
            async with tenant_tx(process.app_pool, TENANT) as tx:
                mail_id = await mails.send(tx, "ann@example.org", "known")
                raise RuntimeError
        assert await mails.claim(process.app_pool, TENANT, mail_id) is None

    @pytest.mark.parametrize("at", ["recipient", "data"])
    async def test_refused_for_good_it_ends(self, process: Process, box: tuple[Box, str], at: str) -> None:
        box[0].faults = Faults(refuse=550, at=at)  # type: ignore[arg-type]
        mail_id = await owe(process, "ann@example.org")
        await mailer_at(process, box[1]).deliver(TENANT, mail_id)
        kept = await row(process, mail_id)
        assert (kept["content"], kept["next_try_at"], kept["sent_at"], kept["refused"]) == ("{}", None, None, "550 told to refuse")

    @pytest.mark.parametrize(
        "faults", [Faults(refuse=450), Faults(refuse=451, at="data"), Faults(drop="before"), Faults(drop="after")], ids=str
    )
    async def test_refused_for_now_it_is_tried_again_under_the_same_name(
        self, process: Process, box: tuple[Box, str], faults: Faults
    ) -> None:
        """Cut off after it was taken it arrives twice: at least once is the promise, and the name tells."""
        box[0].faults = msgspec.structs.replace(faults, times=1)
        mailer, to = mailer_at(process, box[1]), f"{uuid4().hex}@example.org"
        mail_id = await owe(process, to)
        services = Services(process.app_pool, None, None, None, None, mailer, None)  # type: ignore[arg-type]  # mails need no other
        await attend(services, "mail", TENANT, mail_id)
        kept = await row(process, mail_id)
        assert (kept["tries"], kept["due"], kept["sent_at"]) == (1, False, None)
        await make_due(process, mail_id)
        await attend(services, "mail", TENANT, mail_id)
        assert (await row(process, mail_id))["sent_at"] is not None
        names = [dict(letter.headers)["Message-ID"] for letter in box[0].to(to)]
        assert len(names) == (2 if faults.drop == "after" else 1)
        assert len(set(names)) == 1

    async def test_nobody_listens(self, process: Process) -> None:
        mail_id = await owe(process, "ann@example.org")
        with pytest.raises(NotTaken, match="SMTPConnectError"):
            await mailer_at(process, "smtp://127.0.0.1:1").deliver(TENANT, mail_id)
        assert (await row(process, mail_id))["next_try_at"] is not None

    async def test_without_a_server_it_stays_due_and_that_is_said_once(self, process: Process, caplog: pytest.LogCaptureFixture) -> None:
        mailer, ids = mailer_at(process, ""), [await owe(process, "ann@example.org") for _ in range(2)]
        with caplog.at_level(logging.WARNING):
            for mail_id in ids:
                await mailer.deliver(TENANT, mail_id)
        assert [record.message for record in caplog.records] == ["SMTP_URL is not set: mails stay due until it is"]
        kept = await row(process, ids[0])
        assert (kept["tries"], kept["sent_at"], kept["next_try_at"] is not None) == (0, None, True)

    @pytest.mark.parametrize("refuse", [450, 550])
    async def test_logs_name_neither_recipient_nor_content(
        self, process: Process, box: tuple[Box, str], caplog: pytest.LogCaptureFixture, refuse: int
    ) -> None:
        box[0].faults = Faults(refuse=refuse)
        services = Services(process.app_pool, None, None, None, None, mailer_at(process, box[1]), None)  # type: ignore[arg-type]
        with caplog.at_level(logging.DEBUG):
            await attend(services, "mail", TENANT, await owe(process, "hidden-ann@example.org", token="hidden-token"))
        ours = [record.getMessage() for record in caplog.records if record.name.startswith(("workers", "tenants", "aiosmtplib"))]
        assert ours
        assert not any("hidden" in line for line in ours)

    async def test_a_password_goes_over_no_open_line(self, process: Process, box: tuple[Box, str]) -> None:
        mail_id = await owe(process, "ann@example.org")
        with pytest.raises(NotTaken, match=r"^SMTPException$"):
            await mailer_at(process, box[1].replace("//", "//user:pass@")).deliver(TENANT, mail_id)


class TestAtRest:
    async def test_what_a_mail_said_cannot_stay_when_it_is_over(self, process: Process) -> None:
        """Held by the table itself, whoever writes it."""
        mail_id = await owe(process, "ann@example.org")
        async with tenant_tx(process.app_pool, TENANT) as tx:
            with pytest.raises(asyncpg.CheckViolationError):
                await tx.conn.execute("UPDATE mail SET next_try_at = NULL WHERE tenant_id = $1 AND id = $2", TENANT, mail_id)


class TestSend:
    async def test_a_mail_without_its_values_is_a_mistake(self, process: Process) -> None:
        async with tenant_tx(process.app_pool, TENANT) as tx:
            for wrong in ({}, {"store": "x"}, {"store": "x", "token": "y", "more": "z"}):
                with pytest.raises(AssertionError):
                    await mails.send(tx, "ann@example.org", "sign_up", **wrong)

    def test_all_locales_speak_of_the_same(self) -> None:
        for template, by_locale in TEMPLATES.items():
            assert set(by_locale) == set(LOCALES), template
            assert len({frozenset(fields(words)) for words in by_locale.values()}) == 1, template


class TestRender:
    def rendered(self, template: str = "sign_up", locale: str = "en", **changes: str) -> bytes:
        values = {name: f"a-{name}" for name in fields(TEMPLATES[template][locale])} | changes
        mail = mails.Mail(TENANT, uuid4(), "ann@example.org", template, locale, values, datetime.now(UTC))
        return bytes(render(mail, sender="Tessera <no-reply@example.org>", base_url="https://shop.example"))

    @pytest.mark.parametrize("locale", LOCALES)
    @pytest.mark.parametrize("template", TEMPLATES)
    def test_every_template(self, template: str, locale: str) -> None:
        raw = self.rendered(template, locale)
        assert raw.isascii()
        assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
        assert raw.count(b"\r\nTo: ann@example.org\r\n") == 1

    @pytest.mark.parametrize("nasty", ["x\r\nBcc: eve@example.org", "x\nBcc: eve@example.org\n\nhello", "x\u2028Bcc: y", "x\0y"])
    def test_a_value_cannot_begin_a_header(self, nasty: str) -> None:
        head = self.rendered(store=nasty).split(b"\r\n\r\n")[0]
        names = {line.split(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"}
        assert names == {b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version", b"Content-Type"}

    def test_a_value_is_text_in_html(self) -> None:
        box = Box()
        from aiosmtpd.smtp import Envelope

        envelope = Envelope()
        envelope.original_content, envelope.rcpt_tos, envelope.mail_from = self.rendered(store="<script>&"), ["a@b.cd"], "x@y.zz"
        box._take(envelope)
        (letter,) = box.letters
        assert "<script>" not in letter.html
        assert "&lt;script&gt;&amp;" in letter.html
        assert "<script>&" in letter.text


class TestSettings:
    ENVIRON = {"DATABASE_URL": "d", "REDIS_URL": "r", "TESSERA_SECRET": "00" * 32}

    @pytest.mark.parametrize("wrong", [{"SMTP_URL": "mail.example.org"}, {"TESSERA_MAIL_FROM": "x\nBcc: y"}, {"TESSERA_MAIL_FROM": "Ann"}])
    def test_wrong_ones_are_named(self, wrong: dict[str, str]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Settings.from_env(self.ENVIRON | wrong)
