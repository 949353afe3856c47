"""A made-up day of some 150 events in which everything that can go wrong with order does.

Each variant of the day is another one; the same variant is always the same bytes.
"""

import random
from itertools import count
from typing import Any

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
    _platforms_coupon(day)
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
    _bundles(day)
    for name in ("Xuhui", "徐汇"):
        data = {"place": "xuhui", "name": name, "kind": "store"}
        day.post(day.shops[3], "place.upserted", day.minute(), **data)


def _bundles(day: Day) -> None:
    """Items that are bundles for a time, shops that one place or another serves, and items that
    have to be described before they take stock."""
    for parts in ([("candle", "2")], [("candle", "1.5"), ("bread", "1")], []):
        named = [{"sku": sku, "quantity": quantity} for sku, quantity in parts]
        data = {"sku": "cake-8", "name": "cake-8", "components": named}
        day.post(day.shops[0], "item.upserted", day.minute(), **data)
    if day.chance.random() < 0.7:
        day.post(day.shops[1], "item.upserted", day.minute(), sku="bread", name="bread")
    for _ in range(2):
        places = day.chance.sample(PLACES, 2)
        said = {"shop_places": ("web/1", {"places": places, "pickup": places[1]})}
        said["unknown_items"] = ("web", {"stock": day.chance.choice(("wait", "wait", "take"))})
        for kind, (name, document) in said.items():
            data = {"kind": kind, "name": name, "document": document, "reason": "-"}
            day.bodies.append(day.shops[0].decision("config.published", day.minute(), **data))


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
    _policies(day)
    erased = f"a-{day.chance.randint(1, ACCOUNTS)}"
    day.bodies.append(shops[0].decision("member.erased", day.minute(200, 400), account=erased))


def _policies(day: Day) -> None:
    """By whom people are one changes while they come: who shares a phone is, then nobody is."""
    for version, (phone, email) in enumerate(((True, False), (day.chance.random() < 0.5, True))):
        types = [{"type": "unionid"}, {"type": "phone", "joins": phone, "profiles_max": 3},
                 {"type": "email", "joins": email}]  # fmt: skip
        document = {"version": f"day-{version}", "types": types}
        said = {"kind": "matching_policy", "name": "default", "document": document, "reason": "-"}
        minute = day.minute(100 + 200 * version, 200 + 200 * version)
        day.bodies.append(day.shops[0].decision("config.published", minute, **said))


def _content(day: Day, number: int) -> dict[str, object]:
    lines = [
        line(
            n, day.chance.choice(SKUS), day.chance.randint(1, 3), day.chance.choice(("12.30", "7"))
        )
        for n in range(1, day.chance.randint(2, 4))
    ]
    lines[0]["discounts"] = [{"kind": "manual", "amount": "1.10"}]
    lines[0]["made_to_order"] = day.chance.random() < 0.3
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
    return content | _terms(day, number, fen)


