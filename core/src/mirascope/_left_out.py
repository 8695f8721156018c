"""What Mirascope v1 had and is not here: each name, and what to write in its place.

A program of v1 shall learn more than that a name is missing. `Finder` is asked for a module that
nobody else has found; `from mirascope.core import BasePrompt` asks for `mirascope.core.BasePrompt`
once the package has no such attribute, so one place answers for modules and for names in packages.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_PART = (
    "put a part in the provider's own form into the content of a message, such as "
    "{'type': 'text', 'text': …, 'cache_control': {'type': 'ephemeral'}}"
)
_STRUCTURED = "response_model=Book gives a value of your type, and streams it: docs/structured.md"
_PROVIDER = "a provider's name is a string: annotate it with str"
_COST = "a response has .cost and .cost_details, and mirascope.core.prices.cost prices a usage"
_CALL_PARAMS = "use those of a provider, such as openai.OpenAICallParams"
_METADATA = "return {'metadata': {…}} from the function"
_AGAIN = "decorate the undecorated function again, as in call('anthropic/…')(fn)"

NAMES = {
    "AudioSegment": "use AudioPart with the bytes of the file, or a pathlib.Path",
    "BaseCallKwargs": "a response has .call_kwargs, a dict",
    "BaseCallParams": _CALL_PARAMS,
    "BasePrompt": "write a function with @prompt_template",
    "BaseStructuredStream": _STRUCTURED,
    "BaseType": _STRUCTURED,
    "CacheControlPart": _PART,
    "CommonCallParams": _CALL_PARAMS,
    "CostMetadata": _COST,
    "GenerateJsonSchemaNoTitles": "a tool has tool_parameters()",
    "JsonableType": "a result that is not a string goes to the model as JSON: annotate it with Any",
    "LocalProvider": _PROVIDER,
    "Metadata": _METADATA,
    "Provider": _PROVIDER,
    "ResponseModelConfigDict": _STRUCTURED,
    "ToolCallPart": "send back the message_param of the response that had the call",
    "ToolConfig": "set the API's own parameters in call_params",
    "ToolResultPart": "use response.tool_message_params([(tool, output)])",
    "calculate_cost": _COST,
    "call_factory": "a provider is a plugin, see docs/plugins.md",
    "context": _AGAIN,
    "costs": _COST,
    "merge_decorators": "write the decorators one above the other",
    "metadata": _METADATA,
    "override": _AGAIN,
    "transform_tool_outputs": "a result that is not a string goes to the model as JSON",
}
"""The neutral names of `mirascope`, `mirascope.core`, `mirascope.core.base` and `mirascope.llm`."""

MODULES = {
    "beta": "the Responses API of OpenAI is api='responses'",
    "experimental": "see docs/calls.md for what calls can do",
    "integrations": "an observer plugin sees every stream (docs/observers.md), or give the "
    "instrumented client of the SDK as client=",
    "mcp": "list the server's tools with the package 'mcp' and give functions that call them as "
    "tools",
    "retries": "put tenacity around the call (an error has its cause in error.__cause__); instead "
    "of fallback, except APIError and call the other function",
    "tools": "a tool is any function, or a subclass of BaseTool",
    "v0": "see docs/from-v1.md for what has taken its place",
}
"""The modules of `mirascope` itself."""

_NEUTRAL = ("mirascope", "mirascope.core", "mirascope.core.base", "mirascope.llm")


def refuse_overlay(package: str) -> None:
    """Refuse to run where the distribution `mirascope` has put its files among these.

    Both have a package of this name, and pip writes the one over the other without a word.

    Args:
        package: the folder of this package.

    Raises:
        ImportError: there are files of Mirascope v1 or v2.
    """
    from os.path import isdir, join

    if isdir(join(package, "core", "openai")) or isdir(join(package, "ops")):
        raise ImportError(
            "the distribution 'mirascope' (v1 or v2) has put its files over those of "
            "'mirascope-core': uninstall both, then install mirascope-core in an environment "
            "without it",
            name="mirascope",
        )


class Finder:
    """Raises for a module or name that was left out; finds nothing.

    It stands last on `sys.meta_path`, so it is asked only where an import would fail anyway.
    """

    @classmethod
    def find_spec(
        cls,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
        /,
    ) -> ModuleSpec | None:
        """Return None; see the class.

        Raises:
            ImportError: the name was left out; what to write in its place.
        """
        if fullname.startswith("mirascope"):
            package, _, name = fullname.rpartition(".")
            if (words := way_out(package, name)) is not None:
                raise ImportError(words, name=fullname)
        return None


def attribute_error(package: str, name: str) -> AttributeError:
    """Return the error for an attribute that a package does not have."""
    words = way_out(package, name) or f"module {package!r} has no attribute {name!r}"
    return AttributeError(words, name=name)


def way_out(package: str, name: str) -> str | None:
    """Return what to write for a name of v1 that was left out, or None for any other name."""
    if package in _NEUTRAL and name in NAMES:
        return f"Mirascope v1's {name!r} is not here: {NAMES[name]}"
    if package == "mirascope" and name in MODULES:
        return f"Mirascope v1's {f'mirascope.{name}'!r} is not here: {MODULES[name]}"
    if package == "mirascope.core":
        from .core.plugins._discovery import installed_names
        from .core.plugins._elsewhere import ELSEWHERE

        if name in ELSEWHERE and name not in installed_names():
            return f"Mirascope v1's provider {name!r} is not here: {ELSEWHERE[name]}"
    if package.startswith("mirascope_") and name.endswith("ToolConfig"):
        return f"Mirascope v1's {name!r} is not here: {NAMES['ToolConfig']}"
    return None
