"""The servers and processes of one hub on one machine. A real cluster needs none of it."""
