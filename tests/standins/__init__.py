"""Small stand-ins of platforms: they sign, encrypt, answer for details, limit and fail as the
platforms do, in code of their own, so that a mistake in the hub's is not repeated here."""
