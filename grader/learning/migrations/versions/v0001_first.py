"""Sittings and attempts."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Text, UniqueConstraint

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sittings",
        Column("id", String(32), primary_key=True),
        Column("learner", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("mode", Text, nullable=False),
        Column("started", BigInteger, nullable=False),  # microseconds since 1970, UTC
        Column("plan", Text, nullable=False),
        Column("shuffle", BigInteger),
        Index("sittings_of_learner", "learner", "topic", "mode", "started"),
    )
    op.create_table(
        "attempts",
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("id", String(32), nullable=False, unique=True),
        Column("learner", Text, nullable=False),
        Column("sitting", String(32), nullable=False),
        Column("place", Integer, nullable=False),
        Column("tries", Integer, nullable=False),
        Column("mode", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("topic", Text, nullable=False),
        Column("item", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("level", Text, nullable=False),
        Column("skill", Text, nullable=False),
        Column("digest", String(16), nullable=False),
        Column("variant", Integer, nullable=False),
        Column("params", Text, nullable=False),
        Column("response", Text),
        Column("outcome", Text, nullable=False),
        Column("points", Float(53)),
        Column("mistake", Text),
        Column("hints", Integer, nullable=False),
        Column("seconds", Float(53), nullable=False),
        Column("unit", Text, nullable=False),
        Column("early", Boolean, nullable=False),
        Column("card", Text),
        Column("torch", Text, nullable=False),
        Column("bank", String(16), nullable=False),
        UniqueConstraint("sitting", "place", "tries"),
        Index("attempts_of_unit", "learner", "unit", "number"),
        Index("attempts_of_item", "learner", "item", "variant"),
        Index("attempts_of_topic", "learner", "topic", "number"),
    )
