"""A change in words, and in the body that each kind of receiver takes. Pure.

The shapes are those of the receivers' own robots: WeCom and DingTalk take Markdown, Feishu and
Slack plain text. A message names what failed and how many rows, never a row.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from hub_assets.alerts.changes import Change

Kind = Literal["webhook", "wecom", "feishu", "dingtalk", "slack", "mail"]
Language = Literal["en", "zh"]
TEXT_MAX = 1500
"""WeCom takes 4,096 bytes; three a Chinese character."""
WORDS = {
    "en": {"failing": "Failing", "recovered": "Recovered", "rows": "{} rows fail", "at": "at {}"},
    "zh": {"failing": "检查失败", "recovered": "已恢复", "rows": "{} 行不符", "at": "时间 {}"},
}


@dataclass(frozen=True)
class Message:
    """What is said of a change."""

    message_id: str
    title: str
    lines: tuple[str, ...]
    change: Change

    @property
    def text(self) -> str:
        """Title and lines."""
        return "\n".join([self.title, *self.lines])[:TEXT_MAX]


def message(change: Change, language: Language, zone: ZoneInfo, link: str) -> Message:
    """The change in words. link: of the page that shows it, or empty."""
    seen, words = change.seen, WORDS[language]
    at = datetime.fromtimestamp(seen.at, zone).strftime("%Y-%m-%d %H:%M:%S %Z")
    lines = [
        seen.words.strip() if change.state == "failing" else "",
        words["rows"].format(seen.rows) if change.state == "failing" and seen.rows else "",
        words["at"].format(at),
        link,
    ]
    title = f"{words[change.state]}: {seen.name} ({seen.asset})"
    return Message(change.message_id, title, tuple(line for line in lines if line), change)


def body(kind: Kind, said: Message) -> dict[str, Any]:
    """The JSON that a receiver of this kind takes; for mail its subject and text."""
    match kind:
        case "wecom":
            return {"msgtype": "markdown", "markdown": {"content": _markdown(said)}}
        case "dingtalk":
            return {
                "msgtype": "markdown",
                "markdown": {"title": said.title, "text": _markdown(said)},
            }
        case "feishu":
            return {"msg_type": "text", "content": {"text": said.text}}
        case "slack":
            return {"text": _escaped(said.text)}
        case "mail":
            return {"subject": said.title, "text": said.text}
        case "webhook":
            return _event(said)


def is_taken(kind: Kind, answer: dict[str, Any]) -> bool:
    """Whether the receiver took it: robots answer 200 to what they refuse, with a code."""
    code = {"wecom": "errcode", "dingtalk": "errcode", "feishu": "code"}.get(kind)
    return code is None or answer.get(code, answer.get("StatusCode")) == 0


def signed_body(kind: Kind, given: dict[str, Any], secret: str, at_s: int) -> dict[str, Any]:
    """The body with the signature that a Feishu robot wants in it; others want none there."""
    if kind != "feishu":
        return given
    key = f"{at_s}\n{secret}".encode()
    sign = base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
    return {"timestamp": str(at_s), "sign": sign} | given


def signed_url(kind: Kind, url: str, secret: str, at_s: int) -> str:
    """The address with the signature that a DingTalk robot wants in it; others want none there."""
    if kind != "dingtalk":
        return url
    at_ms = at_s * 1000
    digest = hmac.new(secret.encode(), f"{at_ms}\n{secret}".encode(), hashlib.sha256).digest()
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}timestamp={at_ms}&sign={quote_plus(base64.b64encode(digest))}"


def signed_headers(
    kind: Kind, message_id: str, content: bytes, secret: str, at_s: int
) -> dict[str, str]:
    """Headers of Standard Webhooks; a signature if there is a secret (`whsec_` and base64)."""
    if kind != "webhook":
        return {}
    headers = {"webhook-id": message_id, "webhook-timestamp": str(at_s)}
    if secret:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{message_id}.{at_s}.".encode() + content
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
    return headers


def _markdown(said: Message) -> str:
    return f"**{said.title}**\n\n" + "\n\n".join(said.lines)[:TEXT_MAX]


def _escaped(text: str) -> str:
    """Slack's three signs with a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _event(said: Message) -> dict[str, Any]:
    seen = said.change.seen
    return {
        "type": f"check.{said.change.state}",
        "id": said.message_id,
        "asset": seen.asset,
        "check": seen.name,
        "at": datetime.fromtimestamp(seen.at, ZoneInfo("UTC")).isoformat(),
        "rows": seen.rows,
        "title": said.title,
        "text": said.text,
    }
