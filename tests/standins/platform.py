"""What all stand-ins are: a platform with pushes of its own, and maybe an API that is asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Push:
    """A request as a platform sends it, and the answer it wants, to the byte."""

    body: bytes
    reply: str
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    status: int = 200


@dataclass
class Platform:
    """A platform as the hub meets it. pushes: given the address of its API; types: the events that
    come of them, in their order."""

    pack: str
    shop: str
    settings: dict[str, str]
    secrets: dict[str, str]
    pushes: Callable[[], list[Push]]
    types: list[str]
    details: dict[str, Any] = field(default_factory=dict)
    trials: list[Push] = field(default_factory=list)


@dataclass
class Api:
    """The API of a platform: details by path, and how it fails next."""

    url: str
    details: dict[str, Any]
    failures: list[int] = field(default_factory=list)
    asked: list[tuple[str, bytes]] = field(default_factory=list)


@contextmanager
def api(details: dict[str, Any]) -> Iterator[Api]:
    """A server for as long as the block; `failures` are answered first, one each."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            running.asked.append((self.path, body))
            if running.failures:
                self.send_response(running.failures.pop(0))
                self.send_header("Retry-After", "1")
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            found = running.details.get(path)
            if callable(found):  # None: it does what is asked, and its answer is lost
                found = found(json.loads(body) if body else dict(parse_qsl(query)))
            self.send_response(200 if found is not None else 404)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Api(f"http://127.0.0.1:{server.server_port}", details)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
