"""A day of load, replayed: the containers together in one Pod against apart, on nodes."""
