"""The neutral names by the module that programs written for Mirascope v1 import them from."""

from typing import TYPE_CHECKING

from ..._left_out import attribute_error as _attribute_error
from .._prices._usage import Usage
from .._provider._messages import BaseMessageParam, Messages
from .._provider._parts import (
    AudioPart,
    AudioURLPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
)
from .._request._prompt_function import BaseDynamicConfig, prompt_template
from .._response._async_stream import BaseAsyncStream
from .._response._call_response import BaseCallResponse
from .._response._call_response_chunk import BaseCallResponseChunk
from .._response._stream import BaseStream
from .._structured._from_call_args import FromCallArgs
from .._tools._base_tool import BaseTool
from .._tools._toolkit import BaseToolKit, toolkit_tool

__all__ = [
    "AudioPart",
    "AudioURLPart",
    "BaseAsyncStream",
    "BaseCallResponse",
    "BaseCallResponseChunk",
    "BaseDynamicConfig",
    "BaseMessageParam",
    "BaseStream",
    "BaseTool",
    "BaseToolKit",
    "DocumentPart",
    "DocumentURLPart",
    "FromCallArgs",
    "ImagePart",
    "ImageURLPart",
    "Messages",
    "TextPart",
    "Usage",
    "prompt_template",
    "toolkit_tool",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        raise _attribute_error(__name__, name)
