"""The rooms of the package: what each may import, as a table; `CONTRIBUTING.md` draws it."""

import grimp
import pytest

#: Room -> rooms that its modules may import; none of them leads back.
FLOOR = {
    "_deprecated",
    "_kinds",
    "errors",
    "atomic",
    "fieldtypes",
    "provenance",
    "serialization",
    "text",
    "validation",
}
RESULTS = FLOOR | {"floats", "arithmetic", "perturbation", "reduction", "comparison"}
MAY_IMPORT = {
    "errors": set(),
    "atomic": set(),
    "fieldtypes": set(),
    "_kinds": set(),
    "text": set(),
    "_deprecated": set(),
    "provenance": {"errors", "fpdrift", "text"},
    "validation": {"errors"},
    "serialization": {"_kinds", "errors", "fieldtypes", "provenance"},
    "subprocesses": {"errors"},
    "floats": FLOOR,
    "arithmetic": FLOOR | {"floats"},
    "perturbation": FLOOR | {"floats"},
    "backends": FLOOR,
    "records": FLOOR,
    "recorded": FLOOR,
    "recorder": FLOOR | {"backends", "records"},
    "comparison": FLOOR | {"records"},
    "reduction": FLOOR | {"backends", "floats", "recorded", "subprocesses"},
    "training": FLOOR
    | {"backends", "floats", "perturbation", "recorder", "records", "subprocesses"},
    "ensembles": FLOOR | {"records", "subprocesses", "training"},
    "step_debug": FLOOR
    | {"backends", "comparison", "floats", "recorder", "records", "subprocesses", "training"},
    "lint": {"atomic", "errors"},
    "doctor": FLOOR | {"comparison", "lint", "recorder", "subprocesses"},
    "exports": FLOOR | {"comparison", "records"},
    "experiments": RESULTS | {"ensembles", "records", "step_debug", "subprocesses", "training"},
    "lessons": RESULTS | {"ensembles", "experiments", "fpdrift", "recorded", "training"},
    "plotting": RESULTS | {"experiments", "step_debug"},
    "slides": RESULTS | {"experiments", "lessons", "plotting", "recorded"},
    "cli": RESULTS
    | {"backends", "doctor", "ensembles", "experiments", "exports", "fpdrift", "lessons", "lint"}
    | {"plotting", "recorded", "records", "slides", "training"},
    "demo": {"cli"},
    "__main__": {"cli"},
    "drift": {"_deprecated"},
    "results": {"_deprecated"},
    "fpdrift": {"_kinds", "errors"},
}
#: Library -> the rooms that may import it.
IMPORTERS = {
    "matplotlib": {"plotting"},
    "tensorflow": {"backends"},
    "torch": {"backends"},
    "jax": {"backends"},
    "cupy": {"backends"},
    "keras": {"doctor", "recorder", "training", "step_debug"},
    "sklearn": {"training"},
    "rich": {"cli"},
}


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(
        *("fpdrift",), include_external_packages=True, exclude_type_checking_imports=True
    )


def room(module):
    return module.split(".")[1] if "." in module else module


def imports(graph):
    for module in graph.modules:
        if room(module) in MAY_IMPORT or module.startswith("fpdrift"):
            for used in graph.find_modules_directly_imported_by(module):
                yield module, used


def test_arrows_point_down_only(graph):
    """The table has no circle: each room can be built once those it imports are."""
    built, left = set(), dict(MAY_IMPORT)
    left["fpdrift"] = set()  # its lazy names import every room, but not before they are used
    while left:
        ready = {name for name, used in left.items() if used <= built}
        assert ready, sorted(left)
        built |= ready
        left = {name: used for name, used in left.items() if name not in built}


def test_each_room_imports_only_what_it_may(graph):
    wrong = [
        (module, used)
        for module, used in imports(graph)
        if used.startswith("fpdrift")
        and room(module) != room(used)
        and room(used) not in MAY_IMPORT[room(module)]
    ]
    assert wrong == []


def test_each_heavy_library_has_its_room(graph):
    wrong = [
        (module, used)
        for module, used in imports(graph)
        if used in IMPORTERS and room(module) not in IMPORTERS[used]
    ]
    assert wrong == []


def test_no_two_modules_import_each_other(graph):
    """Also inside a room: no circle of modules."""
    rooms = {room(module) for module in graph.modules if module.startswith("fpdrift.")}
    assert rooms | {"fpdrift"} == set(MAY_IMPORT)
    edges = {
        module: {
            used
            for used in graph.find_modules_directly_imported_by(module)
            if used.startswith("fpdrift.") and not is_package(graph, used)
        }
        for module in graph.modules
        if module.startswith("fpdrift.") and not is_package(graph, module)
    }
    while edges:
        ready = {module for module, used in edges.items() if not used & set(edges)}
        assert ready, circle(edges)
        edges = {module: used for module, used in edges.items() if module not in ready}


def is_package(graph, module):
    return bool(graph.find_children(module))


def circle(edges):
    """Modules that import each other, for the message."""
    inside = dict(edges)
    while True:
        ends = [m for m in inside if not any(m in used for used in inside.values())]
        if not ends:
            return {m: sorted(used & set(inside)) for m, used in inside.items()}
        for m in ends:
            del inside[m]


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_the_table_has_no_room_that_nobody_has(graph, name):
    assert name == "fpdrift" or f"fpdrift.{name}" in graph.modules
