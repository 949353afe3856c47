"""A made-up day of some 150 events in which everything that can go wrong with order does.

Each variant of the day is another one; the same variant is always the same bytes.
"""

import random
from itertools import count

from hub.domain import ids
from tests.event_maker import Shop, at, line

PLACES = ("xuhui", "pudong", "store-3")
SKUS = ("cake-6", "cake-8", "candle", "bread", "tea")
ACCOUNTS = 5
EVENTS_MIN = 120
GIFT = {"template": "cake", "valid_days": 30}
EXPIRIES = ("lapse", "refund")


class Day:
    """Collects the events of one variant."""

    def __init__(self, variant: int) -> None:
        self.chance = random.Random(variant)
        self.bodies: list[bytes] = []
        self.shops = [Shop("web", "1"), Shop("web", "2"), Shop("mini", "1"), Shop("store", "x")]
        self._refunds = count(1)

    def post(self, shop: Shop, kind: str, minute: float, /, **data: object) -> None:
        self.bodies.append(shop.body(kind, minute, **data))

    def minute(self, earliest: float = 0, latest: float = 600) -> float:
        # Quarters of an hour: many events happen at the same moment.
        return self.chance.randrange(int(earliest), int(latest), 15)


def events(variant: int) -> list[bytes]:
    """The bodies of the day's events."""
    day = Day(variant)
    _catalog(day)
    _members(day)
    for number in range(1, 15):
        _order(day, number)
    _stock(day)
    _points(day)
    for number in range(1, 9):
        _coupon(day, number)
    _people(day)
    _growth(day)
    _spending(day)
    assert len(day.bodies) >= EVENTS_MIN, len(day.bodies)
    return day.bodies


def _catalog(day: Day) -> None:
    for sku in SKUS[:3]:
        for name in ("old", "new"):
            data = {"sku": sku, "name": f"{name} {sku}", "attributes": {"shelf": name}}
            day.post(day.shops[0], "item.upserted", day.minute(), **data)
    for name in ("Xuhui", "徐汇"):
        data = {"place": "xuhui", "name": name, "kind": "store"}
        day.post(day.shops[3], "place.upserted", day.minute(), **data)


def _identifiers(day: Day) -> list[dict[str, str]]:
    """Identifiers of few people, in several spellings: chains of merges are sure to come."""
    person = day.chance.randrange(6)
    shown = [
        {"type": "phone", "value": f"1391234567{person}"},
        {"type": "phone", "value": f"+86 139 1234 567{(person + 1) % 6}"},
        {"type": "unionid", "value": f"u-{person}-x"},
        {"type": "email", "value": f"P{person}@example.com"},
        {"type": "phone", "value": "13800138000"},
    ]
    proofs = ("verified", "verified", "declared")
    return [
        identifier | {"proof": day.chance.choice(proofs)}
        for identifier in day.chance.sample(shown, day.chance.randint(1, 2))
    ]


def _members(day: Day) -> None:
    for shop in (day.shops[0], day.shops[2], day.shops[3]):
        for account in range(1, ACCOUNTS + 1):
            for kind in day.chance.sample(
                ("member.registered", "member.updated", "member.identified"),
                day.chance.randint(1, 2),
            ):
                day.post(
                    shop,
                    kind,
                    day.minute(),
                    account=f"a-{account}",
                    identifiers=_identifiers(day),
                    name=day.chance.choice(("王小明", "李雷")),
                    attributes={"level": day.chance.choice(("1", "2"))},
                )


def _people(day: Day) -> None:
    """What people rule about accounts, what members allow, and one who is forgotten."""
    shops = (day.shops[0], day.shops[2], day.shops[3])
    for kind in ("member.merged", "member.split", "member.split"):
        one, other = day.chance.sample(shops, 2)
        named = {"channel": other.channel, "account": f"a-{day.chance.randint(1, ACCOUNTS)}"}
        account = f"a-{day.chance.randint(1, ACCOUNTS)}"
        day.bodies.append(one.decision(kind, day.minute(), account=account, other=named))
    for granted in (True, False):
        data = {"account": "a-1", "purpose": "marketing", "medium": "sms", "granted": granted}
        day.post(shops[0], "member.consent_changed", day.minute(), **data)
    erased = f"a-{day.chance.randint(1, ACCOUNTS)}"
    day.bodies.append(shops[0].decision("member.erased", day.minute(200, 400), account=erased))


