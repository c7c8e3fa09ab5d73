"""Every operation of pywbem's WBEMConnection on the whole DMTF schema, beside pywbem's mock server.

The same classes and instances are compiled into both through pywbem, the same calls are made to both, and
what comes of each is compared: objects, paths, values and the status of errors. Where the mock is known to
be wrong or to say nothing, DSP0200 and DSP0004 win. Where one call is concerned, the step says why with
`instead`; what concerns many is this:

* The mock keeps of an instance the properties that were given. An instance has every property of its class,
  with the default of the class or NULL (DSP0200 5.3.2.6); so what only the server gives must be that.
* On classes, the mock's AssociatorNames and Associators take the near end for a far one where the source is
  a subclass of what is referred to, and miss a far end of the class of the source. What is far follows here
  from its ReferenceNames and its classes. It shows of classes what LocalOnly shows, and qualifiers that were
  not asked for; there is no such parameter, and the default is FALSE (DSP0200 5.3.2.14 and 5.3.2.16). What
  is shown is compared with its GetClass.
* The mock has no queries and does not look at filters of pulled enumerations. What these select is said
  with a condition in Python over what the mock enumerates.
"""

import functools
import inspect
import itertools
import unittest

import pywbem

import operations_data as data
from common import *  # noqa: F403
from operations_data import DISK, DOMAIN, DRIVE, EXTENT
from oracle import mock

FQL = "DMTF:FQL"
NO_CLASS, NO_NAMESPACE = "CIM_None", "root/none"

# Operations of pywbem that no server has: it calls this one itself, of listeners.
ELSEWHERE = {"ExportIndication"}
CALLED = set()


def path_of(classname, namespace=NAMESPACE, **keys):
    return pywbem.CIMInstanceName(classname, keys, namespace=namespace)


def device(classname, name):
    return path_of(classname, SystemCreationClassName=DOMAIN, SystemName="site",
                   CreationClassName=classname, DeviceID=name)


SITE = path_of(DOMAIN, CreationClassName=DOMAIN, Name="site")
E1, E2 = device(EXTENT, "e1"), device(EXTENT, "e2")
D1, D2, D3, V1 = device(DISK, "d1"), device(DISK, "d2"), device(DISK, "d3"), device(DRIVE, "v1")
GONE = device(DISK, "gone")


def plain_path(path):
    path = path.copy()
    path.host = None
    return path.to_wbem_uri(format="canonical")


def plain(value):
    """A value that compares as CIM does: paths without hosts, embedded instances by their values."""
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, pywbem.CIMInstanceName):
        return plain_path(value)
    if isinstance(value, pywbem.CIMInstance):
        return value.classname.lower(), {n.lower(): plain(v) for n, v in value.items() if v is not None}
    if isinstance(value, pywbem.CIMDateTime):
        return str(value)
    return value


class Outcome:
    """What came of one call: a value, or the status of an error."""

    def __init__(self, connection, operation, args, named):
        self.value, self.status, self.description = None, None, None
        # pywbem changes paths that it is given.
        args = [arg.copy() if hasattr(arg, "copy") else arg for arg in args]
        try:
            self.value = getattr(connection, operation)(*args, **named)
            if inspect.isgenerator(self.value):
                self.value = list(self.value)
        except pywbem.CIMError as error:
            self.status, self.description = error.status_code, error.status_description

    def __repr__(self):
        if self.status is None:
            return repr(self.value)
        return f"status {self.status}: {self.description}"


