"""The bakery's day: the same for the same seed, and disputed where systems copy by hand."""

from datetime import UTC, datetime

from hub.demo.bakery import copying, day, town
from hub.demo.bakery.day import AskPoints, Bake, BuyVoucher, Intent, Order, UseVoucher
from hub.demo.bakery.telling import Teller
from hub.demo.bakery.town import MINIPROGRAM, WEBSITE, Cake, Member, Store
from hub.domain import events

STORE = Store("xuhui", "徐汇店")
CAKE = Cake("cake", "蛋糕", 19800)
MEMBER = Member(1, "王芳", "13500000001", (WEBSITE, MINIPROGRAM))


def _order(minute: int, channel: str) -> Order:
    return Order(minute, channel, MEMBER, STORE, CAKE, 1, minute + 60)


def test_the_day_is_the_same_for_the_same_seed() -> None:
    chain = town.build(4)
    assert day.intents(chain, 4) == day.intents(town.build(4), 4)
    assert day.intents(chain, 4) != day.intents(chain, 5)


def test_no_two_members_share_a_phone() -> None:
    phones = [member.phone for member in town.build(1).members]
    assert len(set(phones)) == town.MEMBERS


def test_the_last_cake_is_sold_twice_between_two_copies() -> None:
    wanted: list[Intent] = [
        Bake(480, STORE, CAKE, 1), _order(490, WEBSITE), _order(500, MINIPROGRAM),
    ]  # fmt: skip
    assert copying.play(wanted).disputes.oversold_orders == 1


def test_after_a_copy_the_other_system_knows() -> None:
    wanted: list[Intent] = [
        Bake(480, STORE, CAKE, 1),
        _order(490, WEBSITE),
        BuyVoucher(495, WEBSITE, MEMBER, "V1"),
        _order(610, MINIPROGRAM),
        UseVoucher(615, MINIPROGRAM, MEMBER, "V1", STORE),
        AskPoints(620, MINIPROGRAM, MEMBER),
    ]
    played = copying.play(wanted)
    assert played.disputes.total == 0
    assert played.refused_orders == 1
    assert played.vouchers_used == 1


def test_before_a_copy_the_other_system_knows_neither_voucher_nor_points() -> None:
    wanted: list[Intent] = [
        Bake(480, STORE, CAKE, 1),
        _order(490, WEBSITE),
        BuyVoucher(495, WEBSITE, MEMBER, "V1"),
        UseVoucher(500, MINIPROGRAM, MEMBER, "V1", STORE),
        AskPoints(505, MINIPROGRAM, MEMBER),
    ]
    disputes = copying.play(wanted).disputes
    assert (disputes.unknown_vouchers, disputes.wrong_balances) == (1, 1)


def test_a_usual_day_is_full_of_disputes() -> None:
    disputes = copying.play(day.intents(town.build(1), 1)).disputes
    assert disputes.oversold_orders > 5
    assert disputes.unknown_vouchers > 0
    assert disputes.wrong_balances > 0


def test_what_the_bakery_tells_is_valid_and_told_apart_from_an_earlier_play() -> None:
    chain = town.build(1)
    now = datetime.now(UTC)
    keys = []
    for teller in (Teller(), Teller("-2")):
        told = [record for records in teller.opening(chain).values() for record in records]
        told += teller.ordered(_order(600, WEBSITE), 1) + teller.collected(_order(600, WEBSITE), 1)
        told += teller.bought(BuyVoucher(600, WEBSITE, MEMBER, "V1"))
        told += teller.used(UseVoucher(700, MINIPROGRAM, MEMBER, "V1", STORE))
        told += teller.baked([Bake(420, STORE, CAKE, 3)])
        keys += [events.decode(record.value, now).key for record in told]
    assert len(set(keys)) == len(keys)