def _content(day: Day, number: int) -> dict[str, object]:
    lines = [
        line(
            n, day.chance.choice(SKUS), day.chance.randint(1, 3), day.chance.choice(("12.30", "7"))
        )
        for n in range(1, day.chance.randint(2, 4))
    ]
    lines[0]["discounts"] = [{"kind": "manual", "amount": "1.10"}]
    fen = sum(int(float(one["amount"]) * 100 + 0.5) for one in lines) - 110
    content: dict[str, object] = {
        "order_number": f"n-{number}",
        "currency": "CNY",
        "lines": lines,
        "total": f"{fen // 100}.{fen % 100:02d}",
    }
    if day.chance.random() < 0.85:
        content["buyer"] = {"account": f"a-{day.chance.randint(1, ACCOUNTS)}"}
    if day.chance.random() < 0.9:
        content["place"] = day.chance.choice(PLACES)
    return content


def _order(day: Day, number: int) -> None:
    # The same numbers at several shops: they are orders of their own.
    shop = day.chance.choice(day.shops)
    number = (number + 1) // 2
    content = _content(day, number)
    steps: list[tuple[str, dict[str, object]]] = [("order.placed", content)]
    steps += [(kind, _step(day, kind, number, content)) for kind in _happenings(day)]
    in_sequence = day.chance.random() < 0.2
    for place, (kind, data) in enumerate(steps):
        sequence = {"sequence": str(place)} if in_sequence else {}
        day.post(shop, kind, day.minute(60, 400), **data, **sequence)


def _happenings(day: Day) -> list[str]:
    likely = {
        "order.paid": 0.95,
        "order.amended": 0.35,
        "order.pickup_changed": 0.3,
        "order.shipped": 0.4,
        "order.picked_up": 0.4,
        "order.completed": 0.5,
        "order.cancelled": 0.3,
        "order.no_show": 0.1,
        "order.placed": 0.15,
        "return.received": 0.5,
        "refund.succeeded": 0.6,
    }
    return [
        kind
        for kind, likelihood in likely.items()
        for _ in range(2)
        if day.chance.random() < likelihood * (1 if kind == "order.paid" else 0.7)
    ]


def _step(day: Day, kind: str, number: int, content: dict[str, object]) -> dict[str, object]:
    named: dict[str, object] = {"order_number": f"n-{number}"}
    some = [{"line": "1", "quantity": str(day.chance.randint(1, 2))}]
    if kind in ("order.placed", "order.amended"):
        return _content(day, number)
    if kind == "order.paid":
        amount = day.chance.choice((content["total"], content["total"], "10.05"))
        payment = f"p-{day.chance.randint(1, 3)}"
        return named | {"amount": amount, "currency": "CNY", "method": "wx", "payment_id": payment}
    if kind == "refund.succeeded":
        amount = day.chance.choice((content["total"], "5.55", "0.70"))
        refund = f"r-{day.chance.randint(1, 3)}"
        return named | {"amount": amount, "currency": "CNY", "refund_id": refund}
    if kind in ("order.shipped", "order.picked_up"):
        return named | ({"lines": some} if day.chance.random() < 0.5 else {})
    if kind == "order.pickup_changed":
        return named | {"place": day.chance.choice(PLACES)}
    if kind == "return.received":
        return named | {"lines": some, "restock": day.chance.random() < 0.6}
    return named


def _stock(day: Day) -> None:
    for sku in SKUS:
        place = day.chance.choice(PLACES)
        shop = day.chance.choice(day.shops)
        for _ in range(2):
            data = {"sku": sku, "place": place, "quantity": str(day.chance.randint(0, 30))}
            measured = at(day.minute(0, 600)).isoformat()
            day.post(shop, "stock.counted", day.minute(), **data, measured_at=measured)
        data = {"sku": sku, "place": place, "quantity": "12.5"}
        day.post(shop, "stock.received", day.minute(), **data)
        data = {"sku": sku, "place": place, "delta": f"{day.chance.randint(-9, 9)}.125"}
        day.post(shop, "stock.adjusted", day.minute(), **data)
        data = {"sku": sku, "from_place": PLACES[0], "to_place": PLACES[1], "quantity": "2"}
        day.post(shop, "stock.transferred", day.minute(), **data)
    data = {"sku": "cake-6", "place": "xuhui", "quantity": "1"}
    day.post(day.shops[3], "stock.damaged", day.minute(), **data)


def _points(day: Day) -> None:
    for _ in range(14):
        kind, points = day.chance.choice(
            (
                ("points.earned", day.chance.randint(0, 40)),
                ("points.redeemed", day.chance.randint(1, 60)),
                ("points.adjusted", day.chance.randint(-30, 30)),
            )
        )
        shop = day.chance.choice((day.shops[0], day.shops[2], day.shops[3]))
        account = f"a-{day.chance.randint(1, ACCOUNTS)}"
        day.post(shop, kind, day.minute(), account=account, points=points)


