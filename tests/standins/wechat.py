"""微信: pushes under AES-CBC with a signature over the ciphertext; a mini-program and a shop."""

import base64
import hashlib
import json
import time
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.standins.platform import Platform, Push

TOKEN, APP = "wx-token", "wx-app"
KEY = bytes(range(32))
ENCODED_KEY = base64.b64encode(KEY).decode().rstrip("=")
ORDER = 3705115058471208928


def miniprogram() -> Platform:
    bound = {"countryCode": "86", "purePhoneNumber": "13912345678", "nickName": "微信用户"}
    return Platform(
        "wechat_miniprogram",
        "main",
        {"app_id": APP, "open_platform": "bakery"},
        {"signing": TOKEN, "encryption": ENCODED_KEY},
        lambda: [
            _push({"Event": "user_bind_phone", "FromUserName": "o1"} | bound),
            _push({"Event": "user_unionid", "FromUserName": "o1", "unionid": "u1"}),
        ],
        ["member.identified", "member.identified"],
        trials=[_echo()],
    )


def shop() -> Platform:
    order = {
        "openid": "o7",
        "order_detail": {
            "product_infos": [
                {"sku_id": 1, "sku_code": "cake-6", "sku_cnt": 2, "sale_price": 9900}
            ],
            "price_info": {"order_price": 19800},
            "pay_info": {"transaction_id": "4200001234"},
        },
    }
    told = {"order_info": {"order_id": ORDER, "pay_time": 1772337490}, "FromUserName": "shop"}
    return Platform(
        "wechat_shop",
        "main",
        {"app_id": APP},
        {"signing": TOKEN, "encryption": ENCODED_KEY, "app_secret": "wx-app-secret"},
        lambda: [
            _push({"Event": "channels_ec_order_new"} | told),
            _push({"Event": "channels_ec_order_pay"} | told),
        ],
        ["order.placed", "order.paid"],
        details={
            "/channels/ec/order/get": {"errcode": 0, "order": order},
            "/cgi-bin/stable_token": {"access_token": "wx-access", "expires_in": 7200},
        },
        trials=[_echo()],
    )


def _signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted((TOKEN, *parts))).encode()).hexdigest()


def _push(said: dict[str, Any]) -> Push:
    stamp, nonce = str(int(time.time())), "n-1"
    message = json.dumps(said | {"ToUserName": "gh", "CreateTime": 1772337480}).encode()
    cipher = _encrypted(message)
    query = {"timestamp": stamp, "nonce": nonce, "encrypt_type": "aes"}
    query["msg_signature"] = _signature(stamp, nonce, cipher)
    return Push(json.dumps({"ToUserName": "gh", "Encrypt": cipher}).encode(), "success", {}, query)


def _echo() -> Push:
    stamp = str(int(time.time()))
    query = {"timestamp": stamp, "nonce": "n", "echostr": "8120391"}
    return Push(b"", "8120391", {}, query | {"signature": _signature(stamp, "n")}, "GET")


def _encrypted(message: bytes) -> str:
    whole = b"0123456789abcdef" + len(message).to_bytes(4, "big") + message + APP.encode()
    count = 32 - len(whole) % 32
    writer = Cipher(algorithms.AES(KEY), modes.CBC(KEY[:16])).encryptor()
    sealed = writer.update(whole + bytes([count]) * count) + writer.finalize()
    return base64.b64encode(sealed).decode()
