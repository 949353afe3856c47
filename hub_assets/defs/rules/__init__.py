"""Whether sync rules run well."""
