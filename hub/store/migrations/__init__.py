"""The shape of the database, as SQL files run by Alembic in order."""
