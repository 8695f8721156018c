"""The decorator whose provider and model are two arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, overload

from typing_extensions import TypeForm

from ..core import (
    AsyncStructuredStream,
    BaseAsyncStream,
    BaseCallResponse,
    BaseStream,
    Call,
    Provider,
    RecordTypes,
    ResponseMode,
    StructuredStream,
    SyncOrAsyncDecorator,
)
from ..core._request._stream_config import StreamConfig
from ..core._request._timeouts import TimeoutTypes
from ..core._tools._base_tool import ToolLike

T = TypeVar("T")


@overload
def call(
    provider: str,
    model: str,
    *,
    response_model: TypeForm[T],
    stream: Literal[True],
    response_mode: ResponseMode | None = None,
    json_mode: bool = False,
    output_parser: None = None,
    api: str | None = None,
    tools: Sequence[ToolLike] = (),
    client: Any = None,
    call_params: Mapping[str, Any] | None = None,
    timeout: TimeoutTypes = None,
    max_bytes: int | None = None,
    sdk_iteration: bool = False,
    record: RecordTypes = None,
    **params: Any,
) -> SyncOrAsyncDecorator[StructuredStream[T], AsyncStructuredStream[T]]: ...
@overload
def call(
    provider: str,
    model: str,
    *,
    response_model: TypeForm[T],
    stream: Literal[False] = False,
    response_mode: ResponseMode | None = None,
    json_mode: bool = False,
    output_parser: None = None,
    api: str | None = None,
    tools: Sequence[ToolLike] = (),
    client: Any = None,
    call_params: Mapping[str, Any] | None = None,
    timeout: TimeoutTypes = None,
    max_bytes: int | None = None,
    sdk_iteration: Literal[False] = False,
    record: None = None,
    **params: Any,
) -> SyncOrAsyncDecorator[T, T]: ...
@overload
def call(
    provider: str,
    model: str,
    *,
    output_parser: Callable[[BaseCallResponse[Any]], T],
    stream: Literal[False] = False,
    api: str | None = None,
    tools: Sequence[ToolLike] = (),
    client: Any = None,
    call_params: Mapping[str, Any] | None = None,
    timeout: TimeoutTypes = None,
    max_bytes: int | None = None,
    sdk_iteration: Literal[False] = False,
    record: None = None,
    response_model: None = None,
    json_mode: bool = False,
    **params: Any,
) -> SyncOrAsyncDecorator[T, T]: ...
@overload
def call(
    provider: str,
    model: str,
    *,
    stream: Literal[True] | StreamConfig,
    api: str | None = None,
    tools: Sequence[ToolLike] = (),
    client: Any = None,
    call_params: Mapping[str, Any] | None = None,
    timeout: TimeoutTypes = None,
    max_bytes: int | None = None,
    sdk_iteration: bool = False,
    record: RecordTypes = None,
    response_model: None = None,
    json_mode: bool = False,
    output_parser: None = None,
    **params: Any,
) -> SyncOrAsyncDecorator[BaseStream[Any], BaseAsyncStream[Any]]: ...
@overload
def call(
    provider: str,
    model: str,
    *,
    stream: Literal[False] = False,
    api: str | None = None,
    tools: Sequence[ToolLike] = (),
    client: Any = None,
    call_params: Mapping[str, Any] | None = None,
    timeout: TimeoutTypes = None,
    max_bytes: int | None = None,
    sdk_iteration: Literal[False] = False,
    record: None = None,
    response_model: None = None,
    json_mode: bool = False,
    output_parser: None = None,
    **params: Any,
) -> SyncOrAsyncDecorator[BaseCallResponse[Any], BaseCallResponse[Any]]: ...
def call(provider: str, model: str, **arguments: Any) -> Any:
    """Return a decorator for calls of any installed provider.

    Args:
        provider: the provider's name.
        model: the provider's own name of the model.
        **arguments: those of `mirascope.core.call`.

    Raises:
        UsageError: the arguments contradict each other.
        ProviderError: the provider's plugin is missing or can't be used.
    """

    def resolve(model: str, api: str | None) -> tuple[Provider, str]:
        from ..core.plugins import load_provider

        return load_provider(provider, api), model

    return Call[Any, Any, Any](resolve)(model, **arguments)