def _terms(day: Day, number: int, total_fen: int) -> dict[str, object]:
    """How it is paid for, picked up, split and reported, where that is out of the ordinary."""
    yuan = total_fen // 200
    due = at(day.minute(100, 600)).isoformat()
    likely: dict[str, tuple[float, object]] = {
        "tenders": (0.2, [{"kind": "points", "amount": f"{yuan}.00", "points": 301}]),
        "payment_terms": (0.1, "on_delivery"),
        "deposit": (
            0.15,
            {
                "kind": day.chance.choice(("earnest", "refundable")),
                "amount": "2.00",
                "balance_due_at": due,
            },
        ),
        "pickup": (0.2, {"slot_from": at(600).isoformat(), "slot_until": at(660).isoformat()}),
        "session": (0.1, {"session_id": "live-1", "anchor": "xiaomei"}),
        "parent": (0.1, f"n-{number % 7 + 1}"),
        "children": (0.05, [f"n-{number + 20}"]),
        "origin": (0.1, {"channel": "web", "shop": "1", "order_number": f"n-{number + 30}"}),
    }
    chosen = {name: value for name, (odds, value) in likely.items() if day.chance.random() < odds}
    if chosen.get("parent") == f"n-{number}":
        del chosen["parent"]
    return chosen


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
        "refund.processing": 0.4,
        "refund.failed": 0.3,
        "payment.captured": 0.3,
        "payment.settled": 0.2,
        "order.delivered": 0.4,
        "aftersale.requested": 0.3,
        "aftersale.approved": 0.3,
        "aftersale.closed": 0.2,
        "aftersale.exchanged": 0.2,
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
    if kind.partition(".")[0] in ("payment", "refund", "aftersale") or kind == "order.paid":
        return named | _money(day, kind, str(content["total"]))
    if kind == "order.cancelled":
        fault = {"fault": day.chance.choice(("buyer", "merchant"))}
        return named | fault | ({"lines": some} if day.chance.random() < 0.5 else {})
    if kind in ("order.shipped", "order.picked_up"):
        return named | ({"lines": some} if day.chance.random() < 0.5 else {})
    if kind == "order.pickup_changed":
        return named | {"place": day.chance.choice(PLACES)}
    if kind == "return.received":
        return named | {"lines": some, "restock": day.chance.choice((True, True, False, None))}
    return named


def _money(day: Day, kind: str, total: str) -> dict[str, Any]:
    """Payments, refunds and after-sale: often the same again, or more than there was."""
    currency: dict[str, Any] = {"currency": "CNY"}
    if kind in ("order.paid", "payment.captured"):
        amount = day.chance.choice((total, total, "10.05"))
        payment = f"p-{day.chance.randint(1, 3)}"
        return currency | {"amount": amount, "method": "wx", "payment_id": payment}
    if kind == "payment.settled":
        return currency | {"payment_id": "p-1", "amount": "10.05", "fee": "0.06"}
    if kind.startswith("refund."):
        amount = day.chance.choice((total, "5.55", "0.70"))
        refund = f"r-{day.chance.randint(1, 3)}"
        how = {"kind": day.chance.choice(("refund", "refund", "compensation"))}
        return currency | how | {"amount": amount, "refund_id": refund}
    return {"aftersale_id": f"as-{day.chance.randint(1, 2)}", "kind": "exchange"}


def _stock(day: Day) -> None:
    for sku in SKUS:
        place = day.chance.choice(PLACES)
        shop = day.chance.choice(day.shops)
        for _ in range(2):
            data = {"sku": sku, "place": place, "quantity": str(day.chance.randint(0, 30))}
            measured = at(day.minute(0, 600)).isoformat()
            day.post(shop, "stock.counted", day.minute(), **data, measured_at=measured)
        data = {"sku": sku, "place": place, "quantity": "12.5"}
        if day.chance.random() < 0.5:
            data |= {"batch": "b-1", "best_before": at(day.minute(200, 600)).isoformat()}
        day.post(shop, "stock.received", day.minute(), **data)
        data = {"sku": sku, "place": place, "delta": f"{day.chance.randint(-9, 9)}.125"}
        day.post(shop, "stock.adjusted", day.minute(), **data)
        data = {"sku": sku, "from_place": PLACES[0], "to_place": PLACES[1], "quantity": "2"}
        day.post(shop, "stock.transferred", day.minute(), **data)
    _stock_aside(day)
    _stock_allotted(day)