def _spending(day: Day) -> None:
    """Spendings with points of several accounts, who may be one member, or not any more."""
    accounts = [(shop, f"a-{n}") for shop in (day.shops[0], day.shops[2]) for n in range(1, 4)]
    for number in range(3):
        (shop, account), (other, mate) = day.chance.sample(accounts, 2)
        used = [(shop, account, 10), (other, mate, day.chance.randint(1, 20))]
        shares = [
            {"profile_id": ids.text(ids.profile_id(one.channel, name)), "points": points}
            for one, name, points in used
        ]
        named = {"account": account, "order_number": f"s-{number}"}
        points = sum(one[2] for one in used)
        minute = day.minute(100, 500)
        day.bodies.append(
            shop.decision("points.spent", minute, **named, points=points, shares=shares)
        )
        if day.chance.random() < 0.5:
            back = {"order_number": f"s-{number}", "points": day.chance.randint(1, points)}
            day.post(shop, "points.returned", day.minute(500, 600), **back)


def _growth(day: Day) -> None:
    """What raises levels besides orders, a scheme with two versions, and reviews of it."""
    for _ in range(3):
        shop = day.chance.choice((day.shops[0], day.shops[2]))
        growth = {"account": f"a-{day.chance.randint(1, ACCOUNTS)}", "growth": 5}
        day.post(shop, "member.growth_earned", day.minute(), **growth)
    for version, minute in enumerate((-30, 200)):
        levels = [
            {"name": "silver", "threshold": 20, "points_factor_milli": 1500},
            {"name": "gold", "threshold": 60 - version, "gift": GIFT},
        ]
        document = {"basis": "growth", "levels": levels}
        said = {"kind": "tier_scheme", "name": "club", "document": document, "reason": "-"}
        day.bodies.append(day.shops[0].decision("config.published", minute, **said))
    for _ in range(3):
        shop = day.chance.choice((day.shops[0], day.shops[2]))
        profile = ids.text(ids.profile_id(shop.channel, f"a-{day.chance.randint(1, ACCOUNTS)}"))
        minute = day.minute()
        said = {"profile_id": profile, "scheme": "club", "through": at(minute).isoformat()}
        day.bodies.append(day.shops[0].decision("tier.reviewed", minute, **said))


def _coupon(day: Day, number: int) -> None:
    code = {"code": f"Cake-{number}"}
    # One that is never issued, and one that is issued twice.
    for _ in range({1: 0, 2: 2}.get(number, 1)):
        issued = {"kind": "exchange", "uses": day.chance.randint(1, 2), "face_value": "88"}
        sold = {"paid_amount": "79.99", "terms": {"on_expiry": day.chance.choice(EXPIRIES)}}
        owner = day.chance.choice(({"account": "a-1"}, {"recipient_phone": "13912345671"}, {}))
        data = code | issued | sold | owner | {"currency": "CNY"}
        day.post(day.shops[0], "coupon.issued", day.minute(0, 300), **data)
    for _ in range(day.chance.randint(0, 2)):
        account = f"a-{day.chance.randint(1, ACCOUNTS)}"
        day.post(day.shops[2], "coupon.claimed", day.minute(), **code, account=account)
    for use in range(day.chance.randint(1, 4)):
        data = {"code": f" cAKE-{number} ", "redemption_id": f"u-{use % 3}", "place": "xuhui"}
        if day.chance.random() < 0.3:
            data |= {"reservation_id": "r-1"}
        day.post(day.chance.choice(day.shops), "coupon.redeemed", day.minute(), **data)
    for _ in range(day.chance.randint(0, 2)):
        data = code | {"redemption_id": f"u-{day.chance.randint(0, 2)}"}
        shop = day.chance.choice(day.shops)
        day.post(shop, "coupon.redemption_reversed", day.minute(), **data)
    _coupon_held(day, code)
    for kind in ("coupon.frozen", "coupon.voided", "coupon.expired", "coupon.refunded"):
        if day.chance.random() < 0.35:
            day.post(day.shops[0], kind, day.minute(200, 600), **code, reason=kind)


def _coupon_held(day: Day, code: dict[str, str]) -> None:
    """Reservations and gifts, some of them let go of by who did not make them."""
    for name in ("r-1", "r-2"):
        if day.chance.random() < 0.5:
            held = {"reservation_id": name, "expires_at": at(day.minute()).isoformat()}
            day.post(day.shops[0], "coupon.reserved", day.minute(), **code, **held)
        if day.chance.random() < 0.3:
            shop = day.chance.choice(day.shops)
            day.post(shop, "coupon.released", day.minute(), **code, reservation_id=name)
    if day.chance.random() < 0.3:
        day.post(day.shops[0], "coupon.released", day.minute(), **code)
    if day.chance.random() < 0.3:
        receiver = day.chance.choice(({"account": "a-2"}, {"recipient_phone": "13912345672"}))
        day.post(day.shops[0], "coupon.transferred", day.minute(), **code, **receiver)
