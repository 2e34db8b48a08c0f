"""The rules can fail: each against a made-up house with one fault in it, and one without."""

from pathlib import Path

import pytest

from tests.house import rules
from tests.house.sources import Sources, made_of


def shop(**texts: str) -> Sources:
    """Sources of a package `shop`; a double underscore in a name is a folder."""
    doors = {
        f"shop/{name.rpartition('__')[0]}/__init__.py": '"""A room."""'
        for name in texts
        if "__" in name
    }
    files = {f"shop/{name.replace('__', '/')}.py": text for name, text in texts.items()}
    return made_of({"shop/__init__.py": '"""A shop."""', **doors, **files})


@pytest.mark.parametrize(
    "source",
    [
        "import shop.attic.roof",
        "from shop.attic import roof",
        "from shop.attic.roof import tile",
        "from ..attic import roof",
        "from ..attic.roof import tile",
        "def later():\n    from shop.attic import roof",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import shop.attic.roof",
        "from importlib import import_module\nimport_module('shop.attic.roof')",
    ],
)
def test_every_kind_of_import_upward_is_seen(source: str) -> None:
    sources = shop(cellar__wine=source, attic__roof="tile = 1")
    broken = rules.upward_arrows(sources, "shop", ["attic", "cellar", ""])
    line = len(source.splitlines())
    assert len(broken) == 1
    assert broken[0].startswith(f"shop/cellar/wine.py:{line}: shop.cellar.wine → shop.attic")
    assert rules.upward_arrows(sources, "shop", ["cellar", "attic", ""]) == []


def test_files_beside_the_rooms_have_their_place_too() -> None:
    sources = shop(attic__roof="import shop.till", till="pass")
    assert rules.upward_arrows(sources, "shop", ["attic", ""]) == []
    assert "attic is below root" in rules.upward_arrows(sources, "shop", ["", "attic"])[0]


def test_a_room_that_is_not_planned_is_named() -> None:
    broken = rules.upward_arrows(shop(garage__car="pass"), "shop", ["", "attic"])
    assert len(broken) == 2  # the room's door and its file
    assert "the plan knows no room 'garage' in shop" in broken[0]


def test_an_exempt_module_may_import_from_above_and_no_other() -> None:
    sources = shop(a="import shop.attic.roof", b="import shop.attic.roof", attic__roof="pass")
    broken = rules.upward_arrows(sources, "shop", ["attic", ""], exempt={"shop.a"})
    assert [case.split(":")[0] for case in broken] == ["shop/b.py"]


def test_a_package_may_not_import_one_above_it() -> None:
    sources = made_of({"tool.py": "import shop.till", "shop/till.py": "pass"})
    assert rules.upward_arrows(sources, "", ["", "shop"]) == []
    sources = made_of({"tool/a.py": "import shop.till", "shop/till.py": "pass"})
    assert len(rules.upward_arrows(sources, "", ["shop", "tool"])) == 1


def test_a_circle_of_three_files_is_found_and_its_tail_left_out() -> None:
    sources = shop(
        a="import shop.b", b="import shop.c", c="import shop.a", d="import shop.a", e="pass"
    )
    assert rules.circles(sources.arrows) == ["circle: shop.a, shop.b, shop.c"]


def test_two_circles_are_told_apart_and_a_line_is_none() -> None:
    assert rules.circles({"a": "b", "b": "a", "c": "d", "d": "c"}) == [
        "circle: a, b",
        "circle: c, d",
    ]
    assert rules.circles({"a": "b", "b": "c", "c": ""}) == []


def test_rooms_can_run_in_a_circle_where_files_do_not() -> None:
    sources = shop(
        attic__roof="import shop.cellar.wine",
        attic__sky="",
        cellar__wine="",
        cellar__rack="import shop.attic.sky",
    )
    assert rules.circles(sources.arrows) == []
    assert rules.circles(rules.room_arrows(sources, "shop")) == ["circle: attic, cellar"]


def test_a_library_outside_its_room_is_found_whatever_its_depth() -> None:
    homes = {"numba": {"shop.cellar"}}
    source = "def f():\n    from numba.core import caching"
    assert rules.strayed_libraries(shop(cellar__wine=source), homes) == []
    assert rules.strayed_libraries(shop(attic__roof=source), homes) == [
        "shop/attic/roof.py:2: numba is for shop.cellar"
    ]
    assert rules.strayed_libraries(shop(cellars__roof="import numba"), homes) != []