class Compared(Case):
    """A test with both connections. Both hold the classes and instances of `operations_data`."""

    done = []

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mock = mock()
        cls.pulling = pywbem.WBEMConnection(
            URL, ("admin", PASSWORD), default_namespace=NAMESPACE, timeout=60, use_pull_operations=True)
        if not Compared.done:
            for connection in (cls.conn, cls.mock):
                for mof in (data.CLASSES, data.INSTANCES):
                    pywbem.MOFCompiler(connection).compile_string(mof, NAMESPACE)
            Compared.done.append(True)

    def both(self, operation, *args, **named):
        CALLED.add(operation)
        ours = self.pulling if operation.startswith("Iter") else self.conn
        return Outcome(ours, operation, args, named), Outcome(self.mock, operation, args, named)

    def agree(self, operation, *args, instead=None, **named):
        """Both give the same. `instead` is (status or None for success, why the mock is wrong)."""
        ours, theirs = self.both(operation, *args, **named)
        where = f"{operation}{args} {named}"
        expected = theirs.status
        if instead is not None:
            expected, why = instead
            self.assertNotEqual(expected, theirs.status, f"{where}: the mock is no longer wrong: {why}")
        self.assertEqual(ours.status, expected, f"{where}: {ours}, the mock: {theirs}")
        if ours.status is None and theirs.status is None:
            self.same(where, operation, named, ours.value, theirs.value)
        return ours

    def same(self, where, operation, named, ours, theirs):
        if isinstance(theirs, pywbem.CIMInstance):
            self.same_instance(where, operation, named, ours, theirs)
        elif isinstance(theirs, pywbem.CIMClass):
            self.same_class(where, ours, theirs, named.get("IncludeQualifiers"))
        elif isinstance(theirs, pywbem.CIMQualifierDeclaration):
            self.same_declaration(where, ours, theirs)
        elif isinstance(theirs, (pywbem.CIMInstanceName, pywbem.CIMClassName)):
            self.assertEqual(plain_path(ours), plain_path(theirs), where)
        elif isinstance(theirs, list):
            self.same_list(where, operation, named, ours, theirs)
        else:
            self.assertEqual(plain(ours), plain(theirs), where)

    def same_list(self, where, operation, named, ours, theirs):
        def key(item):
            if isinstance(item, tuple):
                item = item[0]
            if isinstance(item, pywbem.CIMClass):
                return item.classname.lower()
            if isinstance(item, (str, pywbem.CIMQualifierDeclaration)):
                return getattr(item, "name", item).lower()
            return plain_path(getattr(item, "path", None) or item)

        # The classes of jobs are the server's own.
        ours = [item for item in ours if not key(item).split(":")[-1].startswith("jw_")]
        ours_by, theirs_by = ({key(item): item for item in items} for items in (ours, theirs))
        self.assertEqual(sorted(map(key, ours)), sorted(map(key, theirs)), where)
        for each, one in ours_by.items():
            other = theirs_by[each]
            if isinstance(one, tuple):
                one, other = one[1], other[1]
            if isinstance(one, (pywbem.CIMInstance, pywbem.CIMClass)):
                self.same(f"{where} {each}", operation, named, one, other)

    @functools.cache
    def declared(self, classname):
        """The properties of a class with their defaults and origins."""
        return self.mock.GetClass(classname, LocalOnly=False, IncludeClassOrigin=True).properties

    def same_declaration(self, where, ours, theirs):
        for what in ("name", "type", "value", "is_array", "array_size", "scopes"):
            self.assertEqual(getattr(ours, what), getattr(theirs, what), f"{where} {what}")
        # The mock leaves open what DSP0201 gives a default.
        for flavor, default in (("overridable", True), ("tosubclass", True), ("translatable", False)):
            expected = getattr(theirs, flavor)
            expected = default if expected is None else expected
            self.assertEqual(getattr(ours, flavor), expected, f"{where} {flavor}")

    def shown(self, classname, operation, named):
        """The properties of an instance that an operation has to show, by the declaration of its class."""
        declared = self.declared(classname)
        names = {name.lower() for name in declared}
        if named.get("PropertyList") is not None:
            listed = named["PropertyList"]
            names &= {name.lower() for name in ([listed] if isinstance(listed, str) else listed)}
        if "EnumerateInstances" in operation and named.get("DeepInheritance") is False:
            names &= {name.lower() for name in self.declared(named["ClassName"].lower())}
        return {name: declared[name] for name in names}

    def same_instance(self, where, operation, named, ours, theirs):
        self.assertEqual(ours.classname, theirs.classname, where)
        if theirs.path is not None and ours.path is not None:
            self.assertEqual(plain_path(ours.path), plain_path(theirs.path), where)
        shown = self.shown(ours.classname, operation, named)
        self.assertEqual({name.lower() for name in ours.properties}, set(shown), where)
        for name, declared in shown.items():
            one, other = ours.properties[name], theirs.properties.get(name, declared)
            place = f"{where} {name}"
            self.assertEqual((one.type, one.is_array), (declared.type, declared.is_array), place)
            self.assertEqual(plain(one.value), plain(other.value), place)
            origin = declared.class_origin if named.get("IncludeClassOrigin") else None
            self.assertEqual(one.class_origin, origin, place)

    def same_class(self, where, ours, theirs, qualifiers):
        self.assertEqual(ours.classname, theirs.classname, where)
        self.assertEqual((ours.superclass or "").lower(), (theirs.superclass or "").lower(), where)
        for kind in ("properties", "methods"):
            one, other = getattr(ours, kind), getattr(theirs, kind)
            self.assertEqual({n.lower() for n in one}, {n.lower() for n in other}, f"{where} {kind}")
            for name in one:
                self.assertEqual(one[name].class_origin, other[name].class_origin, f"{where} {name}")
                # What qualifiers there are is compared by test_oracle, for every class.
                expected = bool(qualifiers) and bool(other[name].qualifiers)
                self.assertEqual(bool(one[name].qualifiers), expected, f"{where} {name}")


