"""Jobs that call the hub's own commands; none of them writes in its tables itself."""
