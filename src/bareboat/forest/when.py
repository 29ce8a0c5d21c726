"""A method that only some objects have, so that `hasattr` tells the truth: scikit-learn's `available_if`."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")


class _When(Generic[P, R]):
    """The descriptor of such a method."""

    def __init__(self, method: Callable[Concatenate[Any, P], R], condition: str, otherwise: str) -> None:
        self._method = method
        self._condition = condition
        self._otherwise = otherwise
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[Concatenate[Any, P], R]: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> Callable[P, R]: ...
    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        if instance is None:
            return self._method
        if not getattr(instance, self._condition):
            raise AttributeError(self._otherwise)
        return MethodType(self._method, instance)


def only_when(condition: str, otherwise: str) -> Callable[[Callable[Concatenate[Any, P], R]], _When[P, R]]:
    """Give a method to those objects only whose attribute `condition` is true.

    Args:
        condition: the attribute's name.
        otherwise: what the AttributeError of the others says.
    """
    return lambda method: _When(method, condition, otherwise)
