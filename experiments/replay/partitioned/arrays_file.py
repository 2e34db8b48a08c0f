"""Named tuples and dataclasses of arrays in one file each, so that nothing is worked out twice.

An Arrow file, compressed, whole numbers as narrow as their range allows: what is read is equal to
what was written in type, shape and every bit, and may be written to, as read-only arrays would
have every compiled loop compiled once more.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from experiments.common.files import replacing

T = TypeVar("T")

TYPES = b"types"


def write_arrays(path: Path, tree: Any) -> None:
    """Write all arrays of a tree, whole or not at all.

    Args:
        path: The file; replaced if it is there.
        tree: A dataclass or named tuple of arrays, dictionaries of them, None, and further such.
    """
    found = dict(_leaves(tree, ""))
    columns = [_column(array) for array in found.values()]
    types = {name: array.dtype.str for name, array in found.items()}
    schema = pa.schema(
        [
            pa.field(name, column.type, metadata={TYPES: types[name]})
            for name, column in zip(found, columns, strict=True)
        ]
    )
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with (
        replacing(path) as unfinished,
        pa.OSFile(str(unfinished), "wb") as file,
        pa.ipc.new_file(file, schema, options=options) as writer,
    ):
        writer.write_batch(pa.record_batch(columns, schema=schema))


def read_arrays(path: Path, kind: type[T]) -> T:
    """Read what `write_arrays` wrote.

    Args:
        path: The file.
        kind: The class of what was written.

    Raises:
        FileNotFoundError: If there is none.
    """
    with pa.OSFile(str(path)) as file:
        batch = pa.ipc.open_file(file).get_batch(0)
        found = {
            field.name: _array(batch.column(number), field.metadata[TYPES].decode())
            for number, field in enumerate(batch.schema)
        }
    tree: T = _tree(kind, found, "")
    return tree


def _leaves(value: Any, name: str) -> Iterator[tuple[str, NDArray[Any]]]:
    if isinstance(value, np.ndarray):
        yield name, value
    elif value is not None:
        for key, child in _children(value):
            yield from _leaves(child, f"{name}.{key}" if name else str(key))


def _children(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in fields(value))
    else:
        yield from value._asdict().items()


def _tree(kind: Any, found: dict[str, NDArray[Any]], name: str) -> Any:
    """What the arrays are of, as the types of its fields say."""
    if get_origin(kind) is UnionType:
        if not _mine(found, name):
            return None
        (kind,) = (choice for choice in get_args(kind) if choice is not NoneType)
    if get_origin(kind) is np.ndarray:
        return found[name]
    if get_origin(kind) is dict:
        key_type, _ = get_args(kind)
        return {key_type(key.removeprefix(f"{name}.")): found[key] for key in _mine(found, name)}
    return kind(
        **{
            field: _tree(child, found, f"{name}.{field}" if name else field)
            for field, child in get_type_hints(kind).items()
        }
    )


def _mine(found: dict[str, NDArray[Any]], name: str) -> list[str]:
    return [key for key in found if key == name or key.startswith(f"{name}.")]


def _column(array: NDArray[Any]) -> pa.Array:
    """An array as one cell of a column; `array` is flat."""
    values: NDArray[Any] = array.view(np.uint8) if array.dtype == np.bool_ else array
    if values.dtype == np.int64 and len(values) and _is_narrow(values):
        values = values.astype(np.int32)
    cell = pa.array(np.ascontiguousarray(values))
    return pa.LargeListArray.from_arrays(pa.array([0, len(cell)], pa.int64()), cell)


def _is_narrow(values: NDArray[Any]) -> bool:
    limits = np.iinfo(np.int32)
    return bool(values.min() >= limits.min and values.max() <= limits.max)


def _array(column: pa.Array, dtype: str) -> NDArray[Any]:
    values = column.values.to_numpy(zero_copy_only=True)
    if np.dtype(dtype) == np.bool_:
        return np.array(values).view(np.bool_)
    array: NDArray[Any] = values.astype(dtype)
    return array
