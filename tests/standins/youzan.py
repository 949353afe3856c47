"""有赞: MD5 over client_id, the raw body and client_secret, and the older recipe over `msg`."""

import hashlib
import json
from typing import Any
from urllib.parse import quote

from tests.standins.platform import Platform, Push

CLIENT, SECRET, KDT = "yz-client", "yz-secret", 40419900
OK = '{"code":0,"msg":"success"}'
NUMBER = "E20260301115800001"


def platform() -> Platform:
    paid = {"update_time": "2026-03-01 11:59:00", "tid": NUMBER, "payment": "188.00"}
    return Platform(
        "youzan",
        str(KDT),
        {"client_id": CLIENT},
        {"signing": SECRET},
        lambda: [
            _push("trade_TradeCreate", _order()),
            _push("trade_TradePaid", paid | {"pay_type": "WEIXIN", "transaction": "42000012"}),
            _older("trade_TradeSuccess", {"update_time": "2026-03-02 09:00:00", "tid": NUMBER}),
        ],
        ["order.placed", "order.paid", "order.completed"],
        trials=[_push("trade_TradePaid", {}, test=True)],
    )


def _order() -> dict[str, Any]:
    line = {"oid": 7, "outer_sku_id": "cake-6", "sku_id": 4837328765348566675, "num": 1}
    return {
        "tid": NUMBER,
        "update_time": "2026-03-01 11:58:00",
        "payment": "188.00",
        "receiver_tel": "$ciphertext$",
        "orders": [line | {"price": "198.00", "discount": "10.00"}],
    }


def _message(kind: str, said: dict[str, Any], test: bool) -> dict[str, Any]:
    return {
        "id": f"{kind}-{NUMBER}",
        "kdt_id": KDT,
        "type": kind,
        "mode": 1,
        "test": test,
        "msg": quote(json.dumps(said)),
    }


def _push(kind: str, said: dict[str, Any], test: bool = False) -> Push:
    body = json.dumps(_message(kind, said, test)).encode()
    sign = hashlib.md5(CLIENT.encode() + body + SECRET.encode()).hexdigest()
    return Push(body, OK, {"Event-Sign": sign})


def _older(kind: str, said: dict[str, Any]) -> Push:
    message = _message(kind, said, test=False)
    sign = hashlib.md5(f"{CLIENT}{message['msg']}{SECRET}".encode()).hexdigest()
    return Push(json.dumps(message | {"sign": sign}).encode(), OK)
