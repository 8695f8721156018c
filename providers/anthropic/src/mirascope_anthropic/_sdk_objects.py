"""The SDK's own objects, built from JSON as the SDK builds them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError
from pydantic_core import to_json
from typing_extensions import TypeVar

if TYPE_CHECKING:
    from anthropic import BaseModel
    from mirascope.core import JSONObject

ModelT = TypeVar("ModelT", bound="BaseModel")


def build(model: type[ModelT], data: JSONObject, raw: bytes | None = None) -> ModelT:
    """Return the object that the SDK would have made of a JSON object.

    The SDK validates in pydantic's lax mode, and takes what the server sent where that fails.
    Checked with anthropic 1.17 to 2.12.

    Args:
        model: the SDK's class.
        data: the JSON object.
        raw: the JSON text that `data` was read from, where it is at hand.
    """
    try:
        return model.model_validate_json(raw or to_json(data))
    except ValidationError:
        return model.construct(**data)


def build_event(data: JSONObject, raw: bytes | None = None) -> Any:
    """Return the event of the SDK's stream for a JSON object: its class goes by `type`."""
    classes = _event_classes()
    # For a type that it does not know the SDK takes the first class, with the fields as they are.
    model = classes.get(str(data.get("type"))) or next(iter(classes.values()))
    return build(model, data, raw)


@cache
def _event_classes() -> dict[str, type[BaseModel]]:
    from anthropic.types import Message, RawMessageStreamEvent

    union, *_ = get_args(RawMessageStreamEvent)
    classes: dict[str, type[BaseModel]] = {
        get_args(event.model_fields["type"].annotation)[0]: event for event in get_args(union)
    }
    # A server that ignores `stream` answers with this instead of events.
    return {**classes, "message": Message}
