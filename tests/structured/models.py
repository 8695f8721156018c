"""Response models that the tests of structured output share."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict


class Book(BaseModel):
    """A book that somebody recommends."""

    title: str
    author: str


class Genre(enum.Enum):
    FANTASY = "fantasy"
    CRIME = "crime"


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Movie(TypedDict):
    title: str


@dataclass
class Point:
    x: int
    y: int


# One model for each thing that APIs take differently.


class Tagged(BaseModel):
    pet: Pet


class Mapped(BaseModel):
    data: dict[str, int]


class Anything(BaseModel):
    a: Any


class Tupled(BaseModel):
    t: tuple[int, str]


class Defaulted(BaseModel):
    n: int = 3
    s: str | None = None
    tags: list[str] = []


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Bounded(BaseModel):
    n: Annotated[int, Field(ge=1, le=5)]
    s: Annotated[str, Field(min_length=2, pattern="^a")]
    items: Annotated[list[int], Field(min_length=2, max_length=3)]
    price: Decimal
    at: datetime


class Inner(BaseModel):
    """The inner one."""

    x: int


class Described(BaseModel):
    inner: Inner = Field(description="Which one")


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")

    x: int


SCHEMAS: list[type[BaseModel]] = [
    Tagged,
    Mapped,
    Anything,
    Tupled,
    Defaulted,
    Tree,
    Bounded,
    Described,
    Extra,
]
