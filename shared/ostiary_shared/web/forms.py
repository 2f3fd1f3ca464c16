"""Input at the door: a form or a JSON body becomes a typed model, or field errors in words. One model serves both."""

import json
import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError
from quart import request

from ostiary_shared.errors import Failure, FieldError, Invalid
from ostiary_shared.web.complaints import in_words

# Half a surrogate pair is no character; PostgreSQL keeps no NUL; other control characters have no business in a field.
# U+FFFD is what stands in for bytes that were no UTF-8: two different wrong inputs must not become the same password.
_NO_TEXT = re.compile("[\x00\ud800-\udfff\ufffd]")
_UNTYPABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffd]")


def _printable(value: str) -> str:
    if _UNTYPABLE.search(value):
        raise ValueError("contains characters that cannot be typed")
    return value


def _one_line(value: str) -> str:
    if any(mark in value for mark in "\t\r\n\u2028\u2029"):
        raise ValueError("must be a single line")
    return _printable(value).strip()


def _no_nul(value: SecretStr) -> SecretStr:
    if _NO_TEXT.search(value.get_secret_value()):
        raise ValueError("contains characters that cannot be typed")
    return value


Text = Annotated[str, AfterValidator(_printable)]
Line = Annotated[str, AfterValidator(_one_line)]
Secret = Annotated[SecretStr, AfterValidator(_no_nul)]


# Nobody mends more at once, and an answer must not be larger than what was sent.
MOST_FAULTS = 20


class Input(BaseModel):
    """Base of everything read from outside: unknown fields are refused by name, values never echoed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Model = TypeVar("Model", bound=Input)


@dataclass(slots=True)
class Form(Generic[Model]):
    """A form as sent: the model when all was well, else what was typed and what is wrong with it."""

    data: Model | None = None
    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def reject(self, invalid: Invalid) -> None:
        """Add what a flow found wrong, so that the page can be shown again."""
        self.errors.update({error.field: error.message for error in invalid.errors})


class BadBodyError(Failure):
    """The body is not what its type says, or not of a type we read."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


async def read_form(model: type[Model]) -> Form[Model]:
    """The form of this request; passwords are never kept in `values`, and only what is a list may be repeated."""
    sent = await request.form
    lists = {name for name, info in model.model_fields.items() if _is_list(info.annotation)}
    raw: dict[str, Any] = {name: sent.getlist(name) if name in lists else sent[name] for name in sent}
    repeated = [name for name in sent if name not in lists and len(sent.getlist(name)) > 1]
    form: Form[Model] = Form(values={name: value for name, value in raw.items() if not _secret(model, name)})
    if repeated:
        form.errors = dict.fromkeys(repeated, "Please send this field once.")
        return form
    try:
        form.data = model.model_validate(raw)
    except ValidationError as error:
        form.errors = {fault.field: fault.message for fault in field_errors(error)}
    return form


async def read_json(model: type[Model]) -> Model:
    """The JSON body of this request. Raises Invalid (422) naming fields, BadBodyError (400, 415) otherwise."""
    if request.mimetype != "application/json":
        raise BadBodyError(415, "unsupported_media_type", "Please send JSON with Content-Type: application/json.")
    try:
        raw = json.loads(await request.get_data() or b"{}")
    except (ValueError, RecursionError):
        raise BadBodyError(400, "bad_json", "The body is not valid JSON in UTF-8.") from None
    if not isinstance(raw, dict):
        raise BadBodyError(400, "bad_json", "The body must be a JSON object.")
    return validated(model, raw)


def read_query(model: type[Model]) -> Model:
    """The query of this request; unknown names are refused, empty values count as absent."""
    lists = {name for name, info in model.model_fields.items() if _is_list(info.annotation)}
    args = request.args
    raw: dict[str, Any] = {
        name: args.getlist(name) if name in lists else args[name] for name in args if args[name] != ""
    }
    return validated(model, raw)


def validated(model: type[Model], raw: dict[str, Any]) -> Model:
    """`raw` as the model; raises Invalid naming every field at fault."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise Invalid(*field_errors(error)) from None


def field_errors(error: ValidationError) -> list[FieldError]:
    """Pydantic's findings in our words, without the input."""
    return [
        FieldError(
            ".".join(str(part) for part in fault["loc"]) or "body",
            in_words(fault["type"], fault.get("ctx", {}), fault["msg"]),
        )
        for fault in error.errors(include_url=False, include_input=False)[:MOST_FAULTS]
    ]


def _secret(model: type[Input], name: str) -> bool:
    info = model.model_fields.get(name)
    return "password" in name or (info is not None and "SecretStr" in str(info.annotation))


def _is_list(annotation: Any) -> bool:
    return "list[" in str(annotation) or "tuple[" in str(annotation) or "frozenset[" in str(annotation)
