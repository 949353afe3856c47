"""How hard Hypothesis tries. HUB_EXAMPLES=10000 tries longer."""

import os

from hypothesis import settings

# A slow machine is no bug of the domain; what failed is printed and becomes a test by hand.
settings.register_profile(
    "hub", deadline=None, database=None, max_examples=int(os.environ.get("HUB_EXAMPLES", "100"))
)
settings.load_profile("hub")
