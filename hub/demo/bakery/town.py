"""The bakery chain: its stores, cakes and members, made from a seed.

Names and phones are Faker's Chinese ones; no two members share a phone.
"""

import random
from dataclasses import dataclass

from faker import Faker

WEBSITE, MINIPROGRAM = "bakery-website", "bakery-miniprogram"
CHANNELS = (WEBSITE, MINIPROGRAM)
"""The tills of the stores work on the mini-program's system, as in the story this comes from."""
MEMBERS = 120
MEMBERS_OF_BOTH = 80
"""So many have an account at the website and in the mini-program; the rest only at one of them."""
MOBILE_PREFIXES = ("135", "136", "137", "150", "151", "158", "159", "182", "187", "188")


@dataclass(frozen=True)
class Store:
    """A store, which is a place with stock."""

    place: str
    name: str


@dataclass(frozen=True)
class Cake:
    """A product; price in fen."""

    sku: str
    name: str
    price_minor: int


@dataclass(frozen=True)
class Member:
    """A customer and the channels with an account of theirs."""

    number: int
    name: str
    phone: str
    channels: tuple[str, ...]

    def account(self, channel: str) -> str:
        """The account number at a channel; each system numbers in its own way."""
        return f"{'u' if channel == WEBSITE else 'wx'}{self.number:04d}"


@dataclass(frozen=True)
class Town:
    """Everything that exists before the day begins."""

    stores: tuple[Store, ...]
    cakes: tuple[Cake, ...]
    members: tuple[Member, ...]


STORES = (
    Store("xuhui", "麦香坊 徐汇店"),
    Store("jingan", "麦香坊 静安店"),
    Store("pudong", "麦香坊 浦东店"),
)
CAKES = (
    Cake("cake-strawberry-6", "草莓奶油生日蛋糕 6 寸", 19800),
    Cake("cake-chocolate-6", "巧克力生日蛋糕 6 寸", 21800),
    Cake("cake-mango-8", "芒果慕斯蛋糕 8 寸", 26800),
    Cake("cake-tiramisu", "提拉米苏", 12800),
    Cake("cake-matcha-roll", "抹茶卷", 5800),
    Cake("bread-salt-butter", "海盐黄油卷", 1280),
)


def build(seed: int) -> Town:
    """The same town for the same seed."""
    fake = Faker("zh_CN")
    fake.seed_instance(seed)
    chance = random.Random(seed)
    phones: set[str] = set()
    members: list[Member] = []
    for number in range(1, MEMBERS + 1):
        phone = _phone(chance)
        while phone in phones:
            phone = _phone(chance)
        phones.add(phone)
        own = CHANNELS if number <= MEMBERS_OF_BOTH else (CHANNELS[number % 2],)
        members.append(Member(number, fake.name(), phone, own))
    return Town(STORES, CAKES, tuple(members))


def _phone(chance: random.Random) -> str:
    return f"{chance.choice(MOBILE_PREFIXES)}{chance.randrange(10**8):08d}"
