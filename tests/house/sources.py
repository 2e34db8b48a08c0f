"""Python sources as the house's rules see them: modules, their imports, their functions."""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Import(NamedTuple):
    """One name that a module imports: `target` is as long a dotted name as the source gives."""

    line: int
    target: str


class Module(NamedTuple):
    """One source file; `is_package` for an `__init__.py`."""

    name: str
    path: str
    source: str
    is_package: bool

    @property
    def n_lines(self) -> int:
        return len(self.source.splitlines())


@dataclass(frozen=True)
class Sources:
    """Source files by dotted name."""

    modules: dict[str, Module]

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        return {name: ast.parse(module.source) for name, module in self.modules.items()}

    @cached_property
    def imports(self) -> dict[str, list[Import]]:
        """Every import of every module, those inside functions and for types alone too."""
        return {name: _imports(self.trees[name], self.modules[name]) for name in self.modules}

    @cached_property
    def arrows(self) -> dict[str, dict[str, int]]:
        """For every module the modules here that it imports, and the line of the first import."""
        arrows: dict[str, dict[str, int]] = {}
        for name, imports in self.imports.items():
            homes = [(self.home_of(imported.target), imported.line) for imported in imports]
            arrows[name] = {}
            for home, line in homes:
                if home is not None and home != name:
                    arrows[name].setdefault(home, line)
        return arrows

    def home_of(self, target: str) -> str | None:
        """The module of `target`, itself or the one that holds it; none where it is not ours."""
        while target and target not in self.modules:
            target = target.rpartition(".")[0]
        return target or None


def read_sources(root: Path, *packages: str) -> Sources:
    """All source files of `packages`, which are folders of `root`."""
    paths = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    return made_of({str(path.relative_to(root)): path.read_text("utf-8") for path in paths})


def made_of(texts: dict[str, str]) -> Sources:
    """Sources from texts by path, as in ``{"shop/till.py": "import os"}``."""
    modules = {}
    for path, source in texts.items():
        parts = path.removesuffix(".py").split("/")
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        modules[name] = Module(name, path, source, is_package)
    return Sources(modules)


def _imports(tree: ast.Module, module: Module) -> list[Import]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [Import(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, module)
            found += [Import(node.lineno, f"{base}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Call) and _is_import_by_name(node):
            found += [Import(node.lineno, arg.value) for arg in node.args if _is_text(arg)]
    return sorted(found)


def _base(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    # One dot is the package that holds the module; a package's own `__init__` is inside already.
    package = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*package, *([node.module] if node.module else [])])


def _is_import_by_name(node: ast.Call) -> bool:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
