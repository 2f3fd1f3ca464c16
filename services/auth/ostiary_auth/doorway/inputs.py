"""What people and programs may send, one model for the form and the JSON body alike."""

from typing import Annotated

from pydantic import Field, SecretStr, StrictBool

from ostiary_auth.flows.login import written
from ostiary_auth.flows.one_time import Proof
from ostiary_shared.errors import FieldError, Invalid
from ostiary_shared.web.forms import Input, Line, Secret

Email = Annotated[Line, Field(min_length=1, max_length=254, examples=["ada@example.org"])]
Name = Annotated[Line, Field(max_length=100)]
# Longer ones are refused before anything is hashed; 1024 is what a new password may have.
Password = Annotated[Secret, Field(min_length=1, max_length=1024)]
Token = Annotated[Line, Field(max_length=200, description="The token of a mailed link.")]
Code = Annotated[Line, Field(max_length=40, description="The typed twin of the link; needs `email`.")]
Address = Annotated[Line, Field(max_length=254)]


class SignIn(Input):
    """Signing in."""

    email: Email
    password: Password
    remember: bool = False


class SignInForm(SignIn):
    """The form carries where the visitor wanted to go."""

    next: Line = ""


class SignInJson(SignIn):
    """A program may ask for the token itself."""

    remember: StrictBool = False
    token: Annotated[StrictBool, Field(description="Whether the answer shall hold the session token.")] = False


class SignUp(Input):
    """Signing up."""

    email: Email
    password: Password
    name: Name = ""


class JustEmail(Input):
    """An address a mail is wanted for."""

    email: Email


class MailProof(Input):
    """What came by mail: the link's token, or the address and the typed code."""

    token: Token = ""
    email: Address = ""
    code: Code = ""

    def proof(self) -> Proof:
        """The proof; raises Invalid naming what is missing."""
        missing = [name for name in ("email", "code") if not getattr(self, name)]
        if missing and not self.token:
            raise Invalid(*(FieldError(name, "This is needed.") for name in missing))
        return Proof(self.token, written(self.email), self.code)


class Confirming(MailProof):
    """The proof, and a password where none that was typed there waits."""

    password: Annotated[Secret, Field(max_length=1024, description="Needed unless the sign-up came from here.")] = (
        SecretStr("")
    )
    name: Name = ""


class NewPassword(MailProof):
    """A new password, for whoever proves the mailbox."""

    password: Password


class ClaimForm(Input):
    """The first administrator."""

    token: Token
    email: Email
    name: Name = ""
    password: Password


class Rename(Input):
    """The name others see."""

    name: Name


class PasswordChange(Input):
    """A new password, for whoever knows the old one."""

    current_password: Password
    password: Password


class EmailChange(Input):
    """A new address, for whoever knows the password."""

    email: Email
    current_password: Password


class TokenWish(Input):
    """A new API token, for whoever knows the password."""

    name: Annotated[Line, Field(min_length=1, max_length=100, examples=["Backup of the wiki"])]
    scopes: Annotated[
        tuple[Annotated[Line, Field(max_length=120)], ...],
        Field(max_length=200, description="`role:NAME`, and permissions that come by those roles."),
    ] = ()
    days: Annotated[int, Field(ge=1, le=366, description="How long it is good.")] = 90
    current_password: Password


class ServiceWish(Input):
    """A service that is to have credentials of its own."""

    name: Annotated[Line, Field(min_length=1, max_length=100, examples=["Wiki"])]
    scopes: Annotated[
        tuple[Annotated[Line, Field(max_length=100)], ...],
        Field(max_length=50, description="Words of yours that its tokens carry; other services may ask for them."),
    ] = ()


class PasswordSet(Input):
    """A password that somebody sets for somebody else."""

    password: Password
