"""Pure decisions about people: numbers, names, passwords, throttles."""
