"""The rules of the house; each returns what breaks it, a sentence a case."""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from tests.house.sources import Function, Module, Sources

MOST_LINES, MOST_PARAMETERS, UNTESTED = 400, 7, 100
LONGEST_FUNCTION, REASON = 40, "# Long because "


def upward_arrows(
    sources: Sources, package: str, rooms: Sequence[str], exempt: Collection[str] = ()
) -> list[str]:
    """Imports of a room by one that stands below it, and files in a room that is not planned.

    Args:
        sources: All sources; looked at are those of `package`.
        package: Whose rooms these are; "" for the top-level packages themselves.
        rooms: Names of its sub-packages from top to bottom; "" is the files beside them.
        exempt: Modules that may import from above.
    """
    height = {room: len(rooms) - row for row, room in enumerate(rooms)}
    broken = []
    for name, module in sources.modules.items():
        room = room_of(sources, name, package)
        if room is not None and room not in height:
            broken.append(f"{module.path}: the plan knows no room {room!r} in {package or '/'}")
        if room not in height or name in exempt:
            continue
        for target, line in sources.arrows[name].items():
            other = room_of(sources, target, package)
            if other in height and height[other] > height[room]:
                why = f"{room or 'root'} is below {other or 'root'}"
                broken.append(_arrow(sources, name, line, target, why))
    return broken


def room_of(sources: Sources, name: str, package: str) -> str | None:
    """The room of `package` that module `name` lies in; none where it lies outside `package`."""
    prefix = f"{package}." if package else ""
    if name == package:
        return ""
    if not name.startswith(prefix):
        return None
    first, _, rest = name.removeprefix(prefix).partition(".")
    is_file = not rest and not sources.modules[name].is_package
    return "" if is_file else first


def circles(arrows: Mapping[str, Collection[str]]) -> list[str]:
    """Groups of nodes each of which reaches all others of its group."""
    reached = {node: _reach(arrows, node) for node in arrows}
    groups = {
        frozenset(other for other in reached[node] if node in reached.get(other, ()))
        for node in arrows
        if node in reached[node]
    }
    return sorted("circle: " + ", ".join(sorted(group)) for group in groups)


def room_arrows(sources: Sources, package: str) -> dict[str, set[str]]:
    """Which room of `package` imports which others; the files beside the rooms are no room."""
    arrows: dict[str, set[str]] = {}
    for name, targets in sources.arrows.items():
        room = room_of(sources, name, package)
        others = {room_of(sources, target, package) for target in targets}
        if room:
            arrows.setdefault(room, set()).update(other for other in others - {room} if other)
    return arrows


def foreign_imports(
    sources: Sources, readers: str, known: str, allowed: Collection[str]
) -> list[str]:
    """Imports by modules under `readers` of modules under `known` that are not under `allowed`."""
    return [
        _arrow(sources, name, line, target, f"{readers} may not read it")
        for name, targets in sources.arrows.items()
        if is_under(name, [readers])
        for target, line in targets.items()
        if is_under(target, [known]) and not is_under(target, [*allowed, readers])
    ]


def names_used(sources: Sources, readers: str, owner: str) -> dict[str, str]:
    """Names from modules under `owner` that modules under `readers` import, with where."""
    return {
        target.rpartition(".")[2]: f"{sources.modules[name].path}:{line}"
        for name, imports in sources.imports.items()
        if is_under(name, [readers])
        for line, target in imports
        if is_under(target, [owner]) and target not in sources.modules
    }


def strayed_libraries(sources: Sources, homes: Mapping[str, Collection[str]]) -> list[str]:
    """Imports of a library outside the modules and packages that may know it."""
    broken = [
        f"{sources.modules[name].path}:{line}: {library} is for {', '.join(sorted(homes[library]))}"
        for name, imports in sources.imports.items()
        for line, target in imports
        if (library := target.partition(".")[0]) in homes and not is_under(name, homes[library])
    ]
    return list(dict.fromkeys(broken))


