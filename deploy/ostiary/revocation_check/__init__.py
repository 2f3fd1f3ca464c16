"""Does a revocation hold? Replicas under load and under faults, and a judge who saw every question and every answer."""
