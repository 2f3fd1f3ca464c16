"""What administrators do, one noun a file: rows, mails and audit entries in one transaction. No HTTP."""
