"""Markets handed to compiled rules as one pointer.

Numba passes a `NamedTuple` of tables by value: each array is seven numbers or more, so a call with the `World` would copy three hundred
of them onto the stack, and every compiled function would carry as many arguments. A class marked `by_reference` goes as the address of
that tuple instead; `world.cdps` reads from it. Nothing else changes: in Python it is the same `NamedTuple`, and a rule cannot make one.
"""

# mypy: disable-error-code="misc,no-untyped-call,untyped-decorator,override"
# Numba has no types.

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

from numba.core import cgutils, types
from numba.core.imputils import impl_ret_borrowed, lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import NativeValue, models, register_model, typeof_impl, unbox

T = TypeVar("T", bound=type)


class Reference(types.Type):
    """Numba's type of a reference to a tuple of tables.

    Its name stands in the name of every compiled function that takes one, so it is short: a digest of the tuple's own.
    """

    def __init__(self, fields: types.NamedTuple) -> None:
        """Refer to a tuple of this type."""
        self.fields = fields
        digest = hashlib.sha256(fields.name.encode()).hexdigest()[:16]
        super().__init__(f"{fields.instance_class.__name__}_{digest}")


@register_model(Reference)
class ReferenceModel(models.PrimitiveModel):
    """A pointer to the tuple."""

    def __init__(self, manager: Any, reference: Reference) -> None:
        """Take the tuple's own layout."""
        super().__init__(manager, reference, manager.lookup(reference.fields).get_value_type().as_pointer())


@unbox(Reference)
def _unbox(reference: Reference, obj: Any, context: Any) -> NativeValue:
    """Read the tuple once, at the call from Python; it stands in the caller's frame."""
    native = context.unbox(reference.fields, obj)
    pointer = cgutils.alloca_once_value(context.builder, native.value)
    return NativeValue(pointer, is_error=native.is_error, cleanup=native.cleanup)


@infer_getattr
class _Columns(AttributeTemplate):
    """`world.cdps` has the type of that field."""

    key = Reference

    def generic_resolve(self, reference: Reference, name: str) -> Any:
        fields = reference.fields
        return fields.types[fields.fields.index(name)] if name in fields.fields else None


@lower_getattr_generic(Reference)
def _read(context: Any, builder: Any, reference: Reference, pointer: Any, name: str) -> Any:
    """Load one field."""
    at = reference.fields.fields.index(name)
    value = builder.load(cgutils.gep_inbounds(builder, pointer, 0, at))
    return impl_ret_borrowed(context, builder, reference.fields.types[at], value)


def by_reference(market: T) -> T:
    """Let instances of a `NamedTuple` class go to compiled rules as a pointer."""

    @typeof_impl.register(market)
    def typeof_market(value: Any, context: Any) -> Reference:
        return Reference(typeof_impl.dispatch(tuple)(value, context))

    return market