class Reading(Compared):
    def test_instances_are_got(self):
        lists = (None, [], ["ElementName"], ["elementname", "ELEMENTNAME", "NoSuch"], ["Tuint8", "Tdatetime"],
                 ["DeviceID"])
        for path in (SITE, E1, D1, D2, D3, V1):
            for properties, origin in itertools.product(lists, (None, True, False)):
                self.agree("GetInstance", path, PropertyList=properties, IncludeClassOrigin=origin)
            for flags in ({"LocalOnly": True}, {"LocalOnly": False}, {"IncludeQualifiers": True}):
                self.agree("GetInstance", path, **flags)
        self.agree("GetInstance", device("tst_disk", "d1"))

    def test_missing_instances_and_wrong_paths(self):
        self.agree("GetInstance", GONE)
        self.agree("GetInstance", path_of(NO_CLASS, Name="x"))
        self.agree("GetInstance", device(EXTENT, "d1"))
        self.agree("GetInstance", path_of(DISK, NO_NAMESPACE, DeviceID="d1"))
        keys = "a path without the keys of its class names nothing: INVALID_PARAMETER (DSP0200 5.3.2.2)"
        self.agree("GetInstance", path_of(DISK, DeviceID="d1"), instead=(4, keys))
        self.agree("GetInstance", path_of(DISK, Wrong="d1"), instead=(4, keys))
        for operation in ("DeleteInstance", "ReferenceNames", "References", "AssociatorNames", "Associators"):
            self.agree(operation, path_of(DISK, NO_NAMESPACE, DeviceID="d1"))
        self.agree("DeleteInstance", GONE)
        self.agree("DeleteInstance", path_of(NO_CLASS, Name="x"))

    def test_instances_are_enumerated(self):
        lists = (None, [], ["ElementName", "Tuint8"], ["deviceid"])
        for name in (DOMAIN, EXTENT, DISK, DRIVE, "cim_storageextent", "CIM_LogicalDevice", "CIM_BasedOn",
                     "CIM_SystemDevice", "CIM_MediaPresent", "TST_Settings"):
            self.agree("EnumerateInstanceNames", ClassName=name)
            for deep, properties in itertools.product((None, True, False), lists):
                named = dict(ClassName=name, DeepInheritance=deep, PropertyList=properties)
                self.agree("EnumerateInstances", **named)
                self.agree("IterEnumerateInstances", MaxObjectCount=2, **named)
            for origin in (True, False):
                self.agree("EnumerateInstances", ClassName=name, IncludeClassOrigin=origin)
            self.agree("EnumerateInstances", ClassName=name, LocalOnly=True)
            self.agree("EnumerateInstances", ClassName=name, IncludeQualifiers=True)
            for count in (1, 2, 100):
                self.agree("IterEnumerateInstancePaths", ClassName=name, MaxObjectCount=count)
        for operation in ("EnumerateInstances", "EnumerateInstanceNames", "OpenEnumerateInstances",
                          "OpenEnumerateInstancePaths"):
            self.agree(operation, ClassName=NO_CLASS)
            self.agree(operation, ClassName=DISK, namespace=NO_NAMESPACE)


ASSOCIATIONS = (None, "CIM_Dependency", "CIM_BasedOn", "tst_basedon", "CIM_Component", "CIM_StorageExtent", NO_CLASS)
RESULTS = (None, EXTENT, "TST_DISK", "CIM_System", NO_CLASS)
ROLES = (None, "Antecedent", "dependent", "PartComponent", "NoSuch")
RESULT_ROLES = (None, "antecedent", "GroupComponent", "NoSuch")
REFERENCES = [dict(zip(("ResultClass", "Role"), each)) for each in itertools.product(ASSOCIATIONS, ROLES)]
ASSOCIATORS = [dict(zip(("AssocClass", "ResultClass", "Role", "ResultRole"), each))
               for each in itertools.product(ASSOCIATIONS, RESULTS, ROLES, RESULT_ROLES)]
# Each value once with others, where the product would take too long.
SOME, FEW = ASSOCIATORS[::3], ASSOCIATORS[::29]


class Associating(Compared):
    def test_names_by_every_filter(self):
        for path in (SITE, E1, D2, V1):
            for filters in REFERENCES:
                self.agree("ReferenceNames", path, **filters)
        for path in (E1, D2):
            for filters in SOME:
                self.agree("AssociatorNames", path, **filters)
        for path in (SITE, D1, D3, V1):
            for filters in FEW:
                self.agree("AssociatorNames", path, **filters)

    def test_instances_by_filters(self):
        shown = ({}, {"PropertyList": ["DeviceID", "Weight", "Antecedent"]}, {"IncludeClassOrigin": True},
                 {"PropertyList": []}, {"IncludeQualifiers": True})
        for path in (SITE, E1, D1, D2, V1):
            for more in shown:
                self.agree("References", path, **more)
                self.agree("Associators", path, **more)
            for filters in REFERENCES[::3]:
                self.agree("References", path, **filters)
            for filters in FEW:
                self.agree("Associators", path, **filters)

    def test_iterations_by_filters(self):
        for path in (SITE, E1, D2):
            for filters in REFERENCES[::3]:
                self.agree("IterReferenceInstances", path, MaxObjectCount=2, **filters)
                self.agree("IterReferenceInstancePaths", path, MaxObjectCount=1, **filters)
            for filters in FEW:
                self.agree("IterAssociatorInstances", path, MaxObjectCount=2, **filters)
                self.agree("IterAssociatorInstancePaths", path, MaxObjectCount=3, **filters)

    def test_sources_that_are_not_there(self):
        why = "the source does not exist: NOT_FOUND (DSP0200 5.3.2.14 and following)"
        for operation in ("References", "ReferenceNames", "Associators", "AssociatorNames"):
            self.agree(operation, GONE, instead=(6, why))
            self.agree(operation, path_of(NO_CLASS, Name="x"))
            self.agree(operation, NO_CLASS)


