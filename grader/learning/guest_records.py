"""Sittings of guests that several processes share: in a file that is gone with them, and holds an hour."""

from __future__ import annotations

import itertools
from datetime import timedelta

from grader.learning.recorder import now
from grader.learning.records import Records
from grader.model import Sitting

KEPT_FOR = timedelta(hours=1)
LOOKED_AT_EACH = 500
"""So many sittings are begun before old ones are looked for."""


class GuestRecords(Records):
    """Records that nobody reads later."""

    keeps = False

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._begun = itertools.count(1)

    def begin(self, sitting: Sitting) -> None:
        """See `Records`; forgets what is old."""
        super().begin(sitting)
        if next(self._begun) % LOOKED_AT_EACH == 0:
            since = now() - KEPT_FOR
            old = {one.id for one in self.sittings() if one.started < since}
            self.forget([one.id for one in self.attempts() if one.sitting in old], sorted(old))
