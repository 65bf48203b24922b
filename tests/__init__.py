"""Tests are a package, so that one of the same name in an installed library cannot hide them."""