class AssociatingClasses(Compared):
    """The same operations on classes: what the declarations of the whole schema allow."""

    SOURCES = ("CIM_ManagedElement", "CIM_System", "CIM_StorageExtent", "CIM_LogicalDisk", DISK, "cim_job", "CIM_Dependency")

    def test_references(self):
        for source in self.SOURCES:
            for filters in REFERENCES:
                self.agree("ReferenceNames", source, **filters)

    # What is shown of a class.
    SHOWN = ({}, {"IncludeQualifiers": True}, {"IncludeClassOrigin": True}, {"PropertyList": ["Antecedent", "access"]},
             {"PropertyList": []})

    def same_classes(self, operation, source, expected, more, **filters):
        """The classes that an operation gives are those, each with everything that GetClass shows of it."""
        found = getattr(self.conn, operation)(source, **filters, **more)
        self.assertEqual(sorted(path.classname for path, _ in found), sorted(expected), f"{source} {filters}")
        alone = {"LocalOnly": False, "IncludeQualifiers": False, **more}
        for path, one in found:
            self.assertEqual((path.namespace, bool(path.host)), (NAMESPACE, True))
            self.same_class(f"{source} {more}", one, self.mock.GetClass(path.classname, **alone), alone["IncludeQualifiers"])

    def test_classes_that_refer(self):
        for source, more in itertools.product((EXTENT, DISK), self.SHOWN):
            names = [path.classname for path in self.mock.ReferenceNames(source, ResultClass="CIM_AbstractBasedOn")]
            self.assertIn("TST_BasedOn", names)
            self.same_classes("References", source, names, more, ResultClass="CIM_AbstractBasedOn")

    def is_a(self, name, ancestor):
        while name and name.lower() != ancestor.lower():
            name = self.classes[name.lower()].superclass
        return bool(name)

    def far(self, source, AssocClass=None, ResultClass=None, Role=None, ResultRole=None):
        """What associations may lead to: a reference beside another that may refer to the source."""
        def fits(role, name):
            return role is None or role.lower() == name.lower()

        found = set()
        for path in self.mock.ReferenceNames(source, ResultClass=AssocClass, Role=Role):
            ends = [p for p in self.classes[path.classname.lower()].properties.values() if p.type == "reference"]
            near = [p for p in ends if fits(Role, p.name) and self.is_a(source, p.reference_class)]
            for end in ends:
                if fits(ResultRole, end.name) and any(other is not end for other in near):
                    if ResultClass is None or self.is_a(end.reference_class, ResultClass):
                        found.add(end.reference_class)
        return sorted(found)

    def test_associators(self):
        store = self.mock.cimrepository.get_class_store(NAMESPACE)
        self.classes = {found.classname.lower(): found for found in store.iter_values(copy=False)}
        for source in self.SOURCES:
            for filters in FEW:
                ours, theirs = self.both("AssociatorNames", source, **filters)
                self.assertEqual(ours.status, theirs.status, f"{source} {filters}: {ours}")
                if ours.status is None:
                    names = sorted(p.classname for p in ours.value if not p.classname.startswith("JW_"))
                    self.assertEqual(names, self.far(source, **filters), f"{source} {filters}")
        filters = {"AssocClass": "CIM_BasedOn"}
        for source, more in itertools.product((EXTENT, DISK), self.SHOWN):
            self.same_classes("Associators", source, self.far(source, **filters), more, **filters)


class Pulling(Compared):
    """Open, Pull and Close with the same counts on both."""

    OPENS = [
        ("OpenEnumerateInstances", (EXTENT,), "PullInstancesWithPath"),
        ("OpenEnumerateInstancePaths", (EXTENT,), "PullInstancePaths"),
        ("OpenReferenceInstances", (D2,), "PullInstancesWithPath"),
        ("OpenReferenceInstancePaths", (D2,), "PullInstancePaths"),
        ("OpenAssociatorInstances", (SITE,), "PullInstancesWithPath"),
        ("OpenAssociatorInstancePaths", (SITE,), "PullInstancePaths"),
    ]
    KINDS = ("PullInstancesWithPath", "PullInstancePaths", "PullInstances")

    def objects(self, opened):
        return opened.instances if hasattr(opened, "instances") else opened.paths

    def drained(self, connection, operation, args, pull, first, count, named):
        """All objects, and for each answer how many it had and whether it was the last."""
        CALLED.update((operation, pull))
        args = [arg.copy() if hasattr(arg, "copy") else arg for arg in args]
        opened = getattr(connection, operation)(*args, MaxObjectCount=first, **named)
        found, answers = list(self.objects(opened)), [(len(self.objects(opened)), opened.eos)]
        while not opened.eos:
            opened = getattr(connection, pull)(opened.context, MaxObjectCount=count)
            found += self.objects(opened)
            answers.append((len(self.objects(opened)), opened.eos))
        return found, answers

    def test_each_open_and_its_pulls(self):
        for (operation, args, pull), first, count in itertools.product(self.OPENS, (0, 1, 2, 5, 100), (1, 2, 100)):
            where = f"{operation} {first} {count}"
            ours, theirs = (self.drained(connection, operation, args, pull, first, count, {})
                            for connection in (self.conn, self.mock))
            self.assertEqual(ours[1], theirs[1], where)
            self.same_list(where, operation, {"ClassName": EXTENT}, ours[0], theirs[0])

    def test_what_is_shown_and_filtered_by_class(self):
        for operation, args, named in [
            ("OpenEnumerateInstances", (EXTENT,), dict(PropertyList=["DeviceID"], IncludeClassOrigin=True)),
            ("OpenReferenceInstances", (D2,), dict(ResultClass="TST_BasedOn", Role="Dependent", PropertyList=["Weight"])),
            ("OpenReferenceInstancePaths", (D2,), dict(ResultClass="CIM_SystemDevice")),
            ("OpenAssociatorInstances", (D2,), dict(AssocClass="CIM_BasedOn", ResultClass=DISK, IncludeClassOrigin=True)),
            ("OpenAssociatorInstancePaths", (D2,), dict(Role="dependent", ResultRole="antecedent")),
        ]:
            pull = dict((each[0], each[2]) for each in self.OPENS)[operation]
            ours, theirs = (self.drained(connection, operation, args, pull, 1, 1, named)
                            for connection in (self.conn, self.mock))
            self.assertEqual(ours[1], theirs[1], operation)
            self.assertGreater(len(ours[0]), 0, operation)
            self.same_list(operation, operation, named, ours[0], theirs[0])

    def test_wrong_opens(self):
        one = "neither of the two means anything without the other (DSP0200 5.3.2.24.1)"
        for operation, args, _ in self.OPENS:
            self.agree(operation, *args, FilterQuery="x = 1")
            self.agree(operation, *args, FilterQueryLanguage="WQL", FilterQuery="x = 1")
            self.agree(operation, *args, FilterQueryLanguage=FQL, instead=(4, one))
        never = "a time-out of nothing would hold what it takes for ever: it may be refused (DSP0200 5.3.2.24.1)"
        why = "the source does not exist: NOT_FOUND (DSP0200 5.3.2.24.5)"
        for operation, args, _ in self.OPENS:
            self.agree(operation, *args, OperationTimeout=0, instead=(22, never))
            if isinstance(args[0], str):
                self.agree(operation, NO_CLASS)
            else:
                self.agree(operation, GONE, instead=(6, why))
                self.agree(operation, path_of(NO_CLASS, Name="x"))
                self.agree(operation, args[0], ResultClass=NO_CLASS)

    def contexts(self, operation, args):
        """The same enumeration, open on both."""
        opened = [getattr(connection, operation)(*args, MaxObjectCount=1) for connection in (self.conn, self.mock)]
        self.assertFalse(any(each.eos for each in opened))
        return [each.context for each in opened]

    def statuses(self, operation, contexts, **named):
        CALLED.add(operation)
        return [Outcome(connection, operation, [context], named).status
                for connection, context in zip((self.conn, self.mock), contexts)]

    def test_pulls_that_do_not_fit_what_was_opened(self):
        for operation, args, right in self.OPENS:
            contexts = self.contexts(operation, args)
            for wrong in set(self.KINDS) - {right}:
                # INVALID_PARAMETER and not the mock's 21: the context is a valid one (DSP0200 5.3.2.24.8).
                self.assertEqual(self.statuses(wrong, contexts, MaxObjectCount=1), [4, 21], operation)
            self.assertEqual(self.statuses(right, contexts, MaxObjectCount=1), [None, None])
            self.assertEqual(self.statuses("CloseEnumeration", contexts), [None, None])
            for again in ("CloseEnumeration", right):
                more = {} if again == "CloseEnumeration" else {"MaxObjectCount": 1}
                self.assertEqual(self.statuses(again, contexts, **more), [21, 21], again)
        made_up = [("no such context", NAMESPACE)] * 2
        for pull in self.KINDS:
            self.assertEqual(self.statuses(pull, made_up, MaxObjectCount=1), [21, 21])
        self.assertEqual(self.statuses("CloseEnumeration", made_up), [21, 21])


