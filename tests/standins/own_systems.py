"""Systems of the business itself: its website, tills, CRM and ERP, and 抖音来客's vouchers."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from standardwebhooks import Webhook

from tests.standins.platform import Platform, Push

WEBSITE_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
LAIKE_OK = '{"code":0,"msg":"success"}'
LAIKE_CODE = "DY-8842-1001"


def website() -> Platform:
    def push(event_id: str, said: dict[str, Any]) -> Push:
        now = datetime.now(UTC)
        body = json.dumps({"timestamp": now.isoformat()} | said).encode()
        headers = {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(WEBSITE_SECRET).sign(event_id, now, body.decode()),
        }
        return Push(body, "{}", headers, status=202)

    return Platform(
        "website",
        "main",
        {},
        {"signing": WEBSITE_SECRET},
        lambda: [push("w1", {"type": "order.completed", "data": {"order_number": "W-1"}})],
        ["order.completed"],
        trials=[push("w0", {"type": "ping"})],
    )


def till() -> Platform:
    def push(*tickets: dict[str, Any]) -> Push:
        body = json.dumps({"tickets": tickets}).encode()
        said = hmac.new(b"till-key", body, hashlib.sha256).digest()
        headers = {"X-Till-Signature": base64.b64encode(said).decode()}
        return Push(body, '{"ok":true}', headers)

    closed = {"closed_at": "2026-03-01 11:58:00", "ticket": "X-7"}
    items = [{"barcode": "cake-6", "quantity": 2, "price": 188.0, "discount": "1.00"}]
    sale = {"kind": "sale", "total": 375, "method": "微信", "items": items}
    return Platform(
        "store_till",
        "xuhui",
        {"place_prefix": "store-"},
        {"signing": "till-key"},
        lambda: [push(closed | sale)],
        ["order.placed", "order.paid", "order.picked_up"],
    )


def crm() -> Platform:
    def push(*changes: dict[str, Any]) -> Push:
        stamp = str(int(time.time() * 1000))
        body = json.dumps({"changes": changes}, ensure_ascii=False).encode()
        said = hmac.new(b"crm-key", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return Push(body, '{"errcode":0}', {"x-crm-time": stamp, "x-crm-signature": said})

    told = {"member_no": "00017", "changed_at": "2026-03-01 11:58:00"}
    member = {"change_id": 1, "change": "member_created", "name": "王小明", "phone": "13912345678"}
    points = {"change_id": 2, "change": "points_earned", "points": 30}
    return Platform(
        "crm_generic",
        "hq",
        {},
        {"signing": "crm-key"},
        lambda: [push(told | member, told | points)],
        ["member.updated", "points.earned"],
    )


def erp() -> Platform:
    def push(*documents: dict[str, Any]) -> Push:
        params = {"appkey": "erp", "data": json.dumps(documents), "empty": "", "v": "2"}
        known = "&".join(f"{k}={v}" for k, v in sorted(params.items()) if v)
        params["sign"] = hashlib.md5(f"{known}&key=erp-key".encode()).hexdigest().upper()
        body = "&".join(f"{k}={quote(v)}" for k, v in params.items()).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return Push(body, '{"flag":"success"}', headers)

    told = {"doc_time": "2026-03-01 11:58:00", "sku": "cake-6", "warehouse": "w1"}
    return Platform(
        "erp_stock",
        "hq",
        {},
        {"signing": "erp-key"},
        lambda: [push(told | {"doc_no": "K1", "method": "stock.count", "quantity": "7"})],
        ["stock.counted"],
    )


def laike_push(kind: str, name: str, said: dict[str, Any], reply: str = LAIKE_OK) -> Push:
    """A push of 抖音来客; of a question `reply` is the answer it waits for."""
    content = json.dumps({"time": 1772337480} | said)
    body = json.dumps({"event": kind, "msg_id": name, "content": content}).encode()
    sign = hashlib.sha256(b"laike" + body).hexdigest()
    return Push(body, reply, {"X-Douyin-Signature": sign})


class LaikeVouchers:
    """抖音来客's API for vouchers: each is verified once. lost: calls whose answer is lost next."""

    def __init__(self) -> None:
        self.uses: dict[str, str] = {}
        self.calls: list[str] = []
        self.lost: list[str] = []

    def details(self) -> dict[str, Any]:
        base = "/goodlife/v1/fulfilment/certificate"
        names = {"prepare": "prepare", "verify": "verify", "get": "query", "cancel": "cancel"}
        return {f"{base}/{path}/": partial(self._call, name) for path, name in names.items()}

    def _call(self, name: str, said: dict[str, Any]) -> dict[str, Any] | None:
        self.calls.append(name)
        answer = getattr(self, f"_{name}")(said)
        if name in self.lost:
            self.lost.remove(name)
            return None
        return {"data": answer}

    def _prepare(self, said: dict[str, Any]) -> dict[str, Any]:
        is_used = said["code"] in self.uses
        return {"error_code": 1} if is_used else {"error_code": 0, "verify_token": said["code"]}

    def _verify(self, said: dict[str, Any]) -> dict[str, Any]:
        assert said["verify_token"] == said["code"]
        if said["code"] in self.uses:
            return {"error_code": 1}
        self.uses[said["code"]] = said["verify_id"]
        return {"error_code": 0}

    def _query(self, said: dict[str, Any]) -> dict[str, Any]:
        is_verified = self.uses.get(said["code"]) == said["verify_id"]
        return {"error_code": 0, "state": "verified" if is_verified else "unused"}

    def _cancel(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"error_code": 0 if self.uses.pop(said["code"], None) else 1}


def laike() -> Platform:
    used = {"code": LAIKE_CODE, "verify_id": "v", "original_amount": 19800}
    sold = {
        "code": LAIKE_CODE,
        "sku_id": 1,
        "original_amount": 19800,
        "pay_amount": 16800,
        "order_id": 5,
    }
    trial = json.dumps({"event": "verify_webhook", "content": {"challenge": 71}}).encode()
    return Platform(
        "douyin_laike",
        "main",
        {"app_id": "tt1", "api": "http://127.0.0.1:9"},
        {"signing": "laike", "token": "laike-token"},
        lambda: [
            laike_push("life_certificate_issue", "i1", sold | {"expire_time": 1893456000}),
            laike_push("life_certificate_verify", "v1", used),
        ],
        ["coupon.issued", "coupon.redeemed"],
        trials=[Push(trial, '{"challenge":71}')],
    )
