"""What keeps something from being measured. It is told, and the other measurements go on."""


class Unmeasured(Exception):
    """A server that does not start, answers wrongly, or lacks a program: a sentence for the operator."""
