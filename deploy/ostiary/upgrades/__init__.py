"""An upgrade of the database: what it would do, tried on a copy, done, and taken back."""
