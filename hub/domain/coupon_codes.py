"""Codes of coupons: the one spelling of each, and the form of those that the hub gives out. Pure.

A code of a channel is its own: case, width and spaces do not count, every other sign does, since a
platform may well give out both `SALE0` and `SALEO`. Only the hub's own form is read generously:
`HC`, 12 signs without look-alikes and two check signs, dashes anywhere. There O is 0, and I and L
are 1, provided the check signs agree; the hub takes an issue of that form from nobody else
(`hub.domain.coupons`), so that no two codes of channels can ever become one.
"""

import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 signs: no I, L, O, which are read as 1, 1, 0, and no U."""
PREFIX = "HC"
DIGITS = 12
LENGTH = len(PREFIX) + DIGITS + 2
RANDOM_BITS = 5 * DIGITS
"""60 bits: at 60 guesses a minute a key finds none of a million codes in a thousand years."""
_LOOK_ALIKES = str.maketrans("OIL", "011")
_VALUES = {sign: value for value, sign in enumerate(ALPHABET)}
# The largest prime that two signs can hold: each wrong sign and each swap of neighbours changes
# the remainder, as no power of 32 and no difference of two signs is a multiple of it.
_MODULUS = 1021
_GROUP = 4


def normalise_code(code: str) -> str:
    """One spelling of a code, see above."""
    spelled = "".join(unicodedata.normalize("NFKC", code).split()).upper()
    if not spelled.startswith(PREFIX):
        return spelled
    own = spelled.replace("-", "").translate(_LOOK_ALIKES)
    return own if is_own(own) else spelled


def is_own(code: str) -> bool:
    """Whether a normalised code has the hub's own form, check signs included."""
    if len(code) != LENGTH or not code.startswith(PREFIX):
        return False
    number = 0
    for sign in code:
        value = _VALUES.get(sign)
        if value is None:
            return False
        number = number * 32 + value
    return number % 1024 < _MODULUS and number % _MODULUS == 1


def make_code(number: int) -> str:
    """The hub's code that holds `number`, which is to be RANDOM_BITS of randomness."""
    if not 0 <= number < 1 << RANDOM_BITS:
        raise ValueError(f"a code holds {RANDOM_BITS} bits")
    signs = PREFIX + "".join(
        ALPHABET[number >> shift & 31] for shift in range(RANDOM_BITS - 5, -1, -5)
    )
    whole = 0
    for sign in signs:
        whole = whole * 32 + _VALUES[sign]
    check = (1 - whole * 1024) % _MODULUS
    return signs + ALPHABET[check >> 5] + ALPHABET[check & 31]


def shown(code: str) -> str:
    """A code as people read it: the hub's own in groups of four."""
    if not is_own(code):
        return code
    return "-".join(code[i : i + _GROUP] for i in range(0, LENGTH, _GROUP))
