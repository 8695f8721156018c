"""A function as a prompt: its arguments, its template, what it returns."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, cast, overload

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from .._caution import PromptWarning, caution
from .._errors import PromptError, UsageError
from .._provider._messages import MessageParam, has_role, to_messages
from .._tools._base_tool import ToolLike
from .._tools._docstrings import parse_docstring
from ._decorated import AsyncStreamT, Decorated, P, ResponseT, ResultT
from ._prompt import PromptTemplate

_PROMPT: Final = "__mirascope_prompt__"
_CALL: Final = "__mirascope_call__"

_DOCUMENTATION: Final = re.compile(r"^\s*(?:Args|Arguments|Param\w+)\b|:param\b|@param\b", re.M)
"""Where a docstring may describe parameters, in any of its styles."""

IsMessage: TypeAlias = Callable[[Mapping[str, Any]], bool]
"""Whether a mapping is a message: only a provider knows the forms of its own."""


@with_config(ConfigDict(extra="forbid"))
class BaseDynamicConfig(TypedDict, total=False):
    """What a decorated function may return to configure its own call; it has the last word."""

    messages: Sequence[MessageParam] | str
    """The messages, in place of the template."""
    computed_fields: Mapping[str, Any]
    """More values for the template."""
    call_params: Mapping[str, Any]
    """Parameters of the provider's API, over those of the decorator."""
    tools: Sequence[ToolLike]
    """The tools, in place of the decorator's."""
    metadata: Mapping[str, Any]
    """Anything about the call that you want to find again on its result."""
    client: Any
    """The client for this one call."""
    max_bytes: int
    """How large the response to this one call may be, in bytes; over the decorator's."""


class PromptMessages(list[MessageParam]):
    """The messages of a prompt function, with what else it returned, should it be a call's.

    Attributes:
        config: the function's dynamic configuration.
    """

    def __init__(self, messages: Sequence[MessageParam], config: BaseDynamicConfig) -> None:
        super().__init__(messages)
        self.config = config


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a decorator leaves on the function that it made.

    `functools.wraps` copies it to whatever wraps that function: it counts for `made` alone.

    Attributes:
        made: the function that the decorator made.
        function: the function that it decorated.
        template: the template of a prompt function; None where it returns its messages.
        decorate: decorates a function as the call is; None on a prompt function.
    """

    made: Callable[..., Any]
    function: Callable[..., Any]
    template: str | None = None
    decorate: Callable[[Callable[..., Any]], Any] | None = None


class FunctionPrompt:
    """The function that is decorated: its arguments and its template.

    Attributes:
        function: the function itself, without the `@prompt_template` that it may have.
        name: its name, for errors.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        if not callable(fn):
            raise UsageError(f"a call decorates a function, not {fn!r}")
        mark: _Mark | None = getattr(fn, _PROMPT, None)
        self.function = mark.function if mark is not None and mark.made is fn else fn
        self.name = getattr(fn, "__qualname__", repr(fn)).rpartition("<locals>.")[2]
        self._refuse_kind(fn)
        self._is_prompt = mark is not None
        text = mark.template if mark is not None else None
        self._template = PromptTemplate(text, owner=self.name) if text is not None else None
        self._signature = inspect.signature(fn)

    def _refuse_kind(self, fn: Callable[..., Any]) -> None:
        """Refuse what can be called and never makes a prompt."""
        if inspect.isclass(fn):
            raise UsageError(f"a call decorates a function or method, not the class {self.name!r}")
        if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
            raise UsageError(
                f"{self.name!r} yields, and a prompt is one thing: return the messages as a list"
            )
        call: _Mark | None = getattr(fn, _CALL, None)
        if call is not None and call.made is fn:
            raise UsageError(
                f"{self.name!r} is decorated as a call already: decorate the function itself, "
                f"which is {self.name}.__wrapped__"
            )

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name, defaults included."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def check_fills(self, names: Iterable[str]) -> None:
        """Check that there are arguments of these names, which fill fields of the answer.

        Raises:
            UsageError: there is none of a name.
        """
        parameters = self._signature.parameters
        for name in names:
            if name not in parameters:
                known = ", ".join(map(repr, parameters))
                raise UsageError(
                    f"the field {name!r} of the response model is FromCallArgs(), and "
                    f"{self.name!r} has no argument of this name"
                    + (f", but {known}" if known else "")
                )

    def config(self, result: object, is_message: IsMessage) -> BaseDynamicConfig:
        """Return what the function returned as a dynamic configuration.

        Raises:
            PromptError: it is neither messages nor a configuration.
            UsageError: the configuration has unknown keys.
        """
        if result is None:
            return {}
        if isinstance(result, PromptMessages):
            return {**result.config, "messages": list(result)}
        if isinstance(result, Mapping) and not is_message(cast("Mapping[str, Any]", result)):
            config = cast("Mapping[str, Any]", result)
            if unknown := config.keys() - BaseDynamicConfig.__annotations__.keys():
                known = ", ".join(BaseDynamicConfig.__annotations__)
                raise UsageError(
                    f"{self.name!r} returned a dynamic configuration with unknown keys "
                    f"{', '.join(map(repr, sorted(map(str, unknown))))}; it takes: {known}"
                )
            return cast("BaseDynamicConfig", config)
        returned: object = cast("object", result)
        what = f"the result of {self.name!r}"
        return {"messages": to_messages(returned, what=what, is_message=is_message)}

    def messages(
        self, config: BaseDynamicConfig, fn_args: Mapping[str, Any], is_message: IsMessage
    ) -> tuple[list[MessageParam], str | None]:
        """Return the messages, and the text of the function's template if it has one.

        Raises:
            PromptError: there is no prompt, or its template can't be filled in.
        """
        template = self._template
        if (given := config.get("messages")) is not None:
            what = f"the messages of {self.name!r}"
            messages = to_messages(given, what=what, is_message=is_message)
        else:
            template = template or self._documented
            if template is None:
                raise PromptError(
                    f"{self.name!r} has no prompt: give it a docstring or @prompt_template, or "
                    "return its messages"
                )
            values = {**fn_args, **config.get("computed_fields", {})}
            messages = template.messages(values, is_message=is_message)
        if not messages:
            raise PromptError(f"the prompt of {self.name!r} is empty: give it text, or messages")
        return messages, template.text if template is not None else None

    @functools.cached_property
    def _documented(self) -> PromptTemplate | None:
        # Only where it is the prompt: the docstring of a function that returns its messages is
        # documentation, and may have any braces.
        text = self.function.__doc__
        if self._is_prompt or text is None:
            return None
        if _DOCUMENTATION.search(text):
            self._warn_of_documentation(text)
        return PromptTemplate(text, owner=self.name)

    def _warn_of_documentation(self, text: str) -> None:
        _, described = parse_docstring(inspect.cleandoc(text), self._signature.parameters)
        # What has a field in it is a prompt, whatever its lines look like.
        if told := [name for name, words in described.items() if "{" not in words]:
            caution(
                f"the docstring of {self.name!r} is its prompt, and the model reads what it tells "
                f"of {', '.join(map(repr, told))} too: write the prompt in @prompt_template, and "
                "the docstring is documentation",
                PromptWarning,
                beyond=("functools",),
            )

    def __call__(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], result: object
    ) -> PromptMessages:
        """Return the messages of a prompt that is used without a call."""
        config = self.config(result, has_role)
        # The messages that it puts in are for a provider that is not known here.
        messages, _ = self.messages(config, self.arguments(args, kwargs), lambda _: True)
        return PromptMessages(messages, config)


