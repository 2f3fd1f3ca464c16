"""The HTTP kit of both services: what happens at a door before and after a view, the same way everywhere."""
