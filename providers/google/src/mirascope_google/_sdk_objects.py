"""The SDK's own objects from JSON, and JSON from the SDK's objects."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from mirascope.core import JSONObject, json_object
from pydantic import BaseModel, ValidationError
from typing_extensions import TypeVar

if TYPE_CHECKING:
    from google.genai.types import GenerateContentResponse

ModelT = TypeVar("ModelT", bound=BaseModel)

_FREE_FORM: Final = frozenset({"args", "response"})
"""Fields whose content is the caller's own."""


def build(model: type[ModelT], data: JSONObject) -> ModelT:
    """Return the object that the SDK would have made of a JSON object.

    The SDK's models refuse fields that they don't know, and the SDK removes these first, with a
    private function. Here the model's own errors say what has to go; a value of the wrong type
    goes with them. Checked with google-genai 2.0 to 3.4.

    Args:
        model: the SDK's class.
        data: the JSON object; it is not changed.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        return _build_pruned(model, copy.deepcopy(data), error)
    except AttributeError:
        # A server that was asked for numbers in place of names; the SDK's enums take text only.
        text = _numbers_as_text(data)
        return build(model, text if text != data else {})


def _build_pruned(model: type[ModelT], data: JSONObject, error: ValidationError) -> ModelT:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    # Backwards, so that removing an item of a list moves none that is still to go.
    removed = [_remove(data, problem["loc"]) for problem in reversed(problems)]
    return build(model, data if any(removed) else {})


def build_response(data: JSONObject) -> GenerateContentResponse:
    """Return a response or a chunk as the SDK's `GenerateContentResponse`."""
    from google.genai.types import GenerateContentResponse

    return build(GenerateContentResponse, _with_citations(data))


def wire_json(obj: Any) -> JSONObject:
    """Return an object of the SDK as the JSON that the API sends."""
    if not isinstance(obj, BaseModel):
        return json_object(obj)
    return obj.model_dump(
        mode="json",
        by_alias=True,
        exclude_none=True,
        exclude={"sdk_http_response", "automatic_function_calling_history", "parsed"},
        warnings=False,
    )


def _remove(data: JSONObject, location: Sequence[int | str]) -> bool:
    """Remove what an error's location names, or the innermost thing on the way that there is."""
    holder: Any = None
    key: int | str = ""
    value: Any = data
    for step in location:
        try:
            inner = value[step]
        except (KeyError, IndexError, TypeError):
            # The name of a member of a union is a step that the data does not have.
            continue
        holder, key, value = value, step, inner
    if holder is None:
        return False
    del holder[key]
    return True


def _with_citations(data: JSONObject) -> JSONObject:
    """Give citations the name that the SDK gives them: Vertex AI's, not the Developer API's."""
    candidates: list[JSONObject] = data.get("candidates") or []
    if not any("citationSources" in (c.get("citationMetadata") or ()) for c in candidates):
        return data
    data = copy.deepcopy(data)
    for candidate in data["candidates"]:
        metadata: JSONObject = candidate.get("citationMetadata") or {}
        if "citationSources" in metadata:
            metadata["citations"] = metadata.pop("citationSources")
    return data


def _numbers_as_text(value: Any) -> Any:
    """Return JSON with its whole numbers as text, which a field for numbers reads as well."""
    if isinstance(value, dict):
        items = cast("JSONObject", value).items()
        return {k: v if k in _FREE_FORM else _numbers_as_text(v) for k, v in items}
    if isinstance(value, list):
        return [_numbers_as_text(item) for item in cast("list[Any]", value)]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
