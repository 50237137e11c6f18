"""Grading a class with nbgrader's own conversion, several submissions at a time.

course_folder    an nbgrader course: configuration, folders, submissions
gradebook_rows   rows of its gradebook, as data
jobs             what is sent to who grades, and what comes back
pool             submissions handed out, outcomes taken in
workers          processes that grade on this machine
convert          one submission through nbgrader's conversion, in one of them
dask_workers     the same on a Dask cluster
journal          what is done, so that what was cut off is done again and what is unchanged is not
"""

import sys


def without_iris() -> None:
    """Let jsonschema do without its check of internationalized addresses, which nobody here asks for.

    Its import builds a parser, for a second. To be called before nbformat is imported, in a process of ours.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None says: an import fails
