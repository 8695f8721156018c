"""Types to shapes."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import enum
import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

import typing_extensions
from pydantic import (
    BaseModel,
    ConfigDict,
    EncodedBytes,
    EncodedStr,
    ImportString,
    Json,
    JsonValue,
    RootModel,
    TypeAdapter,
)
from typing_extensions import is_typeddict

from ._fields import (
    QUALIFIERS,
    FieldKeys,
    fields_of_dataclass,
    fields_of_model,
    fields_of_typeddict,
)
from ._from_call_args import is_from_call_args
from ._partial_class import dataclass_maker, model_maker
from ._recursive_refs import classes_by_ref, is_recursive_ref
from ._root_models import RootShape
from ._rules import Rules
from ._shapes import (
    ANY,
    HIDDEN,
    ChoiceShape,
    DictMembers,
    FieldMembers,
    Items,
    LaterShape,
    LeafShape,
    ScalarShape,
    Shape,
    TextShape,
    TupleItems,
    is_hashable,
)
from ._type_names import ALIASES, arguments, bare, default, evaluated, literals
from ._unions import UnionShape

_LISTS: Final = frozenset(
    {
        list,
        collections.abc.Sequence,
        collections.abc.MutableSequence,
        collections.abc.Iterable,
        collections.abc.Collection,
    }
)
_BUILT_LISTS: Final[Mapping[Any, Callable[[list[Any]], Any]]] = {
    collections.deque: collections.deque,
    set: set,
    collections.abc.MutableSet: set,
    frozenset: frozenset,
    collections.abc.Set: frozenset,
}
_DICTS: Final = frozenset(
    {
        dict,
        collections.abc.Mapping,
        collections.abc.MutableMapping,
        collections.OrderedDict,
        collections.defaultdict,
    }
)
_WRITTEN: Final = frozenset(
    {"datetime", "decimal", "uuid", "pathlib", "ipaddress", "re", "fractions", "pydantic"}
)
"""The modules whose types pydantic builds of a whole JSON value, without code of the user's."""
_CODE: Final[Any] = ImportString
# What is written is not what these show, and only they know how to read it.
_ENCODED: Final[tuple[Any, ...]] = (EncodedBytes, EncodedStr, Json)


def shape_of(annotation: Any) -> Shape:
    """Return what a type looks like while its JSON arrives.

    Args:
        annotation: the type, as pydantic's `TypeAdapter` takes it. What is not known here, such as
            a class with validators of its own, is hidden until the whole is validated.
    """
    return shape_and_marks(annotation)[0]


def shape_and_marks(annotation: Any) -> tuple[Shape, int]:
    """Return the shape of a type, and how many fields in it are marked with `FromCallArgs`."""
    shapes = _Shapes(annotation)
    return shapes.of(annotation), shapes.marks


