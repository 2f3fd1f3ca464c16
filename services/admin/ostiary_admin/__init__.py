"""The admin service: who may come in, what they may do, and why somebody was refused. It asks auth who asks."""
