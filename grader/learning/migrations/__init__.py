"""The steps from one version of the records to the next, for alembic. `records.VERSION` names the newest."""