class _Shapes:
    """The shapes of a type and of what it refers to, itself perhaps."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[Any, Shape] = {}
        self._rules = Rules()
        self.marks = 0
        self._module = ""  # whose names stand in an alias that refers to itself

    def of(
        self,
        annotation: Any,
        metadata: Iterable[Any] = (),
        discriminator: Any = None,
        variables: Mapping[Any, Any] | None = None,
    ) -> Shape:
        """Return the shape of a type.

        Args:
            annotation: the type.
            metadata: what was declared about it.
            discriminator: what tells the members of a union apart, where that is declared.
            variables: what the type variables of a generic class stand for.
        """
        metadata = list(metadata)
        variables = variables or {}
        while True:
            if annotation is JsonValue:
                return ANY
            if isinstance(annotation, ALIASES) or isinstance(get_origin(annotation), ALIASES):
                return self._alias(annotation, metadata, discriminator)
            if get_origin(annotation) is Annotated:
                annotation, *more = get_args(annotation)
                metadata += more
            elif get_origin(annotation) in QUALIFIERS:
                annotation = get_args(annotation)[0]
            elif isinstance(annotation, typing.NewType):
                annotation = annotation.__supertype__
            elif isinstance(annotation, typing.TypeVar):
                annotation = variables.get(annotation, default(annotation))
            elif isinstance(annotation, (str, typing.ForwardRef)):
                annotation = evaluated(annotation, self._module)
            elif is_recursive_ref(annotation):
                annotation = self._by_ref.get(annotation.type_ref, Ellipsis)
            else:
                break
        if is_from_call_args(metadata):
            # The model does not write it.
            self.marks += 1
            return HIDDEN
        rules = self._rules.declared(metadata)
        for each in metadata:
            if isinstance(each, _ENCODED) or each in _ENCODED:
                return _encoded(annotation, each, rules)
        for each in metadata:
            found = getattr(each, "discriminator", None)
            discriminator = found if found is not None else discriminator
        return self._plain(annotation, discriminator, variables, rules)

    def _plain(
        self, annotation: Any, discriminator: Any, variables: Mapping[Any, Any], rules: Rules
    ) -> Shape:
        origin = get_origin(annotation)
        args = get_args(annotation)
        kind: Any = origin or annotation
        if annotation is Any or annotation is object or kind is collections.abc.Hashable:
            return ANY
        if annotation is str or annotation is typing_extensions.LiteralString:
            return TextShape(_as_text if rules.numbers_as_text else None)
        if annotation in (int, float, bool):
            return ScalarShape(annotation, strict=rules.strict)
        if annotation is None or annotation is types.NoneType:
            return ChoiceShape([None])
        if origin is Literal:
            convert = LeafShape(annotation, strict=rules.strict).leaf
            return ChoiceShape(literals(args), convert, plain=rules.plain_enums)
        if origin is Union or origin is types.UnionType:
            return self._union(args, discriminator, variables, rules)
        inner = [self.of(arg, variables=variables) for arg in args if arg is not Ellipsis]
        first = inner[0] if inner else ANY
        if kind is tuple:
            if not args or args[-1] is Ellipsis:
                return Items(first, tuple)
            return TupleItems(inner, tuple)
        if kind in _LISTS:
            return Items(first)
        if kind in _BUILT_LISTS:
            return Items(first, _BUILT_LISTS[kind], whole_only=kind is not collections.deque)
        if kind in _DICTS:
            is_text = first is ANY or isinstance(first, TextShape)
            return DictMembers(inner[1] if len(inner) > 1 else ANY, None if is_text else first)
        if not inspect.isclass(kind):
            return HIDDEN
        named = {**variables, **dict(zip(getattr(kind, "__parameters__", ()), args, strict=False))}
        return self._class(annotation, kind, named, rules)

    def _alias(self, alias: Any, metadata: list[Any], discriminator: Any) -> Shape:
        """Return the shape of a type that has a name, which may stand in it again."""
        if is_hashable(alias) and alias in self._known:
            return self._known[alias]
        later = LaterShape()
        if is_hashable(alias):
            self._known[alias] = later
        origin: Any = get_origin(alias)
        value = alias.__value__ if origin is None else origin.__value__
        named = {} if origin is None else arguments(origin.__type_params__, get_args(alias))
        module, self._module = self._module, alias.__module__
        try:
            found = self.of(value, metadata, discriminator, named)
        finally:
            self._module = module
        later.become(found)
        if is_hashable(alias):
            self._known[alias] = found
        return found

    def _union(
        self,
        args: tuple[Any, ...],
        discriminator: Any,
        variables: Mapping[Any, Any],
        rules: Rules,
    ) -> Shape:
        real = [arg for arg in args if arg is not types.NoneType]
        shapes = [self.of(arg, variables=variables) for arg in real]
        nullable = len(real) < len(args)
        if len(shapes) == 1 and not nullable:
            return shapes[0]
        scalars = [
            (arg, shape)
            for arg, shape in zip(real, shapes, strict=True)
            if shape is not HIDDEN and shape.members is None and shape.items is None
        ]
        scalar = HIDDEN
        if len(scalars) == 1:
            scalar = scalars[0][1]
        elif scalars:
            members = tuple(bare(arg, variables) for arg, _ in scalars)
            scalar = LeafShape(
                Union[members],  # noqa: UP007 - of any types
                strict=rules.strict,
                first_fits=rules.first_fits,
            )
        # A function that tells them apart is the user's own code, and does not run on partials.
        tag = discriminator if isinstance(discriminator, str) else None
        return UnionShape(shapes, scalar, nullable=nullable, tag=tag, grows=not rules.first_fits)

    def _class(
        self, annotation: Any, kind: type, variables: Mapping[Any, Any], rules: Rules
    ) -> Shape:
        cls: Any = kind
        if annotation in self._known:
            return self._known[annotation]
        if issubclass(cls, RootModel):
            return self._root_model(cast("type[RootModel[Any]]", annotation))
        if issubclass(cls, BaseModel):
            return self._model(cls)
        if dataclasses.is_dataclass(cls):
            return self._dataclass(annotation, cls, variables)
        if is_typeddict(cls):
            return self._typeddict(annotation, cls, variables)
        if issubclass(kind, tuple) and hasattr(cls, "_fields"):
            return self._named_tuple(cls, variables)
        if issubclass(cls, enum.Enum):
            # One that makes members itself is the user's code, and does not run on partials.
            is_own = cls._missing_.__func__.__module__ != enum.__name__
            convert = None if is_own else LeafShape(cls, strict=rules.strict).leaf
            return ChoiceShape(cls, convert, plain=rules.plain_enums)
        is_written = cls.__module__.partition(".")[0] in _WRITTEN or cls in (bytes, complex)
        if is_written and annotation is not _CODE:
            return LeafShape(annotation, strict=rules.strict)
        return HIDDEN

    def _model(self, model: type[BaseModel]) -> Shape:
        shape = self._known[model] = FieldMembers()
        shape.empty = dict.fromkeys(model.model_fields)
        shape.has_none = True
        self._fields(shape, fields_of_model(model), model.model_config, {})
        if model.model_config.get("extra") == "allow":
            shape.extra = self._with_rules(model.model_config, lambda: self._extra(model))
        shape.make = model_maker(model)
        return shape

    def _extra(self, model: type[BaseModel]) -> Shape:
        try:
            hint = typing.get_type_hints(model, include_extras=True)["__pydantic_extra__"]
        except Exception:
            # A type that only pydantic can find; it has found it, and its values are any here.
            return ANY
        members = self.of(hint).members
        return members.member("")[1] if isinstance(members, DictMembers) else ANY

    def _dataclass(self, annotation: Any, cls: Any, variables: Mapping[Any, Any]) -> Shape:
        if issubclass(cls, (BaseException, tuple, dict, list)):
            # Python makes no instance of these without their own constructor.
            return HIDDEN
        shape = self._known[annotation] = FieldMembers()
        shape.empty = {field.name: None for field in dataclasses.fields(cls)}
        shape.has_none = True
        config = getattr(cls, "__pydantic_config__", None)
        self._fields(shape, fields_of_dataclass(cls), config, variables)
        shape.make = dataclass_maker(cls)
        return shape

    def _typeddict(self, annotation: Any, cls: Any, variables: Mapping[Any, Any]) -> Shape:
        shape = self._known[annotation] = FieldMembers()
        config: Mapping[str, Any] = getattr(cls, "__pydantic_config__", None) or {}
        self._fields(shape, fields_of_typeddict(cls), config, variables)
        extra = getattr(cls, "__extra_items__", None)
        if config.get("extra") == "allow":
            shape.extra = ANY
        elif extra not in (None, typing_extensions.NoExtraItems, typing_extensions.Never):
            shape.extra = self._with_rules(config, lambda: self.of(extra, variables=variables))
        return shape

    def _named_tuple(self, cls: Any, variables: Mapping[Any, Any]) -> Shape:
        hints = typing.get_type_hints(cls, include_extras=True)
        names: Sequence[str] = cls._fields

        def build(items: list[Any]) -> Any:
            shown = items[: len(names)]
            return cast("Any", tuple).__new__(cls, [*shown, *[None] * (len(names) - len(shown))])

        shapes = [self.of(hints.get(name, Any), variables=variables) for name in names]
        return TupleItems(shapes, build)

    def _root_model(self, model: type[RootModel[Any]]) -> Shape:
        later = self._known[model] = LaterShape()
        field = model.model_fields["root"]
        inner = self._with_rules(
            model.model_config,
            lambda: self.of(field.annotation, field.metadata, field.discriminator),
        )
        shape = self._known[model] = RootShape(inner, model_maker(model))
        later.become(shape)
        return shape

    def _fields(
        self,
        shape: FieldMembers,
        fields: Iterable[FieldKeys],
        config: Mapping[str, Any] | None,
        variables: Mapping[Any, Any],
    ) -> None:
        def add() -> None:
            for field in fields:
                inner = self.of(field.annotation, field.metadata, field.discriminator, variables)
                for rank, key in enumerate(field.keys):
                    shape.fields[key] = (field.name, inner)
                    if len(field.keys) > 1:
                        shape.ranks[key] = rank

        self._with_rules(config, add)

    def _with_rules(self, config: Mapping[str, Any] | None, look: Callable[[], Any]) -> Any:
        before, self._rules = self._rules, Rules.of(config)
        try:
            return look()
        finally:
            self._rules = before

    @functools.cached_property
    def _by_ref(self) -> dict[str, Any]:
        return classes_by_ref(self._root)


_as_text: Final = TypeAdapter[Any](str, config=ConfigDict(coerce_numbers_to_str=True)).validate_json


def _encoded(annotation: Any, encoding: Any, rules: Rules) -> Shape:
    """Return the shape of a string that stands for another value, such as Base64."""
    encoder = getattr(encoding, "encoder", None)
    if encoder is None or not encoder.__module__.startswith("pydantic."):
        # The user's own code reads it, or what is in it has validators of its own.
        return HIDDEN
    return LeafShape(Annotated[annotation, encoding], strict=rules.strict)
