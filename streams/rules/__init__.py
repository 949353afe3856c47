"""The rules worker: runs sync rules on facts, and does what they say that is no delivery."""
