"""The house: which module may import which, how modules are called, how long they are (the design's section 3)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "simulator").rglob("*.py"))
FRAMEWORKS = {"apispec", "flask", "marshmallow", "werkzeug"}
LONGEST = 300
NAMELESS = {"base", "helper", "helpers", "manager", "managers", "util", "utils"}


def module(file: Path) -> str:
    """The name by which a file is imported."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(file): ast.parse(file.read_text("utf-8")) for file in FILES}


def within(name: str, *packages: str) -> bool:
    """Whether a name is one of the packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The full names of all that the nodes import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, but for what type checkers alone see."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from at_run_time(node)


def is_standard(name: str) -> bool:
    """Whether a name is of the standard library."""
    return name.partition(".")[0] in sys.stdlib_module_names


def is_third_party(name: str) -> bool:
    """Whether a name is neither ours nor of the standard library."""
    return not is_standard(name) and not within(name, "simulator")


def offences(layer: str, *allowed: str, third_party: bool = False) -> list[str]:
    """What modules of a layer import without being allowed to."""
    return [
        f"{importer} imports {name}"
        for importer, tree in MODULES.items()
        if within(importer, layer)
        for name in imports(ast.walk(tree))
        if not (is_standard(name) or within(name, *allowed) or (third_party and is_third_party(name)))
    ]


@pytest.mark.parametrize("layer", ["domain", "service", "adapters", "web"])
def test_there_is_something_in_each_layer_to_look_at(layer: str) -> None:
    found = [name for name in MODULES if within(name, f"simulator.{layer}")]
    assert len(found) > 1
    assert any(list(imports(ast.walk(MODULES[name]))) for name in found)


def test_the_domain_imports_the_standard_library_only() -> None:
    assert offences("simulator.domain", "simulator.domain") == []


def test_services_import_the_domain_only() -> None:
    assert offences("simulator.service", "simulator.domain", "simulator.service") == []


def test_adapters_import_the_domain_and_libraries_only() -> None:
    assert offences("simulator.adapters", "simulator.domain", "simulator.adapters", third_party=True) == []


def test_the_web_imports_the_layers_below_it_and_the_settings() -> None:
    allowed = ("simulator.domain", "simulator.service", "simulator.web", "simulator.config", "simulator.__version__")
    assert offences("simulator.web", *allowed, third_party=True) == []


def test_web_frameworks_are_in_the_web_alone() -> None:
    strays = [
        f"{importer} imports {name}"
        for importer, tree in MODULES.items()
        if not within(importer, "simulator.web")
        for name in imports(at_run_time(tree))
        if within(name, *FRAMEWORKS)
    ]
    assert strays == []


def test_only_bootstrap_knows_which_adapters_are_in_use() -> None:
    importers = {
        importer
        for importer, tree in MODULES.items()
        if not within(importer, "simulator.adapters")
        for name in imports(ast.walk(tree))
        if within(name, "simulator.adapters")
    }
    assert importers == {"simulator.bootstrap"}


def test_a_modules_name_says_what_it_is() -> None:
    assert [name for name in MODULES if not NAMELESS.isdisjoint(name.split("."))] == []


def test_modules_are_short() -> None:
    lengths = {module(file): len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