class Querying(Compared):
    """Queries and filters: what the mock enumerates, chosen by a condition in Python."""

    # (WQL, CQL, FQL, the same in Python); absent where a language cannot say it.
    CONDITIONS = [
        ("ElementName = 'low'",) * 3 + (lambda i: i["ElementName"] == "low",),
        ("Tuint8 > 0",) * 3 + (lambda i: i["Tuint8"] is not None and i["Tuint8"] > 0,),
        ("Tuint8 >= 0 AND NOT ElementName = 'low'",) * 2
        + ("Tuint8 >= 0 AND ElementName <> 'low'",)
        + (lambda i: i["Tuint8"] is not None and i["ElementName"] != "low",),
        ("Tboolean = TRUE OR Tuint64 = 18446744073709551615",) * 3 + (lambda i: i["Tboolean"] is not None,),
        ("Tuint8 IS NULL",) * 2 + (None, lambda i: i["Tuint8"] is None),
        ("Tsint64 < 0",) * 3 + (lambda i: i["Tsint64"] is not None,),
        ("DeviceID <> 'd1'",) * 3 + (lambda i: i["DeviceID"] != "d1",),
        ("ElementName LIKE 'h%'", "ElementName LIKE 'h.*'", "ElementName LIKE 'h.*'",
         lambda i: i["ElementName"].startswith("h")),
        (None, "Treal64 = 1.5E300", "Treal64 = 1.5E300", lambda i: i["Treal64"] is not None),
        (None, None, "ANY Astring = 'z'", lambda i: "z" in (i["Astring"] or [])),
        (None, "Astring[0] = 'x'", "Astring[0] = 'x'", lambda i: bool(i["Astring"])),
    ]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # With every property, since conditions ask for those that were not given.
        declared = cls.mock.GetClass(DISK, LocalOnly=False).properties
        cls.disks = cls.mock.EnumerateInstances(DISK)
        for disk in cls.disks:
            for name in declared:
                disk.properties.setdefault(name, declared[name])

    def chosen(self, condition):
        return sorted(disk["DeviceID"] for disk in self.disks if condition(disk))

    def ids(self, instances):
        return sorted(instance["DeviceID"] for instance in instances)

    def test_queries(self):
        CALLED.update(("ExecQuery", "OpenQueryInstances", "PullInstances", "IterQueryInstances"))
        for wql, cql, _, condition in self.CONDITIONS:
            expected = self.chosen(condition)
            self.assertLess(len(expected), len(self.disks), cql)
            for language, text in (("WQL", wql), ("DMTF:CQL", cql), ("CIM:CQL", cql)):
                if text is None:
                    continue
                query = f"SELECT * FROM {DISK} WHERE {text}"
                with self.subTest(language, query=query):
                    self.assertEqual(self.ids(self.conn.ExecQuery(language, query)), expected)
                    opened = self.conn.OpenQueryInstances(language, query, MaxObjectCount=1)
                    found = list(opened.instances)
                    while not opened.eos:
                        opened = self.conn.PullInstances(opened.context, MaxObjectCount=1)
                        found += opened.instances
                    self.assertEqual(self.ids(found), expected)
                    result = self.pulling.IterQueryInstances(language, query, MaxObjectCount=2)
                    self.assertEqual(self.ids(result.generator), expected)

    def test_filters(self):
        for _, _, fql, condition in self.CONDITIONS:
            if fql is None:
                continue
            expected, named = self.chosen(condition), dict(FilterQueryLanguage=FQL, FilterQuery=fql)
            with self.subTest(fql):
                pulled = self.pulling.IterEnumerateInstances(DISK, MaxObjectCount=1, **named)
                self.assertEqual(self.ids(pulled), expected)
                pulled = self.pulling.IterEnumerateInstancePaths(DISK, MaxObjectCount=1, **named)
                self.assertEqual(self.ids(pulled), expected)

    def test_filters_of_associations(self):
        named = dict(FilterQueryLanguage=FQL, FilterQuery="Weight > 7", ResultClass="TST_BasedOn")
        found = [link["Antecedent"]["DeviceID"] for link in self.pulling.IterReferenceInstances(D2, MaxObjectCount=1, **named)]
        self.assertEqual(found, ["e2"])
        found = [link["Antecedent"]["DeviceID"] for link in self.pulling.IterReferenceInstancePaths(D2, MaxObjectCount=1, **named)]
        self.assertEqual(found, ["e2"])
        named = dict(FilterQueryLanguage=FQL, FilterQuery="BlockSize = 512", ResultClass=EXTENT)
        for iterate in (self.pulling.IterAssociatorInstances, self.pulling.IterAssociatorInstancePaths):
            self.assertEqual(self.ids(iterate(SITE, MaxObjectCount=1, **named)), ["e1"])


