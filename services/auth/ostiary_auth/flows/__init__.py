"""One file a procedure. Flows take a Work and plain values, return what became of it, and know no HTTP or SMTP."""
