"""The form that a call's answer is to have."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._structured._answer import ResponseMode
from .._types import JSONObject


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFormat:
    """The form that a call's answer is to have, as core has decided it.

    Attributes:
        mode: how it is asked for. In `"tool"` mode the last of the request's tools is the answer,
            and the model has to call a tool. In `"json"` mode core has put the schema into the
            messages, and the provider only sets the API's own switch where there is one.
        name: a name for the schema: letters, digits, `_` and `-`, 64 at most.
        schema: the JSON schema of an object, without titles and discriminators; None where only
            JSON is wanted, of any kind.
        description: what the type's docstring tells about it, or None.
    """

    mode: ResponseMode
    name: str = "answer"
    schema: JSONObject | None = field(default=None, repr=False)
    description: str | None = None
