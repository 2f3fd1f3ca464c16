"""Row verbs that keep one invariant each. They flush and never commit; single use is always one statement."""
