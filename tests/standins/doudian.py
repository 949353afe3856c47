"""抖店: thin pushes in a list, and an API that tells an order's detail by its id."""

import hashlib
import json
from typing import Any

from tests.standins.platform import Platform, Push

KEY, SECRET, SHOP = "dd-key", "dd-secret", "7001"
OK = '{"code":0,"msg":"success"}'
PARENT = 4837328765348566675


def platform() -> Platform:
    detail = {
        "open_id": "dd-buyer",
        "order_amount": 18800,
        "mask_post_tel": "138******78",
        "sku_order_list": [
            {
                "order_id": str(PARENT + 1),
                "code": "cake-6",
                "item_num": 1,
                "origin_amount": 19800,
                "promotion_amount": 1000,
            }
        ],
    }
    created = {"order_type": 0, "pay_type": 1, "update_time": 1772337480, "s_ids": [PARENT + 1]}
    paid = {"order_type": 0, "pay_type": 4, "pay_amount": 18800, "pay_time": 1772337490}
    return Platform(
        "doudian",
        SHOP,
        {"app_key": KEY},
        {"signing": SECRET, "refresh": "dd-refresh"},
        lambda: [
            _push(("trade_TradeCreate", "c1", created), ("trade_TradePaid", "p1", paid)),
            _push(("trade_TradePaid", "p2", paid | {"pay_type": 0})),
        ],
        ["order.placed", "order.paid"],
        details={
            "/order/orderDetail": {"code": 10000, "data": {"shop_order_detail": detail}},
            "/token/refresh": {
                "code": 10000,
                "data": {"access_token": "dd-token", "refresh_token": "dd-refresh-2"},
            },
        },
        trials=[_push(("0", "t1", {}))],
    )


def _push(*messages: tuple[str, str, dict[str, Any]]) -> Push:
    own = {"p_id": PARENT, "shop_id": int(SHOP)}
    listed = [
        {"tag": tag, "msg_id": name, "data": json.dumps(own | said)} for tag, name, said in messages
    ]
    body = json.dumps(listed).encode()
    sign = hashlib.md5(KEY.encode() + body + SECRET.encode()).hexdigest()
    return Push(body, OK, {"event-sign": sign})
