"""One finding of the doctor."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Problem:
    """What is wrong, why that matters, how to mend it. A `note` keeps nothing from running."""

    what: str
    why: str
    mend: str
    level: Literal["problem", "note"] = "problem"