class Invoking(Compared):
    """Methods of classes that no provider makes work: the same statuses as of the mock without a provider."""

    def test_methods(self):
        there = "the class has the method, which nobody carries out: METHOD_NOT_AVAILABLE (DSP0200 5.3.3)"
        for name, target in (("Check", D1), ("Count", DISK), ("Count", D1), ("RequestStateChange", D1),
                             ("Reset", E1)):
            arguments = {"Check": {"Deep": True}, "RequestStateChange": {"RequestedState": pywbem.Uint16(2)}}
            self.agree("InvokeMethod", name, target, instead=(16, there), **arguments.get(name, {}))
        for name, target in (("NoSuch", D1), ("NoSuch", DISK), ("Check", SITE),
                             ("Check", path_of(DISK, NO_NAMESPACE, DeviceID="d1"))):
            self.agree("InvokeMethod", name, target)
        later = "a class that is not there is INVALID_CLASS (DSP0200 5.3.3, later versions)"
        self.agree("InvokeMethod", "Check", NO_CLASS, instead=(5, later))


class Changing(Compared):
    """What is made, changed and deleted, step by step on both; after each step both show the same."""

    def setUp(self):
        self.created = []

    def tearDown(self):
        for path in reversed(self.created):
            for connection in (self.conn, self.mock):
                Outcome(connection, "DeleteInstance", [path], {})

    def create(self, classname, name, instead=None, keys=None, **values):
        values = {**(keys or device(classname, name).keybindings), **values}
        if instead is not None:
            self.before = set(self.mock.EnumerateInstanceNames(classname))
        made = self.agree("CreateInstance", pywbem.CIMInstance(classname, values), instead=instead)
        if made.status is None:
            self.created.append(made.value)
        elif instead is not None:
            for path in set(self.mock.EnumerateInstanceNames(classname)) - self.before:
                self.mock.DeleteInstance(path)
        return made.value

    def modify(self, path, instead=None, properties=None, classname=None, **values):
        instance = pywbem.CIMInstance(classname or path.classname, values, path=path)
        self.agree("ModifyInstance", instance, PropertyList=properties, instead=instead)
        if instead is not None:
            for changed in instance.properties.values():
                changed.value = None
            self.mock.ModifyInstance(instance)
        self.agree("GetInstance", path)

    FAR = {
        "Tboolean": True, "Tstring": "\u00e4\U0001f600 <&>\"'\n\t ", "Tchar16": pywbem.Char16("\u20ac"),
        "Tuint8": pywbem.Uint8(255), "Tsint8": pywbem.Sint8(-128), "Tuint16": pywbem.Uint16(65535),
        "Tsint16": pywbem.Sint16(-32768), "Tuint32": pywbem.Uint32(2**32 - 1), "Tsint32": pywbem.Sint32(-2**31),
        "Tuint64": pywbem.Uint64(2**64 - 1), "Tsint64": pywbem.Sint64(-2**63), "Treal32": pywbem.Real32(-1.5),
        "Treal64": pywbem.Real64(1e-300), "Tdatetime": pywbem.CIMDateTime("20261231235959.999999-720"),
    }
    INTERVAL = pywbem.CIMDateTime("99999999235959.999999:000")

    def test_every_type_is_kept_and_changed(self):
        arrays = {"A" + name[1:]: [value, value] for name, value in self.FAR.items()}
        inner = pywbem.CIMInstance("TST_Settings", {"Mode": "a<b>&c", "Depth": pywbem.Uint32(7)})
        path = self.create(DISK, "new", Settings=inner, History=[inner, inner], **self.FAR, **arrays)
        self.agree("GetInstance", path)
        self.modify(path, Tstring="", Tuint8=pywbem.Uint8(0), Tdatetime=self.INTERVAL, Adatetime=[self.INTERVAL])
        self.modify(path, Astring=["", "a", ""], Areal64=[pywbem.Real64(0.1)])
        self.modify(path, Settings=pywbem.CIMProperty("Settings", None, type="string", embedded_object="instance"))
        nothing = {name: pywbem.CIMProperty(name, None, type=kind, is_array=name[0] == "A")
                   for kind in data.TYPES for name in ("T" + kind, "A" + kind)}
        self.modify(path, **nothing)
        empty = {f"A{kind}": pywbem.CIMProperty(f"A{kind}", [], type=kind, is_array=True) for kind in data.TYPES}
        self.modify(path, **empty)

    def test_a_list_of_properties_says_what_changes(self):
        path = self.create(DISK, "listed", Tstring="old", Tuint8=pywbem.Uint8(1))
        self.modify(path, properties=["tstring"], Tstring="new", Tuint8=pywbem.Uint8(2))
        self.modify(path, properties=[], Tstring="newer")
        # What is listed and not given becomes its default, here NULL, with which the mock crashes.
        self.conn.ModifyInstance(pywbem.CIMInstance(DISK, {"Tstring": "newer"}, path=path), PropertyList=["Tuint8"])
        null = pywbem.CIMProperty("Tuint8", None, type="uint8")
        self.mock.ModifyInstance(pywbem.CIMInstance(DISK, {"Tuint8": null}, path=path))
        self.agree("GetInstance", path)
        self.modify(path, properties=["NoSuch"], Tstring="x")
        self.modify(path, properties=["Tstring", "TSTRING"], Tstring="twice")

    def test_wrong_values_and_names_are_refused(self):
        write = "the class does not say that it is writable, which the mock does not look at (DSP0004 5.6.3.57)"
        path = self.create(DISK, "wrong")
        self.modify(path, Tuint8="text")
        self.modify(path, NoSuch="x")
        self.modify(path, DeviceID="other")
        self.modify(path, Tstring=["an", "array"])
        self.modify(path, Astring="no array")
        self.modify(path, instead=(4, write), Purpose="x")
        self.modify(path, Tstring="x", classname=EXTENT)
        for target in (GONE, path_of(NO_CLASS, Name="x"), path_of(DISK, NO_NAMESPACE, DeviceID="d")):
            instance = pywbem.CIMInstance(target.classname, {"Tstring": "x"}, path=target)
            self.agree("ModifyInstance", instance)

    def test_wrong_instances_are_not_made(self):
        self.create(DISK, "d1")
        self.create(NO_CLASS, "x")
        self.create(DISK, "x", NoSuch="x")
        self.create(DISK, "x", Tuint8="text")
        self.create(DISK, "x", Tuint8=[pywbem.Uint8(1)])
        self.create(DISK, "x", keys={"DeviceID": "x"})
        abstract = "an abstract class has no instances, which the mock only warns of (DSP0004 5.6.3.1)"
        self.create("CIM_LogicalDevice", "x", instead=(7, abstract))
        new = pywbem.CIMInstance(DISK, dict(device(DISK, "x").keybindings))
        self.agree("CreateInstance", new, namespace=NO_NAMESPACE)

    def test_what_is_deleted_is_gone(self):
        path = self.create(DISK, "short")
        self.agree("EnumerateInstanceNames", ClassName=EXTENT)
        self.agree("DeleteInstance", path)
        self.agree("GetInstance", path)
        self.agree("DeleteInstance", path)
        self.agree("EnumerateInstanceNames", ClassName=EXTENT)
        self.create(DISK, "short", Tstring="again")

    def test_associations_come_and_go(self):
        one, other = self.create(DISK, "one"), self.create(DISK, "other")
        ends = {"Antecedent": one, "Dependent": other}
        link = self.create("TST_BasedOn", None, keys=ends, Weight=pywbem.Uint64(1))
        self.create("TST_BasedOn", None, keys=ends)
        for path in (one, other):
            self.agree("Associators", path)
            self.agree("References", path)
        self.modify(link, Weight=pywbem.Uint64(2))
        moved = pywbem.CIMProperty("Antecedent", other, type="reference")
        self.agree("ModifyInstance", pywbem.CIMInstance("TST_BasedOn", [moved], path=link.copy()))
        self.create("TST_BasedOn", None, keys={"Antecedent": one})
        self.create("TST_BasedOn", None, keys={**ends, "Antecedent": path_of(NO_CLASS, Name="x")})
        self.create("TST_BasedOn", None, keys={**ends, "Antecedent": SITE},
                    instead=(4, "an AdminDomain is no StorageExtent, which the mock does not look at (DSP0004 5.6.3.45)"))
        self.agree("DeleteInstance", link)
        self.agree("AssociatorNames", one)
        self.agree("ReferenceNames", other)


