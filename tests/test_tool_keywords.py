"""Tools whose keyword arguments a typed dict describes."""

from __future__ import annotations

import functools
import json
from typing import Annotated, Any, Literal, NotRequired, Required, TypedDict, Unpack

import pytest
import typing_extensions
from mirascope.core import BaseTool, ToolCall, ToolError, UsageError
from mirascope.core._tools._toolset import Toolset
from pydantic import Field


class Options(TypedDict, total=False):
    city: Required[str]
    unit: Literal["C", "F"]
    days: Annotated[int, Field(ge=1, description="how many")]


class Later(Options):
    note: NotRequired[str]
    _self: int


class Older(typing_extensions.TypedDict):
    city: str
    unit: typing_extensions.NotRequired[str]


def forecast(source: str = "dwd", **options: Unpack[Options]) -> dict[str, Any]:
    """Forecast the weather.

    Args:
        source: where from
        unit: of the temperature
    """
    return {"source": source, **options}


def older(**options: typing_extensions.Unpack[Older]) -> dict[str, Any]:
    return {**options}


def later(**options: Unpack[Later]) -> dict[str, Any]:
    return {**options}


def resolve(tool: Any, **arguments: Any) -> BaseTool:
    toolset = Toolset([tool])
    name = toolset.types[0].tool_name()
    return toolset.resolve(ToolCall("call_1", name, json.dumps(arguments)))


def test_the_keys_are_arguments() -> None:
    (tool,) = Toolset([forecast]).types
    assert tool.tool_parameters() == {
        "type": "object",
        "properties": {
            "source": {"type": "string", "default": "dwd", "description": "where from"},
            "city": {"type": "string"},
            "unit": {"enum": ["C", "F"], "type": "string", "description": "of the temperature"},
            "days": {"type": "integer", "minimum": 1, "description": "how many"},
        },
        "required": ["city"],
    }


@pytest.mark.parametrize(
    ("tool", "arguments", "returned"),
    [
        (forecast, {"city": "Oslo"}, {"source": "dwd", "city": "Oslo"}),
        (forecast, {"city": "Oslo", "days": 2}, {"source": "dwd", "city": "Oslo", "days": 2}),
        (older, {"city": "Oslo"}, {"city": "Oslo"}),
        (later, {"city": "Oslo", "_self": 1}, {"city": "Oslo", "_self": 1}),
        (functools.partial(forecast, city="Rome"), {"unit": "C"}, None),
    ],
)
def test_what_the_model_left_out_is_left_out(tool: Any, arguments: Any, returned: Any) -> None:
    found = resolve(tool, **arguments)
    returned = {"source": "dwd", "city": "Rome", "unit": "C"} if returned is None else returned
    assert found.error is None
    assert found.call() == returned
    assert {k: v for k, v in returned.items() if k in found.args} == found.args
    assert json.loads(found.model_dump_json(exclude_unset=True)) == arguments
    found.model_dump()


def test_arguments_are_checked() -> None:
    for arguments in ({}, {"city": "Oslo", "days": 0}, {"city": "Oslo", "unit": "K"}):
        assert isinstance(resolve(forecast, **arguments).error, ToolError)


def test_what_is_bound_is_not_the_models() -> None:
    (tool,) = Toolset([functools.partial(forecast, city="Rome")]).types
    assert list(tool.tool_parameters()["properties"]) == ["source", "unit", "days"]


def test_other_keyword_arguments_have_no_names() -> None:
    def any_of_them(**options: int) -> None: ...

    with pytest.raises(UsageError, match=r"by name, which .\*\*options.* has not"):
        Toolset([any_of_them])
