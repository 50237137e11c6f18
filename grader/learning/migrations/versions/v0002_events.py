"""Events of sittings, and what makes a sitting one that any face and process can go on with."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String, Text, UniqueConstraint, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    numbers, texts = (
        (Column("seed", BigInteger), Column("ended", BigInteger)),
        (Column("version", Text), Column("face", Text)),
    )
    for column in (*numbers, *texts):
        op.add_column("sittings", column)
    for column in (Column("choice", Text), Column("token", String(64))):
        op.add_column("attempts", column)
    # An index and no constraint, which SQLite cannot add; of a million rows without a token it is made at once.
    given = text("token IS NOT NULL")
    op.create_index(
        "attempts_by_token", "attempts", ["sitting", "token"], unique=True, sqlite_where=given, postgresql_where=given
    )
    op.create_table(
        "events",
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("sitting", String(32), nullable=False),
        Column("seq", Integer, nullable=False),
        Column("place", Integer),
        Column("at", BigInteger, nullable=False),  # microseconds since 1970, UTC
        Column("kind", Text, nullable=False),
        Column("data", Text, nullable=False),
        UniqueConstraint("sitting", "seq"),
    )
