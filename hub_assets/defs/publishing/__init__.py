"""Whether what was built is what readers see."""
