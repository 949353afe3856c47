"""Identifiers of a person: their one spelling, and the values that never identify anybody.

Matching of members is in `hub.domain.members`; hiding the values is in `hub.store.sealing`.
"""

import re
import unicodedata

import phonenumbers

DEFAULT_REGION = "CN"
BLOCKED_PHONES = frozenset({"+8613800138000", "+8613800000000", "+8618888888888"})
"""Numbers that stand in for 'none': test numbers of carriers and fillers of forms."""
FILLER_SIGNS_MIN = 4
_NOTHING = frozenset({"", "null", "none", "nil", "undefined", "unknown", "n/a", "na", "-"})


def normalise(kind: str, value: str, app: str | None = None) -> str | None:
    """The value's one spelling, or None if it identifies nobody.

    phone: E.164; email: lower case; openid is per app, so the app is part of it, while a unionid
    is the same in all apps of its open platform.
    """
    cleaned = unicodedata.normalize("NFKC", value).strip()
    if cleaned.lower() in _NOTHING or _is_filler(cleaned):
        return None
    if kind == "phone":
        return _phone(cleaned)
    if kind == "email":
        return cleaned.lower() if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", cleaned) else None
    return f"{app or ''}/{cleaned}" if kind == "openid" else cleaned


def _is_filler(value: str) -> bool:
    """00000000000, 111111, and the like: one sign repeated. "7" may be a real number of a CRM."""
    signs = re.sub(r"[\s+\-]", "", value)
    return len(set(signs)) <= 1 and (len(signs) >= FILLER_SIGNS_MIN or signs in ("", "0"))


def _phone(value: str) -> str | None:
    digits = re.sub(r"[\s\-().]", "", value)
    if "*" in digits or "X" in digits.upper():
        return None  # masked by a platform: never used for matching
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    try:
        number = phonenumbers.parse(digits, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None if e164 in BLOCKED_PHONES else e164
