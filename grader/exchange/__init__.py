"""Formats of others, a file each: what is proven goes out as them."""
