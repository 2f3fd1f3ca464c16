"""The hot path: who is this, and may they pass, answered from memory while the lease holds."""
