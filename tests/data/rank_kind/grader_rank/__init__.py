"""A kind of another package, for tests."""