class PromptDecorator(Protocol):
    """Makes a prompt of a function, or gives a call its template."""

    @overload
    def __call__(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
        self, fn: Decorated[P, ResultT, ResponseT, AsyncStreamT], /
    ) -> Decorated[P, ResultT, ResponseT, AsyncStreamT]: ...
    @overload
    def __call__(
        self, fn: Callable[P, ResultT], /
    ) -> Decorated[P, ResultT, list[MessageParam], list[MessageParam]]: ...


def prompt_template(template: str | None = None) -> PromptDecorator:
    """Make a function a prompt: calling it returns its messages.

    Below the decorator of a call, or above it, the function becomes the prompt of that call.

    Args:
        template: the template, in place of the docstring; see `PromptTemplate`. None for a function
            that returns its messages.

    Raises:
        PromptError: the template's braces don't match.
        UsageError: the decorator stands above another one that wraps a call.
    """
    if template is not None:
        PromptTemplate(template, owner="the template")

    def decorate(fn: Callable[..., Any]) -> Any:
        call: _Mark | None = getattr(fn, _CALL, None)
        if call is None or call.decorate is None:
            return _prompt_function(fn, template)
        if call.made is not fn:
            raise UsageError(
                f"@prompt_template stands above a decorator of the call {call.made.__name__!r}: "
                "write it below the call"
            )
        return call.decorate(_prompt_function(call.function, template))

    return cast("PromptDecorator", decorate)


def mark_call(
    made: Callable[..., Any],
    prompt: FunctionPrompt,
    decorate: Callable[[Callable[..., Any]], Any],
) -> Callable[..., Any]:
    """Remember how a call was decorated, for a `@prompt_template` above it."""
    setattr(made, _CALL, _Mark(made, prompt.function, decorate=decorate))
    return made


def _prompt_function(fn: Callable[..., Any], template: str | None) -> Callable[..., Any]:
    function = FunctionPrompt(fn).function
    made: Callable[..., Any]
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def prompt_async(*args: Any, **kwargs: Any) -> PromptMessages:
            return prompt(args, kwargs, await function(*args, **kwargs))

        made = prompt_async
    else:

        @functools.wraps(function)
        def prompt_sync(*args: Any, **kwargs: Any) -> PromptMessages:
            return prompt(args, kwargs, function(*args, **kwargs))

        made = prompt_sync
    setattr(made, _PROMPT, _Mark(made, function, template))
    prompt = FunctionPrompt(made)
    return made
