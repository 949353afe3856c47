"""Two stories told by the sample channels themselves: a customer goes through the pages' own
addresses, and the programs ask the hub. Nothing is looked up behind them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from hub.demo.bakery.stories import Told, phone_of
from hub.demo.bakery.town import MINIPROGRAM, WEBSITE
from hub.demo.bakery.waiting import wait
from hub.local import samples
from hub.settings import Settings

CHANNELS = {"website": WEBSITE, "miniprogram": MINIPROGRAM}
CAKE, VOUCHER_CAKE, STORE = "cake-blackforest-8", "cake-lychee-rose-6", "bund"
TIMEOUT_S = 30.0
POLL_S = 0.002
"""What a story tells in milliseconds is looked at as often."""
REFUSED = 409


@contextmanager
def open_shops(settings: Settings) -> Iterator[dict[str, str]]:
    """Both programs for the bakery's channels, until the end; program -> its address."""
    with samples.running(settings, CHANNELS) as addresses:
        yield addresses


def lists(settings: Settings) -> dict[str, str]:
    """What says where each shop lists what it sold, so that the hub is compared with it."""
    return {
        f"HUB_BAKERY_{program.upper()}_ORDERS_URL": f"{address}/api/desk/list"
        for program, address in samples.addresses(settings, CHANNELS).items()
    }


def tell(settings: Settings, suffix: str) -> list[Told]:
    """Both stories. suffix: tells this time from earlier ones in the same hub."""
    with open_shops(settings) as addresses:
        website, miniprogram = (_Visitor(addresses[program]) for program in CHANNELS)
        with website, miniprogram:
            miniprogram.post("/api/login", nickname=f"林小满{suffix}")
            return [_last_cake(website, miniprogram), _voucher(website, miniprogram, suffix)]


def _last_cake(website: "_Visitor", miniprogram: "_Visitor") -> Told:
    """Bought on the website, it is gone in the mini-program, which refuses to sell it again."""
    website.post("/api/desk/shelf", sku=CAKE, place=STORE, quantity=1)
    shown = all(_becomes(lambda one=one: one.left(CAKE) == 1) for one in (website, miniprogram))
    began = time.monotonic()
    guest = {"name": "陈晨", "phone": "13700000001"}
    order = website.post("/api/orders", sku=CAKE, place=STORE, **guest)
    is_gone = _becomes(lambda: miniprogram.left(CAKE) == 0)
    took_ms = 1000 * (time.monotonic() - began)
    is_refused = miniprogram.refuses("/api/orders", sku=CAKE, place=STORE)
    paid = website.post(f"/api/orders/{order['number']}/pay")
    handed = website.post(f"/api/desk/orders/{order['number']}/hand-over")
    states = (paid["state"], handed["state"]) == ("paid", "picked_up")
    return Told(
        "bought_on_the_website_gone_in_the_miniprogram",
        "官网买走最后一个,小程序立刻售罄",
        f"seen in the mini-program {took_ms:.0f} ms after it was asked for, and refused there",
        shown and is_gone and is_refused and states,
    )


def _voucher(website: "_Visitor", miniprogram: "_Visitor", suffix: str) -> Told:
    """Bought on the website, claimed by phone, and a cake over the counter by the mini-program."""
    phone = phone_of(suffix)
    code = website.post("/api/vouchers", phone=phone)["code"]
    miniprogram.post("/api/phone", phone=phone)
    miniprogram.post(f"/api/coupons/{code}/claim")
    website.post("/api/desk/shelf", sku=VOUCHER_CAKE, place=STORE, quantity=2)
    is_there = _becomes(lambda: miniprogram.left(VOUCHER_CAKE) == 2)
    order = miniprogram.post("/api/orders", sku=VOUCHER_CAKE, place=STORE, coupons=[code])
    miniprogram.post(f"/api/orders/{order['number']}/pay")
    handed = miniprogram.post(f"/api/desk/orders/{order['number']}/hand-over")
    used = website.ask(f"/api/vouchers/{code}")["status"] == "redeemed"

    def is_listed() -> bool:
        orders = miniprogram.ask("/api/me")["orders"]
        return order["number"] in {one["order_number"] for one in orders}

    holds = is_there and used and order["to_pay_fen"] == 0 and handed["state"] == "picked_up"
    return Told(
        "voucher_of_the_website_is_a_cake_by_the_miniprogram",
        "官网买的券,小程序里换蛋糕,到店取走",
        "claimed by her phone, nothing left to pay, and the website knows that it was used",
        holds and _becomes(is_listed),
    )


def _becomes(is_so: Callable[[], bool]) -> bool:
    return wait(is_so, TIMEOUT_S, POLL_S)


class _Visitor:
    """Somebody with the page of one program open."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=TIMEOUT_S)

    def __enter__(self) -> None:
        self._http.__enter__()

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, path: str) -> dict[str, Any]:
        return self._http.get(path).raise_for_status().json()

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(path, json=body).raise_for_status()
        return answer.json() if answer.content else {}

    def refuses(self, path: str, **body: Any) -> bool:
        return self._http.post(path, json=body).status_code == REFUSED

    def left(self, sku: str) -> float:
        """How many the page shows at the store."""
        stock = self.ask("/api/goods")["stock"]
        here = [one for one in stock if (one["sku"], one["place"]) == (sku, STORE)]
        return float(here[0]["available"]) if here else 0.0
