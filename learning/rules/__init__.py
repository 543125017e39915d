"""Pure decisions about learning time: no database, no clock, no settings."""
