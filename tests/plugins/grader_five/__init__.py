"""A kind, a format, an observer, a runner and a face for torch-grader."""
