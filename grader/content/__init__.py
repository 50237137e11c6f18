"""Authors' files: read, checked, proven."""
