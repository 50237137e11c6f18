"""What tests of the records share: an empty database of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy

from grader.learning.record_reader import TABLES


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.sqlite'}"
    address = request.getfixturevalue("server")
    engine = sqlalchemy.create_engine(address)
    with engine.begin() as connection:
        for table in [*(table.name for table in TABLES), "alembic_version"]:
            connection.execute(sqlalchemy.text(f"DROP TABLE IF EXISTS {table}"))
    engine.dispose()
    return str(address)
