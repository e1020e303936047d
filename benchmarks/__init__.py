"""How fast it is, beside the peers and the floor; `make bench` runs all of it."""
