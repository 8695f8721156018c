"""The SDK's own objects of the Responses API, built from JSON as the SDK builds them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast, get_args

from pydantic import ValidationError
from typing_extensions import TypeVar

if TYPE_CHECKING:
    from mirascope.core import JSONObject
    from openai import BaseModel
    from openai.types.responses import ResponseStreamEvent

ModelT = TypeVar("ModelT", bound="BaseModel")


def build_lax(model: type[ModelT], data: JSONObject) -> ModelT:
    """Return the object that the SDK makes of a member of a union.

    Unlike all others, members of unions are validated, and taken as they are only where they
    don't fit. Checked with openai 2.40 to 3.54.
    """
    try:
        return model.model_validate(data)
    except ValidationError:
        return model.construct(**data)


def build_event(data: JSONObject) -> ResponseStreamEvent:
    """Return the SDK's event object for an event's JSON.

    The class is found by `type` instead of by trying all of the union, which is where the SDK
    spends its time. Of a type that it does not know, the SDK makes an object of the union's first
    class: so does this, and the fields are all there.
    """
    by_type, first = _event_classes()
    return cast("ResponseStreamEvent", build_lax(by_type.get(str(data.get("type")), first), data))


@cache
def _event_classes() -> tuple[dict[str, type[BaseModel]], type[BaseModel]]:
    from openai.types.responses import ResponseStreamEvent

    classes: tuple[type[BaseModel], ...] = get_args(get_args(ResponseStreamEvent)[0])
    by_type = {
        name: event_class
        for event_class in classes
        for name in get_args(event_class.model_fields["type"].annotation)
    }
    return by_type, classes[0]
