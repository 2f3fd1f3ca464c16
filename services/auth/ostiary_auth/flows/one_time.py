"""How a typed code is bound to its purpose and address, in one place for those who make codes and those who check them."""

from ostiary_shared.store.one_time_tokens import Purpose


def code_scope(purpose: Purpose, email: str) -> str:
    """What a code opens: this purpose, for this address, whatever its case."""
    return f"{purpose.value}:{email.casefold()}"