def furnished_doors(sources: Sources, exempt: Collection[str]) -> list[str]:
    """`__init__.py` files that are not one docstring and nothing else."""
    return [
        f"{module.path}: an __init__.py holds the room's charter as docstring and nothing else"
        for name, module in sources.modules.items()
        if module.is_package and name not in exempt and not _is_docstring_only(sources.trees[name])
    ]


def long_files(sources: Sources) -> list[str]:
    """Files of more lines than can be read at one go."""
    return [
        f"{module.path}: {module.n_lines} lines, at most {MOST_LINES}"
        for module in sources.modules.values()
        if module.n_lines > MOST_LINES
    ]


def long_functions(sources: Sources) -> list[str]:
    """Functions too long, docstring apart, that do not say why: ``# Long because …``.

    The reason stands above the function (or its decorators) or between its first line and its
    first statement.
    """
    return [
        f"{where}: {n_lines} lines, at most {LONGEST_FUNCTION} or a comment '{REASON}…'"
        for module, function, where in _functions(sources)
        if (n_lines := _n_lines(function)) > LONGEST_FUNCTION and not _has_reason(module, function)
    ]


def many_parameters(sources: Sources, exempt: Collection[str]) -> list[str]:
    """Functions with too many parameters, other than compiled and exempt ones."""
    return [
        f"{where}: {n_parameters} parameters, at most {MOST_PARAMETERS} outside compiled code"
        for module, function, where in _functions(sources)
        if (n_parameters := _n_parameters(function)) > MOST_PARAMETERS
        and not _is_compiled(function)
        and f"{module.name}.{function.name}" not in exempt
    ]


def untested_modules(sources: Sources, tests: Path) -> list[str]:
    """Modules worth a test module of their name that have none at the same place in `tests`."""
    missing = []
    for module in sources.modules.values():
        folder, _, name = module.path.rpartition("/")
        wanted = tests / folder / f"test_{name}"
        if module.n_lines > UNTESTED and not module.is_package and not wanted.is_file():
            shown = wanted.relative_to(tests.parent)
            missing.append(f"{module.path}: {module.n_lines} lines and no {shown}")
    return missing


def is_under(name: str, packages: Collection[str]) -> bool:
    """Whether a module or name is one of `packages` or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _reach(arrows: Mapping[str, Collection[str]], start: str) -> set[str]:
    reached: set[str] = set()
    ahead = list(arrows[start])
    while ahead:
        node = ahead.pop()
        if node not in reached:
            reached.add(node)
            ahead += arrows.get(node, ())
    return reached


def _arrow(sources: Sources, name: str, line: int, target: str, why: str) -> str:
    return f"{sources.modules[name].path}:{line}: {name} → {target} ({why})"


def _is_docstring_only(tree: ast.Module) -> bool:
    return len(tree.body) == 1 and ast.get_docstring(tree) is not None


def _functions(sources: Sources) -> Iterator[tuple[Module, Function, str]]:
    for name, module in sources.modules.items():
        for node in ast.walk(sources.trees[name]):
            if isinstance(node, Function):
                yield module, node, f"{module.path}:{node.lineno}: {node.name}"


def _n_lines(function: Function) -> int:
    n_lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return n_lines
    docstring = function.body[0]
    return n_lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def _has_reason(module: Module, function: Function) -> bool:
    decorators = [decorator.lineno for decorator in function.decorator_list]
    first = min([function.lineno, *decorators])
    has_docstring = ast.get_docstring(function) is not None
    body = function.body[has_docstring:] or function.body
    lines = module.source.splitlines()
    above = first - 2  # the comment above may run over several lines
    while above >= 0 and lines[above].lstrip().startswith("#"):
        if lines[above].lstrip().startswith(REASON):
            return True
        above -= 1
    return any(line.lstrip().startswith(REASON) for line in lines[first - 1 : body[0].lineno - 1])


def _n_parameters(function: Function) -> int:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return sum(argument.arg not in {"self", "cls"} for argument in named)


def _is_compiled(function: Function) -> bool:
    called = [
        decorator.func if isinstance(decorator, ast.Call) else decorator
        for decorator in function.decorator_list
    ]
    names = [
        node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in called
    ]
    return "compiled" in names
