"""The mail catcher as a process: takes mails, shows them, misbehaves on command, ends with its parent."""

import json
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage

import httpx
import pytest

COMMAND = [sys.executable, "-m", "loadtests.counterparts.mail", "--print-json"]


class Catcher:
    def __init__(self) -> None:
        self.process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        started = json.loads(self.process.stdout.readline())
        self.http = httpx.Client(base_url=started["url"], trust_env=False)
        self.port = int(started["smtp_url"].rpartition(":")[2])

    def send(self, to: str, subject: str = "hello") -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "shop@example.org", to, subject
        message.set_content("你好")
        with smtplib.SMTP("127.0.0.1", self.port, timeout=5) as smtp:
            smtp.send_message(message)

    def subjects(self, **query: str | int) -> list[str]:
        return [letter["subject"] for letter in self.http.get("/mails", params=query).raise_for_status().json()["mails"]]

    def stop(self) -> int:
        self.http.close()
        self.process.terminate()
        code = self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def catcher() -> Iterator[Catcher]:
    running = Catcher()
    yield running
    assert running.stop() == 0


def test_shows_what_it_took_by_recipient(catcher: Catcher) -> None:
    catcher.send("Ann@example.org", "one")
    catcher.send("bob@example.org", "two")
    catcher.send("ann@example.org", "three")
    assert catcher.subjects(to="ann@example.org") == ["one", "three"]
    (letter, _) = catcher.http.get("/mails?to=ann@example.org").json()["mails"]
    assert letter["text"].strip() == "你好"
    assert catcher.subjects(to="ann@example.org", after=letter["number"]) == ["three"]
    assert catcher.http.delete("/mails").status_code == 204
    assert catcher.subjects() == []


def test_refuses_as_often_as_told(catcher: Catcher) -> None:
    catcher.http.post("/faults", json={"refuse": 550, "times": 1}).raise_for_status()
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        catcher.send("ann@example.org")
    catcher.send("ann@example.org", "again")
    assert catcher.subjects() == ["again"]
    catcher.http.delete("/mails")


@pytest.mark.parametrize(("when", "taken"), [("before", []), ("after", ["cut"])])
def test_cuts_the_line(catcher: Catcher, when: str, taken: list[str]) -> None:
    catcher.http.post("/faults", json={"drop": when, "to": "ann@example.org"}).raise_for_status()
    catcher.send("bob@example.org", "whole")
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        catcher.send("ann@example.org", "cut")
    assert catcher.subjects(to="ann@example.org") == taken
    catcher.http.delete("/faults")
    catcher.http.delete("/mails")


def test_answers_this_machine_by_its_own_name_only(catcher: Catcher) -> None:
    assert catcher.http.get("/mails", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_it_dies_with_its_parent() -> None:
    script = (
        "import subprocess, time\n"
        f"p = subprocess.Popen({COMMAND!r}, stdout=subprocess.PIPE)\n"
        "print(p.stdout.readline().decode(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    url = json.loads(parent.stdout.readline())["url"]
    assert httpx.get(f"{url}/healthz").status_code == 200
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    parent.stdout.close()
    for _ in range(200):
        if not answers(url):
            return
        time.sleep(0.02)
    pytest.fail("it still answers")


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=1).is_success
    except httpx.TransportError:
        return False
