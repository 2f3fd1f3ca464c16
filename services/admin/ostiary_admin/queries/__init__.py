"""What the screens show, one noun a file: frozen rows, keyset pages. Reads only, and never a hash, digest or token."""