def test_a_reader_may_read_what_is_allowed_and_itself() -> None:
    sources = shop(
        attic__roof="import shop.cellar.wine\nimport shop.cellar.rack\nimport shop.attic.sky",
        attic__sky="pass",
        cellar__wine="pass",
        cellar__rack="pass",
    )
    broken = rules.foreign_imports(sources, "shop.attic", "shop", ["shop.cellar.wine"])
    assert broken == [
        "shop/attic/roof.py:2: shop.attic.roof → shop.cellar.rack (shop.attic may not read it)"
    ]


def test_names_that_are_imported_are_listed_and_modules_are_none() -> None:
    sources = shop(
        attic__roof="from shop.cellar import wine\nfrom shop.cellar.wine import red, white",
        cellar__wine="red = white = 1",
    )
    used = rules.names_used(sources, "shop.attic", "shop.cellar")
    assert used == {"red": "shop/attic/roof.py:2", "white": "shop/attic/roof.py:2"}


@pytest.mark.parametrize("source", ["", "import os", '"""A room."""\nimport os'])
def test_a_door_with_more_or_less_than_a_charter_is_found(source: str) -> None:
    sources = made_of({"shop/__init__.py": source})
    assert len(rules.furnished_doors(sources, set())) == 1
    assert rules.furnished_doors(sources, {"shop"}) == []
    assert rules.furnished_doors(made_of({"shop/__init__.py": '"""A room."""'}), set()) == []


def test_a_file_may_have_400_lines_and_no_more() -> None:
    assert rules.long_files(shop(a="x = 1\n" * 400)) == []
    assert rules.long_files(shop(a="x = 1\n" * 401)) == ["shop/a.py: 401 lines, at most 400"]


def test_a_function_may_have_40_lines_beside_its_docstring() -> None:
    body = '    """Do.\n\n    Much.\n    """\n' + "    x = 1\n" * 39
    assert rules.long_functions(shop(a="def f():\n" + body)) == []
    longer = rules.long_functions(shop(a="\ndef f():\n" + body + "    y = 1\n"))
    assert [case.partition(",")[0] for case in longer] == ["shop/a.py:2: f: 41 lines"]


@pytest.mark.parametrize(
    "source",
    [
        "# Long because one loop.\ndef f():\n",
        "# Long because one loop,\n# which is true.\n@fast\ndef f():\n",
        '@fast\ndef f(\n    a,\n):\n    """Do."""\n    # Long because one loop.\n',
        "def f():\n    # Long because one loop.\n",
    ],
)
def test_a_long_function_may_say_why(source: str) -> None:
    assert rules.long_functions(shop(a="x = 0\n" + source + "    x = 1\n" * 50)) == []
    silent = source.replace("Long because", "Of")
    assert len(rules.long_functions(shop(a="x = 0\n" + silent + "    x = 1\n" * 50))) == 1


def test_a_reason_further_down_or_at_another_function_is_none() -> None:
    other = "# Long because one loop.\nx = 0\ndef f():\n    x = 1\n    # Long because it is.\n"
    assert len(rules.long_functions(shop(a=other + "    x = 1\n" * 50))) == 1


def test_seven_parameters_are_enough_however_they_are_given() -> None:
    seven = "class A:\n    def f(self, a, /, b, c, *d, e, f, **g): pass"
    assert rules.many_parameters(shop(a=seven), set()) == []
    eight = seven.replace("b,", "b, h,")
    assert rules.many_parameters(shop(a=eight), set()) == [
        "shop/a.py:2: f: 8 parameters, at most 7 outside compiled code"
    ]
    assert rules.many_parameters(shop(a=eight), {"shop.a.f"}) == []


@pytest.mark.parametrize("decorator", ["compiled", "compiled(inline=True)", "jit.compiled()"])
def test_compiled_code_may_have_more_parameters(decorator: str) -> None:
    source = f"@{decorator}\ndef f(a, b, c, d, e, f, g, h): pass"
    assert rules.many_parameters(shop(a=source), set()) == []
    assert len(rules.many_parameters(shop(a=source.replace("compiled", "cached")), set())) == 1


def test_a_module_of_over_100_lines_needs_tests_at_its_place(tmp_path: Path) -> None:
    sources = shop(attic__roof="x = 1\n" * 101, attic__sky="x = 1\n" * 100)
    tests = tmp_path / "tests"
    assert rules.untested_modules(sources, tests) == [
        "shop/attic/roof.py: 101 lines and no tests/shop/attic/test_roof.py"
    ]
    (tests / "shop" / "attic").mkdir(parents=True)
    (tests / "shop" / "attic" / "test_roof.py").touch()
    assert rules.untested_modules(sources, tests) == []
