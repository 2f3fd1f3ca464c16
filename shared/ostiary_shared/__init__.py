"""What both services must agree on, and nothing else: leaves, rows, stores, the HTTP kit and the theme."""
