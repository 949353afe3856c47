"""A channel's connection to the hub's HTTP API: one kept-alive connection, plain JSON.

Only what the bakery needs; a real channel uses what its own language offers.
"""

import http.client
import json
import time
from typing import Any
from urllib.parse import quote

from hub.demo.envelope import Record
from hub.errors import HubError

TIMEOUT_S = 10.0
VISIBLE_S_MAX = 30.0
"""So long an accepted event may take to be applied before the demo says that something is wrong."""
POLL_S = 0.004
BATCH_EVENTS_MAX = 500
BATCH = "application/cloudevents-batch+json"
PENDING = "pending"


class RefusedError(HubError):
    """The hub's API refused a request."""


class ChannelClient:
    """Speaks for one channel with its own key."""

    def __init__(self, port: int, channel: str, token: str) -> None:
        self.channel = channel
        self._token = token
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def post(self, records: list[Record]) -> list[str]:
        """Post events; where to ask for each of them."""
        urls: list[str] = []
        for start in range(0, len(records), BATCH_EVENTS_MAX):
            batch = records[start : start + BATCH_EVENTS_MAX]
            body = b"[" + b",".join(record.value for record in batch) + b"]"
            path = f"/v1/channels/{self.channel}/events"
            answer = self._request("POST", path, body, BATCH)
            urls += [event["status_url"] for event in answer["events"]]
        return urls

    def wait(self, status_urls: list[str]) -> dict[str, int]:
        """Wait until each event was applied or not; how many came to which state."""
        states: dict[str, int] = {}
        gives_up_at = time.monotonic() + VISIBLE_S_MAX
        for url in status_urls:
            while (state := self._request("GET", url)["state"]) == PENDING:
                if time.monotonic() > gives_up_at:
                    raise RefusedError(
                        f"an event is not applied within {VISIBLE_S_MAX} s", where=url
                    )
                time.sleep(POLL_S)
            states[state] = states.get(state, 0) + 1
        return states

    def available(self, sku: str, place: str) -> float:
        """How much of an item can be sold at a place now; 0 where the hub knows none."""
        found = self._find(f"/v1/stock/{quote(sku)}")
        positions = found["items"] if found else []
        return sum(float(p["available"]) for p in positions if p["place"] == place)

    def places(self, sku: str) -> list[str]:
        """Where the hub knows stock of an item."""
        found = self._find(f"/v1/stock/{quote(sku)}")
        return [position["place"] for position in found["items"]] if found else []

    def coupon(self, code: str) -> dict[str, Any] | None:
        """A coupon, None if the hub knows none that this channel may see."""
        return self._find(f"/v1/coupons/{quote(code)}")

    def balance(self, phone: str) -> int:
        """The points of the member with this phone, over all channels; 0 without a member."""
        member_id = self._member(phone)
        if member_id is None:
            return 0
        return self._request("GET", f"/v1/members/{member_id}/points?limit=1")["balance"]

    def orders(self, phone: str) -> list[dict[str, Any]]:
        """The newest orders of the member with this phone, over all channels."""
        member_id = self._member(phone)
        if member_id is None:
            return []
        return self._request("GET", f"/v1/members/{member_id}/orders")["items"]

    def command(self, path: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have something decided, once for each name. Raises `RefusedError`."""
        named = {"Idempotency-Key": name}
        return self._request("POST", path, json.dumps(body).encode(), headers=named)

    def end(self, path: str) -> None:
        """Delete what stands at a path. Raises `RefusedError`."""
        self._request("DELETE", path)

    def ask(self, path: str) -> dict[str, Any]:
        """What stands at a path. Raises `RefusedError`."""
        return self._request("GET", path)

    def _member(self, phone: str) -> str | None:
        body = json.dumps({"type": "phone", "value": phone}).encode()
        found = self._find("/v1/members/lookup", body)
        return found["members"][0]["member_id"] if found is not None else None

    def _find(self, path: str, body: bytes | None = None) -> dict[str, Any] | None:
        try:
            return self._request("POST" if body else "GET", path, body)
        except RefusedError as error:
            if error.where.endswith(" 404"):
                return None
            raise

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"} | (headers or {})
        if body is not None:
            headers["Content-Type"] = kind
        try:
            try:
                answer = self._sent(method, path, body, headers)
            except ConnectionError:
                # The server ends connections that were quiet for some seconds.
                self._connection.close()
                answer = self._sent(method, path, body, headers)
            text = answer.read()
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise RefusedError(f"no answer: {error}", where=f"{method} {path}") from error
        if answer.status >= 400:
            detail = text.decode(errors="replace")[:500]
            raise RefusedError(detail, where=f"{method} {path} {answer.status}")
        return json.loads(text) if text else {}

    def _sent(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        self._connection.request(method, path, body, headers)
        return self._connection.getresponse()
