"""The courier's room: from outbox rows to letters on their way."""
