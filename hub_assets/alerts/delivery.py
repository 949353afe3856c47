"""Sends one message to one address, with a timeout and a few tries. Not here: what it says."""

import json
import smtplib
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import EmailMessage
from http.client import HTTPException
from urllib.parse import parse_qs, unquote, urlsplit

from hub.errors import HubError
from hub_assets import web
from hub_assets.alerts import messages
from hub_assets.alerts.messages import Kind, Message

# Three tries with their pauses end well within the 60 s that Dagster gives a sensor.
TIMEOUT_S = 8.0
TRIES_MAX = 3
BACKOFF_S = 1.0
ANSWER_BYTES_MAX = 65_536
SMTP_PORT = 587
SMTPS_PORT = 465


class NotDelivered(HubError):
    """The alert could not be delivered; the next look tries again."""


@dataclass(frozen=True)
class Address:
    """Where a route leads. url: a secret in itself, never shown; secret: for signatures."""

    kind: Kind
    url: str
    secret: str = ""


def deliver(address: Address, said: Message) -> None:
    """Send it. Raises NotDelivered after the last try, without the address."""
    reason = ""
    for tried in range(TRIES_MAX):
        if tried:
            time.sleep(BACKOFF_S * tried)
        try:
            reason = _mail(address, said) if address.kind == "mail" else _post(address, said)
        except (OSError, HTTPException, smtplib.SMTPException, ValueError) as error:
            reason = _reason(error)
        if not reason:
            return
    raise NotDelivered(f"not delivered to {address.kind}: {reason}")


def _post(address: Address, said: Message) -> str:
    """Why it was refused; empty if it was taken."""
    kind, secret, now = address.kind, address.secret, int(time.time())
    given, url = messages.body(kind, said), address.url
    if secret:
        given = messages.signed_body(kind, given, secret, now)
        url = messages.signed_url(kind, url, secret, now)
    content = json.dumps(given, ensure_ascii=False).encode()
    headers = messages.signed_headers(kind, said.message_id, content, secret, now)
    request = urllib.request.Request(
        url, content, {"Content-Type": "application/json; charset=utf-8"} | headers
    )
    answer = web.ask(request, TIMEOUT_S, ANSWER_BYTES_MAX)
    return "" if messages.is_taken(kind, _object(answer)) else "the robot refused it"


def _mail(address: Address, said: Message) -> str:
    """By `smtp[s]://account:password@host:port/?from=…&to=…[,…]`; STARTTLS where it is offered."""
    place = urlsplit(address.url)
    asked = parse_qs(place.query)
    if place.scheme not in ("smtp", "smtps") or not {"from", "to"} <= asked.keys():
        return "its address is not smtp[s]://host/?from=…&to=…"
    mail = EmailMessage()
    mail["From"], mail["To"] = asked["from"][0], ", ".join(asked["to"])
    given = messages.body("mail", said)
    mail["Subject"] = given["subject"]
    mail["X-Message-Id"] = said.message_id
    mail.set_content(given["text"])
    is_tls = place.scheme == "smtps"
    connect = smtplib.SMTP_SSL if is_tls else smtplib.SMTP
    port = place.port or (SMTPS_PORT if is_tls else SMTP_PORT)
    with connect(place.hostname or "", port, timeout=TIMEOUT_S) as server:
        server.ehlo()
        if not is_tls and server.has_extn("starttls"):
            server.starttls()
            is_tls = True
        if place.username:
            if not is_tls:
                return "the server offers no TLS, and a password is not sent without"
            server.login(unquote(place.username), unquote(place.password or ""))
        server.send_message(mail)
    return ""


def _object(answer: bytes) -> dict[str, object]:
    try:
        found = json.loads(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _reason(error: Exception) -> str:
    """What went wrong without the address, which a message of an error may hold."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    return type(error).__name__
