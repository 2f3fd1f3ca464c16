"""What may be asked about refusals."""

from ostiary_admin.inputs.listing import OfSomebody, Word


class DenialsQuery(OfSomebody):
    """The recent refusals, or the one behind a code that was pasted."""

    code: Word = ""