def prop(name, kind, *qualifiers, **more):
    return pywbem.CIMProperty(name, more.pop("value", None), type=kind, qualifiers=qualifiers, **more)


KEY = pywbem.CIMQualifier("Key", True)


class ChangingClasses(Compared):
    def read(self, name):
        """Both show the same of a class, its superclass and what is below that."""
        for local, origin in itertools.product((True, False), repeat=2):
            self.agree("GetClass", name, LocalOnly=local, IncludeQualifiers=True, IncludeClassOrigin=origin)

    def same_class(self, where, ours, theirs, qualifiers):
        super().same_class(where, ours, theirs, True)

    def new(self, name, *properties, superclass=None, **more):
        return pywbem.CIMClass(name, superclass=superclass, properties=properties, **more)

    def tearDown(self):
        for name in ("TST_Y", "TST_X"):
            for connection in (self.conn, self.mock):
                Outcome(connection, "DeleteClass", [name], {})

    def test_a_class_lives(self):
        base = self.new("TST_X", prop("Id", "string", KEY), prop("N", "uint8", value=pywbem.Uint8(3)),
                        qualifiers=[pywbem.CIMQualifier("Description", "told")])
        self.agree("CreateClass", base)
        self.agree("CreateClass", base)
        self.read("TST_X")
        below = self.new("TST_Y", prop("D", "datetime"), prop("L", "string", is_array=True), superclass="TST_X",
                         methods=[pywbem.CIMMethod("Do", "uint32", parameters=[pywbem.CIMParameter("P", "string")])])
        self.agree("CreateClass", below)
        self.agree("GetClass", "tst_y", LocalOnly=False, PropertyList=["d", "ID"])
        self.agree("GetClass", "TST_Y", LocalOnly=False, PropertyList=[])
        # The mock deletes subclasses and instances with a class; DSP0200 5.3.2.5 lets a server choose.
        self.assert_status(pywbem.CIM_ERR_CLASS_HAS_CHILDREN, self.conn.DeleteClass, "TST_X")
        self.agree("ModifyClass", self.new("TST_X", prop("Id", "string", KEY), prop("M", "sint64")))
        for deep, local in itertools.product((None, True, False), (True, False)):
            named = dict(ClassName="TST_X", DeepInheritance=deep)
            self.agree("EnumerateClassNames", **named)
            # Of origins, which the mock forgets here, see test_oracle.
            self.agree("EnumerateClasses", LocalOnly=local, IncludeQualifiers=True, **named)
        self.agree("CreateInstance", pywbem.CIMInstance("TST_Y", {"Id": "1"}))
        self.assert_status(pywbem.CIM_ERR_CLASS_HAS_INSTANCES, self.conn.DeleteClass, "TST_Y")
        self.agree("ModifyClass", self.new("TST_Y", prop("D", "string"), superclass="TST_X"))
        self.agree("DeleteInstance", path_of("TST_Y", Id="1"))
        self.agree("DeleteClass", "TST_Y")
        self.agree("ModifyClass", self.new("TST_X", prop("Id", "string", KEY), prop("M", "sint64")))
        self.read("TST_X")
        self.agree("DeleteClass", "TST_X")
        self.agree("DeleteClass", "TST_X")
        self.agree("GetClass", "TST_X")

    def test_wrong_classes(self):
        self.agree("CreateClass", self.new("TST_X", superclass=NO_CLASS))
        self.agree("CreateClass", self.new("TST_X", prop("P", "string", pywbem.CIMQualifier("NoSuch", True))))
        self.agree("CreateClass", self.new("TST_X"), namespace=NO_NAMESPACE)
        self.agree("ModifyClass", self.new("TST_X", prop("Id", "string", KEY)))
        self.agree("ModifyClass", self.new("TST_X"), namespace=NO_NAMESPACE)
        self.agree("DeleteClass", NO_CLASS)
        self.agree("DeleteClass", DISK, namespace=NO_NAMESPACE)
        self.agree("GetClass", NO_CLASS)
        self.agree("GetClass", DISK, namespace=NO_NAMESPACE)
        for operation in ("EnumerateClasses", "EnumerateClassNames"):
            self.agree(operation, ClassName=NO_CLASS)
            self.agree(operation, namespace=NO_NAMESPACE)

    def test_names_of_the_whole_schema(self):
        for name, deep in itertools.product((None, "CIM_ManagedElement", "cim_dependency", "CIM_Job"), (True, False)):
            self.agree("EnumerateClassNames", ClassName=name, DeepInheritance=deep)

    def test_qualifiers(self):
        new = pywbem.CIMQualifierDeclaration("TstMark", "uint32", value=pywbem.Uint32(3), scopes={"CLASS": True})
        for value in (3, 4):
            new.value = pywbem.Uint32(value)
            self.agree("SetQualifier", new)
            self.agree("GetQualifier", "tstmark")
        self.agree("EnumerateQualifiers")
        self.agree("DeleteQualifier", "TSTMARK")
        for operation in ("DeleteQualifier", "GetQualifier"):
            self.agree(operation, "TstMark")
            self.agree(operation, "TstMark", namespace=NO_NAMESPACE)
        self.agree("SetQualifier", new, namespace=NO_NAMESPACE)
        self.agree("EnumerateQualifiers", namespace=NO_NAMESPACE)


class Zenith(unittest.TestCase):
    """After all others, which are run in the order of their names."""

    def test_no_operation_was_left_out(self):
        methods = inspect.getmembers(pywbem.WBEMConnection, inspect.isfunction)
        operations = {name for name, _ in methods if name[0].isupper()}
        self.assertEqual(operations - CALLED, ELSEWHERE)


if __name__ == "__main__":
    unittest.main()
