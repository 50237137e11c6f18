"""Grading a class with nbgrader's own conversion, several submissions at a time.

course      an nbgrader course: configuration, folders, submissions
ledger      rows of its gradebook, as data
jobs        what is sent to who grades, and what comes back
crew        submissions handed out, outcomes taken in
station     processes that grade on this machine
converter   one submission through nbgrader's conversion, in one of them
remote      stations on a Dask cluster
journal     what is done, so that what was cut off is done again and what is unchanged is not
"""

import sys


def without_iris() -> None:
    """Let jsonschema do without its check of internationalized addresses, which nobody here asks for.

    Its import builds a parser, for a second. To be called before nbformat is imported, in a process of ours.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None: an import of it fails
