"""Data sets of the course: seeded or from an installed package, never from the network."""
