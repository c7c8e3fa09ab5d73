"""The whole DMTF schema: what the server makes of it against what pywbem's compiler makes of it.

The server was started with DMTF's zip; JOBWRIGHT_TEST_SCHEMA names a folder with its files. pywbem
is wrong in three points, in which DSP0004 2.8 wins:

* It drops the apostrophe of the escape \\' in strings (annex A), so apostrophes are not compared.
* Its mock calls elements that override propagated, and LocalOnly leaves them out; an element that a
  class declares again is its own (5.1.2.8). Of them is asked only that the server has them.
* Its mock gives no subclass the qualifiers of a class whose declaration names no flavor; the flavor
  is then ToSubclass (5.6.3), so an inherited qualifier that only the server has must be one of those.
"""

import itertools
import unittest

from common import *  # noqa: F403
from oracle import mock

KINDS = {"CLASS", "ASSOCIATION", "INDICATION", "PROPERTY", "REFERENCE", "METHOD", "PARAMETER"}
COMBINATIONS = list(itertools.product((True, False), repeat=3))


def text(value):
    """A value without what pywbem's lexer loses."""
    if isinstance(value, list):
        return [text(entry) for entry in value]
    return value.replace("'", "") if isinstance(value, str) else value


def scopes(qualifier):
    """The kinds of elements that a qualifier may stand on; CIM-XML spells ANY out."""
    kinds = {kind.upper() for kind, allowed in qualifier.scopes.items() if allowed}
    return KINDS if "ANY" in kinds else kinds


class Comparison:
    """Two forms of one class; `faults` tells where they differ."""

    def __init__(self, options, ours, theirs, declared):
        self.options, self.ours, self.theirs, self.declared = options, ours, theirs, declared
        self.faults = []

    def run(self):
        ours, theirs = self.ours, self.theirs
        self.same("", "superclass", ours.superclass, theirs.superclass)
        self.qualifiers("", ours, theirs)
        self.elements("property", ours.properties, theirs.properties, self.property)
        self.elements("method", ours.methods, theirs.methods, self.method)
        return self.faults

    def fault(self, place, what):
        where = f"{self.ours.classname}{place}"
        self.faults.append(f"{where} {self.options}: {what}")

    def same(self, place, what, ours, theirs):
        if text(ours) != text(theirs):
            self.fault(place, f"{what} is {ours!r}, expected {theirs!r}")

    def elements(self, kind, ours, theirs, compare):
        local_only = self.options["LocalOnly"]
        for name in theirs:
            if name not in ours:
                self.fault(f".{name}", f"the {kind} is missing")
        for name, element in ours.items():
            if name in theirs:
                compare(f".{name}", element, theirs[name])
            elif not (local_only and self.overrides(name, kind)):
                self.fault(f".{name}", f"there is no such {kind}")

    def overrides(self, name, kind):
        """Whether the class declares an element again, which only its origin and Override show."""
        full = self.declared.GetClass(self.ours.classname, LocalOnly=False, IncludeQualifiers=True)
        elements = full.properties if kind == "property" else full.methods
        return name in elements and "Override" in elements[name].qualifiers

    def typed(self, place, ours, theirs):
        for what in ("reference_class", "is_array", "array_size"):
            self.same(place, what, getattr(ours, what), getattr(theirs, what))
        self.same(place, "type", ours.type, theirs.type)

    def property(self, place, ours, theirs):
        self.typed(place, ours, theirs)
        self.same(place, "default", ours.value, theirs.value)
        self.same(place, "class origin", ours.class_origin, theirs.class_origin)
        if "Override" not in theirs.qualifiers and self.options["IncludeQualifiers"]:
            self.same(place, "propagated", bool(ours.propagated), bool(theirs.propagated))
        self.qualifiers(place, ours, theirs)

    def method(self, place, ours, theirs):
        self.same(place, "return type", ours.return_type, theirs.return_type)
        self.same(place, "class origin", ours.class_origin, theirs.class_origin)
        self.qualifiers(place, ours, theirs)
        self.same(place, "parameters", list(ours.parameters), list(theirs.parameters))
        for name in set(ours.parameters) & set(theirs.parameters):
            inner = f"{place}.{name}"
            self.typed(inner, ours.parameters[name], theirs.parameters[name])
            self.qualifiers(inner, ours.parameters[name], theirs.parameters[name])

    def qualifiers(self, place, ours, theirs):
        ours, theirs = ours.qualifiers, theirs.qualifiers
        for name in theirs:
            if name not in ours:
                self.fault(place, f"the qualifier {name} is missing")
        for name, qualifier in ours.items():
            if name in theirs:
                self.same(place, f"{name}", qualifier.value, theirs[name].value)
                self.same(place, f"type of {name}", qualifier.type, theirs[name].type)
            elif place or not qualifier.propagated:
                self.fault(place, f"there is no qualifier {name}")
            elif not DECLARATIONS[name].tosubclass:
                self.fault(place, f"the qualifier {name} is restricted and was inherited")


DECLARATIONS = {}


class Oracle(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mock = mock()
        DECLARATIONS.update((q.name, q) for q in cls.conn.EnumerateQualifiers())

    def test_every_class_is_the_same_in_every_combination(self):
        names = self.mock.EnumerateClassNames(DeepInheritance=True)
        self.assertGreater(len(names), 1600, "the whole schema was compiled")
        faults = []
        for local_only, qualifiers, origin in COMBINATIONS:
            options = dict(LocalOnly=local_only, IncludeQualifiers=qualifiers, IncludeClassOrigin=origin)
            found = {c.classname.lower(): c for c in self.conn.EnumerateClasses(DeepInheritance=True, **options)}
            for name in names:
                if name.lower() not in found:
                    faults.append(f"{name}: the class is missing")
                    continue
                theirs = self.mock.GetClass(name, **options)
                faults += Comparison(options, found[name.lower()], theirs, self.mock).run()
        self.assertEqual(faults[:40], [], f"{len(faults)} differences")

    def test_get_class_gives_what_enumerate_classes_gives(self):
        everything = self.conn.EnumerateClasses(DeepInheritance=True, LocalOnly=False, IncludeClassOrigin=True)
        for each in everything[::10]:
            alone = self.conn.GetClass(each.classname, LocalOnly=False, IncludeClassOrigin=True)
            self.assertEqual(alone, each, each.classname)

    def test_qualifier_declarations_are_the_same(self):
        theirs = {q.name.lower(): q for q in self.mock.EnumerateQualifiers()}
        ours = {q.name.lower(): q for q in self.conn.EnumerateQualifiers()}
        self.assertLessEqual(set(theirs), set(ours))
        for name, qualifier in theirs.items():
            for what in ("type", "value", "is_array"):
                self.assertEqual(getattr(ours[name], what), getattr(qualifier, what), f"{name}.{what}")
            self.assertEqual(scopes(ours[name]), scopes(qualifier), f"scopes of {name}")


if __name__ == "__main__":
    unittest.main()
