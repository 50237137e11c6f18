"""What people say is wrong with a question."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "reports",
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("learner", Text, nullable=False),
        Column("at", BigInteger, nullable=False),  # microseconds since 1970, UTC
        Column("item", Text, nullable=False),
        Column("variant", Integer, nullable=False),
        Column("digest", String(16), nullable=False),
        Column("response", Text),
        Column("text", Text, nullable=False),
    )
