"""The body of a post of events, for the OpenAPI page. What is checked: `hub.domain.events`."""

from typing import Any

from hub.domain import payloads
from hub_api.intake import BATCHED, PLAIN, STRUCTURED
from hub_api.limits import BATCH_EVENTS_MAX

EXAMPLE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "evt-1001",
    "source": "/channels/website/shops/main",
    "type": "order.placed",
    "time": "2025-03-01T10:15:00+08:00",
    "subject": "W-2025-0001",
    "data": {
        "order_number": "W-2025-0001",
        "currency": "CNY",
        "buyer": {"account": "u-17"},
        "lines": [
            {
                "line": "1",
                "sku": "CAKE-6",
                "quantity": "1",
                "unit_price": "168.00",
                "amount": "168.00",
                "discounts": [{"kind": "coupon", "amount": "20.00", "coupon": "SPRING20"}],
            }
        ],
        "total": "148.00",
    },
}
EVENT: dict[str, Any] = {
    "type": "object",
    "title": "CloudEvent",
    "description": "`data` of each type: see /asyncapi.json",
    "required": ["specversion", "id", "source", "type", "time", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 128},
        "source": {"type": "string", "pattern": "^/channels/[^/]+/shops/[^/]+$"},
        "type": {"enum": sorted(payloads.BY_TYPE)},
        "time": {"type": "string", "format": "date-time", "description": "RFC 3339 with zone"},
        "subject": {"type": "string"},
        "sequence": {"type": ["string", "integer"]},
        "data": {"type": "object"},
    },
    "example": EXAMPLE,
}
BATCH: dict[str, Any] = {"type": "array", "minItems": 1, "maxItems": BATCH_EVENTS_MAX}
REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            PLAIN: {"schema": {"oneOf": [EVENT, BATCH | {"items": EVENT}]}},
            STRUCTURED: {"schema": EVENT},
            BATCHED: {"schema": BATCH | {"items": EVENT}},
        },
    }
}
