"""What of a password the strength meter reads: zxcvbn tries every reading of look-alike characters.

With many of them at once that takes a second, and no other thread runs meanwhile (it keeps the interpreter's lock).
"""

import math

WEIGHED = 48  # characters: who needs more than these to be strong is not
MOST_READINGS = 32  # measured: 25 ms at worst for 48 characters
# The characters that zxcvbn takes for each letter.
_LOOK_ALIKES = {
    "a": "4@",
    "b": "8",
    "c": "({[<",
    "e": "3",
    "g": "69",
    "i": "1!|",
    "l": "1|7",
    "o": "0",
    "s": "$5",
    "t": "+7",
    "x": "%",
    "z": "2",
}


def legible(password: str) -> str:
    """The start of a password, with letters for what looks like them where it could be read in too many ways."""
    start = password[:WEIGHED]
    while math.prod(max(1, len(_used(letter, start))) for letter in _LOOK_ALIKES) > MOST_READINGS:
        letter = max(_LOOK_ALIKES, key=lambda one: len(_used(one, start)))
        start = start.replace(_used(letter, start)[-1], letter)
    return start


def _used(letter: str, text: str) -> list[str]:
    return [mark for mark in _LOOK_ALIKES[letter] if mark in text]
