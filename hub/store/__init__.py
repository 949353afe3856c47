"""All of Postgres: queries by noun, the log, the outbox, migrations. Decides nothing: that is
`hub.domain`'s part."""
