"""Vectors of a fixed number of coordinates, in which the kernel's sums over D are taken.

A compiler that is free to regroup a sum picks its order by whether memory overlaps, by strides
and by trip counts: the same problem then has other last digits in another thread or at another
address. Here the order is written down. A `Lanes` is one register's worth of coordinates;
coordinate d of a span belongs to lane ``(d - lo) % count``, and `total` adds the lanes in one
tree. The only thing left to the machine is `multiply_add`, which rounds once where the
instruction set has such an instruction and twice where it has not: one instruction set, one
result, wherever the memory lies and however the work is cut.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

LANE_BYTES = 32
"""Bytes of a `Lanes`: an AVX register; other machines take it in halves."""


class Lanes(types.Type):
    """Numba's type of ``count`` numbers of one floating type, side by side."""

    def __init__(self, scalar: Any) -> None:
        self.scalar = scalar
        self.count = LANE_BYTES * 8 // scalar.bitwidth
        super().__init__(name=f"Lanes({scalar} x {self.count})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        scalar = manager.lookup(lanes.scalar).get_value_type()
        super().__init__(manager, lanes, ir.VectorType(scalar, lanes.count))


def _lanes_of(matrix: Any) -> Lanes:
    fits = isinstance(matrix, types.Array) and matrix.ndim == 2 and matrix.layout == "C"
    if not fits or matrix.dtype not in (types.float32, types.float64):
        raise TypingError(f"lanes are taken from C-contiguous matrices of floats, not {matrix}")
    return Lanes(matrix.dtype)


@intrinsic
def lane_count(typing_context, matrix):
    """How many of the matrix's numbers are side by side."""
    count = _lanes_of(matrix).count

    def make(context, builder, signature, arguments):
        return context.get_constant(types.int64, count)

    return types.int64(matrix), make


def _address(context, builder, matrix, values):
    """Address of ``matrix[row, d]``, the mask of the first `count` lanes, and the lanes' type."""
    array, row, d, count = values
    array = context.make_array(matrix)(context, builder, array)
    place = cgutils.get_item_pointer(context, builder, matrix, array, [row, d])
    lanes = _lanes_of(matrix)
    vector = context.get_value_type(lanes)
    numbers = ir.Constant(ir.VectorType(ir.IntType(64), lanes.count), list(range(lanes.count)))
    mask = builder.icmp_signed("<", numbers, _splat(builder, count, lanes.count))
    return builder.bitcast(place, vector.as_pointer()), mask, vector


def _splat(builder, value, count):
    vector = ir.VectorType(value.type, count)
    zero = ir.Constant(ir.IntType(32), 0)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, zero)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def _suffix(vector):
    kind = "f32" if isinstance(vector.element, ir.FloatType) else "f64"
    return f"v{vector.count}{kind}"


def _declared(builder, name, result, arguments):
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def _align(matrix):
    return ir.Constant(ir.IntType(32), matrix.dtype.bitwidth // 8)


@intrinsic
def load(typing_context, matrix, row, d, count):
    """The first `count` coordinates of a row from d on; the other lanes are 0."""

    def make(context, builder, signature, arguments):
        place, mask, vector = _address(context, builder, matrix, arguments)
        zero = ir.Constant(vector, None)
        name = f"llvm.masked.load.{_suffix(vector)}.p0"
        return _declared(builder, name, vector, [place, _align(matrix), mask, zero])

    return _lanes_of(matrix)(matrix, types.int64, types.int64, types.int64), make


@intrinsic
def store(typing_context, matrix, row, d, count, lanes):
    """Write the first `count` lanes over the coordinates of a row from d on."""

    def make(context, builder, signature, arguments):
        place, mask, vector = _address(context, builder, matrix, arguments[:4])
        name = f"llvm.masked.store.{_suffix(vector)}.p0"
        _declared(builder, name, ir.VoidType(), [arguments[4], place, _align(matrix), mask])
        return context.get_dummy_value()

    whole = _lanes_of(matrix)
    return types.none(matrix, types.int64, types.int64, types.int64, whole), make


@intrinsic
def spread(typing_context, matrix, value):
    """One number, in the matrix's type, in every lane."""
    lanes = _lanes_of(matrix)

    def make(context, builder, signature, arguments):
        return _splat(builder, arguments[1], lanes.count)

    return lanes(matrix, lanes.scalar), make


@intrinsic
def multiply_add(typing_context, left, right, addend):
    """left · right + addend, rounded once where the machine can."""

    def make(context, builder, signature, arguments):
        vector = arguments[0].type
        return _declared(builder, f"llvm.fmuladd.{_suffix(vector)}", vector, list(arguments))

    return left(left, left, left), make


def _unary(name):
    def make(context, builder, signature, arguments):
        vector = arguments[0].type
        return _declared(builder, f"llvm.{name}.{_suffix(vector)}", vector, list(arguments))

    return make


@intrinsic
def magnitude(typing_context, lanes):
    """|x| of every lane."""
    return lanes(lanes), _unary("fabs")


@intrinsic
def root(typing_context, lanes):
    """√x of every lane."""
    return lanes(lanes), _unary("sqrt")


@intrinsic
def total(typing_context, lanes):
    """The sum of all lanes: halves are added until one number is left."""

    def make(context, builder, signature, arguments):
        (vector,), count = arguments, lanes.count
        while count > 1:
            count //= 2
            low, high = (_picked(builder, vector, range(at, at + count)) for at in (0, count))
            vector = builder.fadd(low, high)
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    return lanes.scalar(lanes), make


def _picked(builder, vector, places):
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), list(places))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _lower_operator(operation, method):
    @type_callable(operation)
    def type_it(context):
        def typer(left, right):
            return left if isinstance(left, Lanes) and left == right else None

        return typer

    @lower_builtin(operation, Lanes, Lanes)
    def lower_it(context, builder, signature, arguments):
        return getattr(builder, method)(*arguments)


for _operation, _method in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _lower_operator(_operation, _method)
