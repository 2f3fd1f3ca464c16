"""The auth service: everything a person does to come in, and everything others ask about who came in."""
