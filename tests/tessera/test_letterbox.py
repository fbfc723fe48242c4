"""What a mail holds is read as the mail was written."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tessera import letterbox


@pytest.fixture
def mails() -> list[str]:
    """The texts of the mails that the catcher has."""
    return []


@pytest.fixture
def catcher(mails: list[str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"mails": [{"text": text} for text in mails]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class TestToken:
    @pytest.mark.parametrize("token", ["a" * 43, "b" * 64, "b" * 63 + "-"])
    def test_is_all_of_it(self, catcher: str, mails: list[str], token: str) -> None:
        """Whatever it ends with; an invitation's is longer than the others."""
        mails.append(f"http://localhost/merchant/confirm?token={token}\n\nOr hand this code to your program:\n{token}\n")
        assert letterbox.token(catcher, "ann@example.org") == token

    def test_is_the_newest(self, catcher: str, mails: list[str]) -> None:
        mails += [f"http://localhost/merchant/confirm?token={letter * 43}\n" for letter in "ab"]
        assert letterbox.token(catcher, "ann@example.org") == "b" * 43
