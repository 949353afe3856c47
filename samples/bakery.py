"""What the bakery sells, and where: each channel describes it to the hub when it starts."""

from dataclasses import dataclass

CURRENCY = "CNY"
VOUCHER = "birthday-cake"
"""The template of the voucher: one cake of `VOUCHER_SKU`, in any store and on any channel."""
VOUCHER_SKU = "cake-lychee-rose-6"


@dataclass(frozen=True)
class Cake:
    """A product; its price in fen, and how many a store has that the hub does not know yet."""

    sku: str
    name: str
    price_fen: int
    shelf: int


@dataclass(frozen=True)
class Store:
    """Where cakes are picked up."""

    place: str
    name: str


CAKES = (
    Cake("cake-lychee-rose-6", "荔枝玫瑰生日蛋糕 6 寸", 19800, 6),
    Cake("cake-chestnut-6", "栗子奶油蛋糕 6 寸", 22800, 4),
    Cake("cake-blackforest-8", "黑森林蛋糕 8 寸", 26800, 3),
    Cake("cake-basque", "巴斯克芝士", 8800, 8),
)
STORES = (Store("bund", "麦香坊 外滩店"), Store("hongqiao", "麦香坊 虹桥店"))
BY_SKU = {cake.sku: cake for cake in CAKES}
BY_PLACE = {store.place: store for store in STORES}


def yuan(fen: int) -> str:
    """An amount as the hub reads it: 19800 is `198.00`."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen(text: str) -> int:
    """An amount as the hub writes it, in fen."""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0")[:2] or 0)