def _stock_aside(day: Day) -> None:
    """Goods that cannot be sold, and goods that are on their way."""
    data = {"sku": "cake-6", "place": "xuhui", "quantity": "1"}
    for kind in ("stock.damaged", "stock.blocked", "stock.unblocked"):
        day.post(day.shops[3], kind, day.minute(), **data)
    data = {"sku": "bread", "place": PLACES[1], "quantity": "1", "written_off": "0.5"}
    day.post(day.shops[3], "stock.inspected", day.minute(), **data)
    for number in range(3):
        data = {"transfer_id": f"t-{number}", "sku": "tea", "to_place": PLACES[1]}
        out = data | {"from_place": PLACES[0], "quantity": "10"}
        day.post(day.shops[0], "stock.dispatched", day.minute(), **out)
        for kind in ("stock.arrived", "stock.lost")[: day.chance.randint(0, 2)]:
            told = data | {"quantity": str(day.chance.randint(4, 6))}
            day.post(day.shops[3], kind, day.minute(), **told)


def _stock_allotted(day: Day) -> None:
    """What is kept for channels and live sessions, what they say of it, and sessions that end."""
    shops = (day.shops[0], day.shops[2])
    for sku in ("candle", "bread"):
        for session in ({}, {"session": "live-1"}):
            for shop in day.chance.sample(shops, day.chance.randint(1, 2)):
                named = {"sku": sku, "place": day.chance.choice(PLACES), **session}
                kept = named | {"channel": shop.channel, "quantity": "3", "buffer": "0.5"}
                day.bodies.append(shop.decision("allotment.set", day.minute(), **kept))
                day.post(shop, "allotment.confirmed", day.minute(), **named, quantity="2")
    for shop in shops:
        day.post(shop, "session.opened", day.minute(), session="live-1")
        if day.chance.random() < 0.5:
            day.post(shop, "session.closed", day.minute(), session="live-1")


def _held(day: Day) -> None:
    """Reservations of orders, some of which were placed: made, and ended in more than one way."""
    for number in range(1, 9):
        shop = day.chance.choice(day.shops)
        named = {"order_number": f"n-{number}"}
        items = [{"sku": day.chance.choice(SKUS), "quantity": "1"} for _ in range(2)]
        until = at(day.minute(100, 600)).isoformat()
        wanted = {"place": day.chance.choice(PLACES), "items": items, "expires_at": until}
        for _ in range(day.chance.randint(1, 2)):
            made = shop.decision("reservation.created", day.minute(0, 300), **named, **wanted)
            day.bodies.append(made)
        for kind in day.chance.sample(("committed", "released", "expired"), 2):
            end = shop.decision(f"reservation.{kind}", day.minute(100, 600), **named)
            day.bodies.append(end)


def _spent(day: Day) -> None:
    """Points spent on orders by the hub's word and by the channel's, which differ at times."""
    profiles = [
        ids.text(ids.profile_id(shop.channel, f"a-{account}"))
        for shop in (day.shops[0], day.shops[2])
        for account in range(1, ACCOUNTS + 1)
    ]
    for number in range(1, 6):
        shop = day.chance.choice((day.shops[0], day.shops[2]))
        points = day.chance.randint(1, 20)
        named = {"order_number": f"n-{number}", "account": f"a-{day.chance.randint(1, ACCOUNTS)}"}
        shares = [{"profile_id": day.chance.choice(profiles), "points": points}]
        taking = named | {"points": points, "shares": shares}
        if day.chance.random() < 0.5:
            day.bodies.append(shop.decision("points.spent", day.minute(), **taking))
        else:
            hold = {"hold_id": "h-1"}
            over = {"expires_at": at(500).isoformat()}
            day.bodies.append(shop.decision("hold.placed", day.minute(), **taking, **hold, **over))
            how = {"order_number": named["order_number"]} | hold
            captured = shop.decision("hold.captured", day.minute(), **how, points=points)
            day.bodies += [captured, shop.decision("hold.voided", day.minute(), **how)]
        if day.chance.random() < 0.5:
            said = day.chance.choice((points, points + 1))
            day.post(shop, "points.redeemed", day.minute(), **named, points=said)


