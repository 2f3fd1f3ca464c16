"""The mail room: what letters say (letters), and the courier who takes them from the outbox to an SMTP server."""
