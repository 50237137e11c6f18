"""Classes on the page: members, tasks with their dates, and answers that were judged once more."""

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Index, Integer, PrimaryKeyConstraint, String, Text, UniqueConstraint

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "classrooms",
        Column("name", Text, primary_key=True),
        Column("key", Text, nullable=False),
        Column("code", Text, nullable=False),
        Column("made", BigInteger, nullable=False),  # microseconds since 1970, UTC
    )
    op.create_table(
        "members",
        Column("learner", String(32), primary_key=True),
        Column("classroom", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("joined", BigInteger, nullable=False),
        Column("clock", Float(53), nullable=False),
        Index("members_of_classroom", "classroom", "joined"),
    )
    op.create_table(
        "tasks",
        Column("id", String(32), primary_key=True),
        Column("classroom", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("mode", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("items", Text, nullable=False),  # a JSON list
        Column("made", BigInteger, nullable=False),
        Column("due", BigInteger),
        Index("tasks_of_classroom", "classroom", "made"),
    )
    op.create_table(
        "extensions",
        Column("task", String(32), nullable=False),
        Column("learner", String(32), nullable=False),
        Column("due", BigInteger, nullable=False),
        PrimaryKeyConstraint("task", "learner"),
    )
    op.create_table(
        "regrades",
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("attempt", String(32), nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("digest", String(16), nullable=False),
        Column("outcome", Text, nullable=False),
        Column("points", Float(53)),
        Column("mistake", Text),
        UniqueConstraint("attempt", "digest"),
    )