def _handled(day: Day) -> None:
    """A case that somebody opened and settled twice, and an approval that two ended."""
    house = Shop("", "")
    case = {"case_id": ids.text(ids.derived("case", b"1")), "by": "key-1", "reason": "-"}
    about = {"object_kind": "order", "object_key": "web/1/n-1"}
    day.bodies.append(house.decision("case.opened", day.minute(), **case, **about))
    for known in ({"reason": "-"}, {"reason": "another"}):
        settled = {"action": "confirmed", "known": known}
        day.bodies.append(house.decision("case.settled", day.minute(), **case, **settled))
    day.bodies.append(house.decision("case.assigned", day.minute(), **case, assignee="li.na"))
    named = {"approval_id": ids.text(ids.derived("approval", b"1"))}
    waits = {"type": "case.noted", "channel": "", "shop": "", "subject": "", "data": case}
    asked = {"ledger": "points", "amount": 1, "decisions": [waits], "by": "key-1", "reason": "-"}
    day.bodies.append(house.decision("approval.asked", day.minute(), **named, **asked))
    for kind, by in (("granted", "key-1"), ("declined", "key-2"), ("granted", "key-3")):
        ended = house.decision(f"approval.{kind}", day.minute(), **named, by=by)
        day.bodies.append(ended)


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
        named = {"account": account, "order_number": f"n-{number + 1}"}
        points = sum(one[2] for one in used)
        minute = day.minute(100, 500)
        day.bodies.append(
            shop.decision("points.spent", minute, **named, points=points, shares=shares)
        )
        if day.chance.random() < 0.5:
            back = {"order_number": f"n-{number + 1}", "points": day.chance.randint(1, points)}
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
        terms = {"on_expiry": day.chance.choice(EXPIRIES), "once_per_person": number > 4}
        sold = {"paid_amount": "79.99", "terms": terms, "template": "cake"}
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
        if day.chance.random() < 0.6:
            data |= {"order_number": f"n-{day.chance.randint(1, 7)}"}
        if day.chance.random() < 0.5:
            data |= {"account": f"a-{day.chance.randint(1, ACCOUNTS)}"}
        day.post(day.chance.choice(day.shops), "coupon.redeemed", day.minute(), **data)
    for _ in range(day.chance.randint(0, 2)):
        data = code | {"redemption_id": f"u-{day.chance.randint(0, 2)}"}
        shop = day.chance.choice(day.shops)
        day.post(shop, "coupon.redemption_reversed", day.minute(), **data)
    _coupon_held(day, code)
    for kind in ("coupon.frozen", "coupon.voided", "coupon.expired", "coupon.refunded"):
        if day.chance.random() < 0.35:
            more = {"amount": "79.99", "currency": "CNY"} if kind == "coupon.refunded" else {}
            day.post(day.shops[0], kind, day.minute(200, 600), **code, **more, reason=kind)


def _platforms_coupon(day: Day) -> None:
    """Calls of a platform about two uses, some never answered, some not possible at that time."""
    code = {"code": "DY-1"}
    day.post(day.shops[2], "coupon.issued", day.minute(0, 300), **code, kind="platform", uses=2)
    for number in range(12):
        shop = day.chance.choice(day.shops[:2])
        use = code | {"verification_id": f"v-{day.chance.randint(1, 2)}", "call_id": f"c-{number}"}
        call = day.chance.choice(("prepare", "verify", "query", "cancel"))
        minute = day.minute(100, 500)
        said = shop.decision("coupon.verification_called", minute, **use, call=call, account="a-1")
        day.bodies.append(said)
        for answer in day.chance.sample(("done", "done", "refused", "timed_out", None), 2):
            if answer is not None:
                data = use | {"answer": answer}
                kind = "coupon.verification_answered"
                day.bodies.append(shop.decision(kind, minute + day.chance.randint(0, 9), **data))
    report = code | {"redemption_id": "v-1", "account": "a-2"}
    day.post(day.shops[0], "coupon.redeemed", day.minute(100, 500), **report)


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
