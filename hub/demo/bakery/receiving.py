"""The website's and the mini-program's own servers, as small as can be: they keep what the hub
delivers, each once, by its id."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BODY_BYTES_MAX = 1_000_000
Told = dict[str, dict[str, Any]]


class Receivers:
    """One server with an address for each channel. told: channel -> id -> event."""

    def __init__(self, channels: tuple[str, ...]) -> None:
        self.told: dict[str, Told] = {channel: {} for channel in channels}
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length", "0"))
                body = self.rfile.read(min(size, BODY_BYTES_MAX))
                channel = self.path.strip("/")
                if channel in told:
                    event = json.loads(body)
                    told[channel][event["id"]] = event
                self.send_response(204 if channel in told else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @contextmanager
    def listening(self) -> Iterator["Receivers"]:
        """Take deliveries until the end."""
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def address(self, channel: str) -> str:
        """Where the channel is told."""
        return f"http://127.0.0.1:{self._server.server_port}/{channel}"

    def of(self, channel: str, kind: str) -> list[dict[str, Any]]:
        """What a channel was told of this type so far."""
        return [one for one in list(self.told[channel].values()) if one["type"] == kind]
