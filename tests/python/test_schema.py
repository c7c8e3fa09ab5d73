"""Classes, qualifiers, namespaces and instances that clients make."""

import contextlib
import unittest

import pywbem

from common import *  # noqa: F403

STRING = "string"


def qualifier(name, value, kind="boolean"):
    return pywbem.CIMQualifier(name, value, type=kind)


def prop(name, kind, *qualifiers, value=None, **more):
    return pywbem.CIMProperty(name, value, type=kind, qualifiers=qualifiers, **more)


def thing(name, *properties, superclass=None, qualifiers=()):
    return pywbem.CIMClass(name, superclass=superclass, properties=properties, qualifiers=qualifiers)


KEY = qualifier("Key", True)
WRITE = qualifier("Write", True)


class Making(Case):
    """A test that makes classes, which go with it."""

    def setUp(self):
        super().setUp()
        self.made = []

    def tearDown(self):
        # Objects go before what refers to them, classes after their subclasses.
        for name in self.made:
            with contextlib.suppress(pywbem.CIMError):
                for path in self.conn.EnumerateInstanceNames(name):
                    self.conn.DeleteInstance(path)
        for name in reversed(self.made):
            with contextlib.suppress(pywbem.CIMError):
                self.conn.DeleteClass(name)
        super().tearDown()

    def make(self, new):
        self.conn.CreateClass(new)
        self.made.append(new.classname)


class Classes(Making):
    def test_a_class_lives_from_creation_to_deletion(self):
        self.make(thing("TST_A", prop("Id", STRING, KEY), prop("N", "uint8", value=7)))
        got = self.conn.GetClass("tst_a")
        self.assertEqual(list(got.properties), ["Id", "N"])
        self.assertEqual(got.properties["N"].value, 7)
        self.assertTrue(got.properties["Id"].qualifiers["Key"].value)
        self.assertIn("TST_A", self.conn.EnumerateClassNames())
        self.make(thing("TST_B", prop("M", "datetime"), superclass="TST_A"))
        below = self.conn.GetClass("TST_B", LocalOnly=False)
        self.assertEqual(list(below.properties), ["Id", "N", "M"])
        self.assertTrue(below.properties["Id"].propagated)
        self.assert_status(pywbem.CIM_ERR_CLASS_HAS_CHILDREN, self.conn.DeleteClass, "TST_A")
        self.conn.DeleteClass("TST_B")
        self.conn.DeleteClass("TST_A")
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.GetClass, "TST_A")
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.DeleteClass, "TST_A")

    def test_wrong_classes_are_refused_with_the_code_of_the_specification(self):
        a = thing("TST_A", prop("Id", STRING, KEY))
        self.make(a)
        self.assert_status(pywbem.CIM_ERR_ALREADY_EXISTS, self.conn.CreateClass, a)
        orphan = thing("TST_O", superclass="TST_None")
        self.assert_status(pywbem.CIM_ERR_INVALID_SUPERCLASS, self.conn.CreateClass, orphan)
        for wrong, told in (
            (thing("TST_W", prop("P", STRING, qualifier("NoSuch", True))), "NoSuch"),
            (thing("TST_W", prop("P", "uint8", qualifier("MaxLen", 3, "uint32"))), "MaxLen"),
            (thing("TST_W", prop("Id", STRING), superclass="TST_A"), "Override"),
        ):
            error = self.assert_status(
                pywbem.CIM_ERR_INVALID_PARAMETER, self.conn.CreateClass, wrong
            )
            self.assertIn(told, error.status_description)
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.ModifyClass, thing("TST_None"))
        moved = thing("TST_A", prop("Id", STRING, KEY), superclass="CIM_ManagedElement")
        self.assert_status(pywbem.CIM_ERR_INVALID_SUPERCLASS, self.conn.ModifyClass, moved)

    def test_a_class_in_use_changes_in_what_describes_it_alone(self):
        self.make(thing("TST_A", prop("Id", STRING, KEY)))
        self.make(thing("TST_B", superclass="TST_A"))
        more = thing("TST_A", prop("Id", STRING, KEY), prop("New", STRING))
        self.assert_status(pywbem.CIM_ERR_CLASS_HAS_CHILDREN, self.conn.ModifyClass, more)
        told = qualifier("Description", "told", STRING)
        self.conn.ModifyClass(thing("TST_A", prop("Id", STRING, KEY), qualifiers=[told]))
        self.assertEqual(self.conn.GetClass("TST_A").qualifiers["Description"].value, "told")
        self.conn.DeleteClass("TST_B")
        self.conn.CreateInstance(pywbem.CIMInstance("TST_A", {"Id": "1"}))
        self.assert_status(pywbem.CIM_ERR_CLASS_HAS_INSTANCES, self.conn.ModifyClass, more)
        self.assert_status(pywbem.CIM_ERR_CLASS_HAS_INSTANCES, self.conn.DeleteClass, "TST_A")
        self.conn.DeleteInstance(pywbem.CIMInstanceName("TST_A", {"Id": "1"}))
        self.conn.ModifyClass(more)
        self.assertIn("New", self.conn.GetClass("TST_A").properties)

    def test_the_classes_of_the_server_stay(self):
        job = self.conn.GetClass("JW_PrintJob", LocalOnly=True)
        self.conn.ModifyClass(job)  # no change
        job.qualifiers["Description"] = qualifier("Description", "other", STRING)
        self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.ModifyClass, job)
        self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.DeleteClass, "JW_PrintJob")

    def test_a_class_that_another_refers_to_stays(self):
        self.make(thing("TST_A", prop("Id", STRING, KEY)))
        ends = [
            prop("Left", "reference", KEY, reference_class="TST_A"),
            prop("Right", "reference", KEY, reference_class="TST_A"),
        ]
        self.make(thing("TST_L", *ends, qualifiers=[qualifier("Association", True)]))
        error = self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.DeleteClass, "TST_A")
        self.assertIn("TST_L", error.status_description)

    def test_qualifiers_are_declared_changed_and_removed(self):
        scopes = {"CLASS": True, "PROPERTY": True}
        mark = pywbem.CIMQualifierDeclaration("TstMark", "uint32", value=3, scopes=scopes)
        self.conn.SetQualifier(mark)
        self.assertEqual(self.conn.GetQualifier("tstmark").value, 3)
        self.make(thing("TST_Q", qualifiers=[qualifier("TstMark", 5, "uint32")]))
        self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.DeleteQualifier, "TstMark")
        text = pywbem.CIMQualifierDeclaration("TstMark", STRING, scopes=scopes)
        self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.SetQualifier, text)
        mark.value = 4
        self.conn.SetQualifier(mark)
        self.assertEqual(self.conn.GetQualifier("TstMark").value, 4)
        self.conn.DeleteClass("TST_Q")
        self.conn.DeleteQualifier("TstMark")
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.GetQualifier, "TstMark")
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.DeleteQualifier, "TstMark")


class Instances(Making):
    def setUp(self):
        super().setUp()
        every = ["boolean", "string", "char16", "uint8", "sint8", "uint16", "sint16", "uint32",
                 "sint32", "uint64", "sint64", "real32", "real64", "datetime"]
        values = [prop("P" + kind, kind, WRITE) for kind in every]
        lists = [prop("L" + kind, kind, WRITE, is_array=True) for kind in every]
        limited = prop("Limited", "uint8", WRITE, qualifier("MaxValue", 9, "sint64"), value=5)
        self.make(thing("TST_A", prop("Id", STRING, KEY), limited, prop("Fixed", STRING), *values, *lists))
        self.make(thing("TST_B", prop("More", STRING), superclass="TST_A"))

    def new(self, name="TST_A", **values):
        instance = pywbem.CIMInstance(name, values)
        path = self.conn.CreateInstance(instance)
        return path

    def test_every_type_is_kept(self):
        far = {
            "Pboolean": True, "Pstring": "a<&\"'\u00e4\n", "Pchar16": pywbem.Char16("x"),
            "Puint8": pywbem.Uint8(255), "Psint8": pywbem.Sint8(-128),
            "Puint16": pywbem.Uint16(65535), "Psint16": pywbem.Sint16(-32768),
            "Puint32": pywbem.Uint32(2**32 - 1), "Psint32": pywbem.Sint32(-2**31),
            "Puint64": pywbem.Uint64(2**64 - 1), "Psint64": pywbem.Sint64(-2**63),
            "Preal32": pywbem.Real32(1.5), "Preal64": pywbem.Real64(1e300),
            "Pdatetime": pywbem.CIMDateTime("20260102030405.123456+060"),
        }
        values = dict(far)
        for name, value in far.items():
            # pywbem reads a NULL in an array of strings alone.
            values["L" + name[1:]] = [value, None, value] if name == "Pstring" else [value, value]
        path = self.new(Id="far", **values)
        got = self.conn.GetInstance(path)
        for name, value in values.items():
            self.assertEqual(got[name], value, name)
        self.assertEqual(got["Limited"], 5, "the default of the class")
        empty = self.new(Id="empty", Lstring=pywbem.CIMProperty("Lstring", [], type=STRING, is_array=True))
        self.assertEqual(self.conn.GetInstance(empty)["Lstring"], [])
        self.assertIsNone(self.conn.GetInstance(empty)["Luint8"])

    def test_keys_name_one_instance(self):
        path = self.new(Id="one")
        self.assert_status(pywbem.CIM_ERR_ALREADY_EXISTS, self.new, Id="one")
        self.assert_status(pywbem.CIM_ERR_INVALID_PARAMETER, self.new)
        self.new("TST_B", Id="b", More="m")
        upper = pywbem.CIMInstanceName("TST_A", {"Id": "b"})
        self.assertEqual(self.conn.GetInstance(upper)["More"], "m")
        self.new(Id="ONE")
        names = sorted(name["Id"] for name in self.conn.EnumerateInstanceNames("TST_A"))
        self.assertEqual(names, ["ONE", "b", "one"])
        self.assertEqual([i.classname for i in self.conn.EnumerateInstances("TST_B")], ["TST_B"])
        self.conn.DeleteInstance(path)
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.GetInstance, path)
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.DeleteInstance, path)

    def test_the_rules_of_the_class_hold(self):
        error = self.assert_status(
            pywbem.CIM_ERR_INVALID_PARAMETER, self.new, Id="x", Limited=pywbem.Uint8(10)
        )
        self.assertIn("MaxValue", error.status_description)
        path = self.new(Id="x", Fixed="f")
        instance = self.conn.GetInstance(path)
        instance["Limited"] = pywbem.Uint8(9)
        self.conn.ModifyInstance(instance)
        self.assertEqual(self.conn.GetInstance(path)["Limited"], 9)
        instance["Limited"] = pywbem.Uint8(11)
        self.assert_status(pywbem.CIM_ERR_INVALID_PARAMETER, self.conn.ModifyInstance, instance)
        instance["Limited"] = pywbem.Uint8(1)
        instance["Fixed"] = "g"
        self.assertRaises(pywbem.CIMError, self.conn.ModifyInstance, instance)
        self.assertEqual(self.conn.GetInstance(path)["Limited"], 9, "all or nothing")

    def test_many_instances_come_in_one_answer(self):
        for number in range(600):
            self.new(Id="n%04d" % number, Puint32=pywbem.Uint32(number))
        got = self.conn.EnumerateInstances("TST_A")
        self.assertEqual([i["Puint32"] for i in got], list(range(600)))

    def test_associations_lead_from_one_to_the_other(self):
        ends = [
            prop("Left", "reference", KEY, reference_class="TST_A"),
            prop("Right", "reference", KEY, reference_class="TST_A"),
        ]
        self.make(thing("TST_L", *ends, qualifiers=[qualifier("Association", True)]))
        a, b, c = self.new(Id="a"), self.new("TST_B", Id="b"), self.new(Id="c")
        link = self.conn.CreateInstance(pywbem.CIMInstance("TST_L", {"Left": a, "Right": b}))
        self.conn.CreateInstance(pywbem.CIMInstance("TST_L", {"Left": a, "Right": c}))
        self.assert_status(
            pywbem.CIM_ERR_ALREADY_EXISTS, self.conn.CreateInstance,
            pywbem.CIMInstance("TST_L", {"Left": a, "Right": b}),
        )
        ids = sorted(name["Id"] for name in self.conn.AssociatorNames(a))
        self.assertEqual(ids, ["b", "c"])
        self.assertEqual([n["Id"] for n in self.conn.AssociatorNames(b)], ["a"])
        self.assertEqual(len(self.conn.ReferenceNames(a, Role="Left")), 2)
        self.assertEqual(len(self.conn.ReferenceNames(a, Role="Right")), 0)
        self.assertEqual([n["Id"] for n in self.conn.AssociatorNames(a, ResultClass="TST_B")], ["b"])
        self.conn.DeleteInstance(link)
        self.assertEqual([n["Id"] for n in self.conn.AssociatorNames(a)], ["c"])
        for wrong in (
            {"Left": a, "Right": pywbem.CIMInstanceName("CIM_Job", {"InstanceID": "1"}, namespace=a.namespace)},
            {"Left": a, "Right": pywbem.CIMInstanceName("TST_A", {"Wrong": "1"}, namespace=a.namespace)},
            {"Left": a, "Right": pywbem.CIMInstanceName("TST_None", {"Id": "1"}, namespace=a.namespace)},
            {"Left": a},
        ):
            self.assert_status(
                pywbem.CIM_ERR_INVALID_PARAMETER, self.conn.CreateInstance,
                pywbem.CIMInstance("TST_L", wrong),
            )
        for path in self.conn.EnumerateInstanceNames("TST_L"):
            self.conn.DeleteInstance(path)

    def test_what_instances_embed_keeps_its_class(self):
        self.make(thing("TST_E", prop("V", STRING)))
        embeds = qualifier("EmbeddedInstance", "TST_E", STRING)
        self.make(thing("TST_H", prop("Id", STRING, KEY), prop("P", STRING, embeds)))
        inner = pywbem.CIMInstance("TST_E", {"V": "v"})
        path = self.conn.CreateInstance(pywbem.CIMInstance("TST_H", {"Id": "1", "P": inner}))
        other = thing("TST_E", prop("W", STRING))
        self.assert_status(pywbem.CIM_ERR_CLASS_HAS_INSTANCES, self.conn.ModifyClass, other)
        self.assertEqual(self.conn.GetInstance(path)["P"]["V"], "v")
        self.conn.DeleteInstance(path)
        self.conn.ModifyClass(other)

    def test_a_reference_keeps_its_rules_when_it_is_changed(self):
        ends = [
            prop("Up", "reference", KEY, reference_class="TST_A"),
            prop("Down", "reference", WRITE, reference_class="TST_A"),
        ]
        self.make(thing("TST_N", *ends, qualifiers=[qualifier("Association", True)]))
        a, b = self.new(Id="a"), self.new("TST_B", Id="b")
        link = self.conn.CreateInstance(pywbem.CIMInstance("TST_N", {"Up": a, "Down": b}))
        got = self.conn.GetInstance(link)
        got["Down"] = pywbem.CIMInstanceName("CIM_Job", {"InstanceID": "1"}, namespace="root/cimv2")
        self.assert_status(pywbem.CIM_ERR_INVALID_PARAMETER, self.conn.ModifyInstance, got)
        got["Down"] = a
        self.conn.ModifyInstance(got)
        self.assertEqual([n["Id"] for n in self.conn.AssociatorNames(a)], ["a"])
        self.assertEqual(self.conn.ReferenceNames(b), [])
        self.conn.DeleteInstance(link)

    def test_max_limits_what_leads_to_the_same_ends(self):
        most = qualifier("Max", 2, "uint32")
        ends = [
            prop("Owner", "reference", KEY, most, reference_class="TST_A"),
            prop("Owned", "reference", KEY, reference_class="TST_A"),
        ]
        self.make(thing("TST_M", *ends, qualifiers=[qualifier("Association", True)]))
        paths = {name: self.new(Id=name) for name in "abcd"}

        def link(owner, owned):
            values = {"Owner": paths[owner], "Owned": paths[owned]}
            return self.conn.CreateInstance(pywbem.CIMInstance("TST_M", values))

        link("a", "d")
        link("b", "d")
        error = self.assert_status(pywbem.CIM_ERR_FAILED, link, "c", "d")
        self.assertIn("Max", error.status_description)
        # Owned has no Max: one owner may have many.
        link("a", "b")
        link("a", "c")
        for path in self.conn.EnumerateInstanceNames("TST_M"):
            self.conn.DeleteInstance(path)

    def link(self, name, up, down, **more):
        values = {"Up": up, "Down": down, **more}
        return self.conn.CreateInstance(pywbem.CIMInstance(name, values))

    def numbered(self, least):
        """TST_N, which wants at least so many Up for each Down."""
        ends = [
            prop("Up", "reference", WRITE, qualifier("Min", least, "uint32"), reference_class="TST_A"),
            prop("Down", "reference", KEY, reference_class="TST_A"),
            prop("Number", "uint8", KEY),
        ]
        return thing("TST_N", *ends, qualifiers=[qualifier("Association", True)])

    def test_min_keeps_what_other_ends_need(self):
        self.make(self.numbered(1))
        a, b, c = self.new(Id="a"), self.new("TST_B", Id="b"), self.new(Id="c")
        first = self.link("TST_N", a, c, Number=pywbem.Uint8(1))
        second = self.link("TST_N", b, c, Number=pywbem.Uint8(2))
        self.conn.DeleteInstance(first)
        error = self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.DeleteInstance, second)
        self.assertIn("TST_N.Up: Min wants 1", error.status_description)
        # Another one may take its place: what is counted is what leads to the same other end.
        moved = self.conn.GetInstance(second)
        moved["Up"] = a
        self.conn.ModifyInstance(moved)
        # Nothing needs it when its other end has gone; the ends themselves go at any time.
        self.conn.DeleteInstance(a)
        self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.DeleteInstance, second)
        self.conn.DeleteInstance(c)
        self.conn.DeleteInstance(second)
        self.conn.DeleteInstance(b)

    def test_max_holds_when_a_reference_is_changed(self):
        ends = [
            prop("Up", "reference", KEY, qualifier("Max", 1, "uint32"), reference_class="TST_A"),
            prop("Down", "reference", WRITE, reference_class="TST_A"),
        ]
        self.make(thing("TST_O", *ends, qualifiers=[qualifier("Association", True)]))
        a, b, c, d = (self.new(Id=name) for name in "abcd")
        for up, down in ((a, c), (b, d)):
            self.conn.CreateInstance(pywbem.CIMInstance("TST_O", {"Up": up, "Down": down}))
        [of_b] = self.conn.ReferenceNames(b)
        moved = self.conn.GetInstance(of_b)
        moved["Down"] = c
        error = self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.ModifyInstance, moved)
        self.assertIn("TST_O.Up: Max allows 1", error.status_description)
        self.assertEqual([n["Id"] for n in self.conn.AssociatorNames(b)], ["d"])
        for path in self.conn.EnumerateInstanceNames("TST_O"):
            self.conn.DeleteInstance(path)

    def associations(self):
        """TST_P, TST_Q below it with just one Up for each Down, and TST_R, which limits nothing."""
        ends = [prop(name, "reference", KEY, reference_class="TST_A") for name in ("Up", "Down")]
        self.make(thing("TST_P", *ends, qualifiers=[qualifier("Association", True)]))
        one = [qualifier(name, 1, "uint32") for name in ("Min", "Max")]
        up = prop("Up", "reference", qualifier("Override", "Up", STRING), *one, reference_class="TST_A")
        self.make(thing("TST_Q", up, superclass="TST_P", qualifiers=[qualifier("Association", True)]))
        self.make(thing("TST_R", superclass="TST_P", qualifiers=[qualifier("Association", True)]))

    def test_limits_are_those_of_the_class_that_sets_them(self):
        self.associations()
        a, b, c = (self.new(Id=name) for name in "abc")
        other = self.link("TST_R", a, c)
        one = self.link("TST_Q", b, c)
        error = self.assert_status(pywbem.CIM_ERR_FAILED, self.link, "TST_Q", a, c)
        self.assertIn("TST_Q.Up: Max allows 1", error.status_description)
        self.link("TST_R", b, c)
        # TST_R leads to c too, and is no TST_Q.
        self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.DeleteInstance, one)
        self.conn.DeleteInstance(other)
        self.conn.DeleteInstance(c)
        self.conn.DeleteInstance(one)

    def test_limits_tell_objects_of_different_classes_apart(self):
        ends = [
            prop("Up", "reference", KEY, qualifier("Max", 1, "uint32"), reference_class="TST_A"),
            prop("Down", "reference", KEY, reference_class="CIM_ManagedElement"),
        ]
        self.make(thing("TST_T", *ends, qualifiers=[qualifier("Association", True)]))
        self.make(thing("TST_U", prop("Id", STRING, KEY), superclass="CIM_ManagedElement"))
        self.make(thing("TST_V", prop("Id", STRING, KEY), superclass="CIM_ManagedElement"))
        up, other = self.new(Id="a"), self.new(Id="b")
        first, second = self.new("TST_U", Id="x"), self.new("TST_V", Id="x")
        self.link("TST_T", up, first)
        self.link("TST_T", other, second)
        self.assert_status(pywbem.CIM_ERR_FAILED, self.link, "TST_T", other, first)
        # A reference that names the superclass leads to the object that is there.
        self.make(thing("TST_C", superclass="TST_A"))
        below, beside = self.new("TST_B", Id="y"), self.new("TST_C", Id="y")
        named = below.copy()
        named.classname = "TST_A"
        third = self.new("TST_U", Id="z")
        self.link("TST_T", named, third)
        self.link("TST_T", below, third)
        self.assert_status(pywbem.CIM_ERR_FAILED, self.link, "TST_T", beside, third)

    def test_a_min_that_is_not_met_hinders_nothing(self):
        self.make(self.numbered(2))
        a, b, c = (self.new(Id=name) for name in "abc")
        first = self.link("TST_N", a, c, Number=pywbem.Uint8(1))
        changed = self.conn.GetInstance(first)
        changed["Up"] = b
        self.conn.ModifyInstance(changed)
        self.conn.DeleteInstance(first)
        first = self.link("TST_N", a, c, Number=pywbem.Uint8(1))
        # The same object twice is one.
        again = self.link("TST_N", a, c, Number=pywbem.Uint8(2))
        self.conn.DeleteInstance(again)
        second = self.link("TST_N", b, c, Number=pywbem.Uint8(2))
        for nothing in (None, a):
            changed = self.conn.GetInstance(second)
            changed.properties["Up"].value = nothing
            error = self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.ModifyInstance, changed)
            self.assertIn("TST_N.Up: Min wants 2", error.status_description)
        # The class may limit less, and no more.
        for least, is_allowed in ((3, False), (1, True)):
            if is_allowed:
                self.conn.ModifyClass(self.numbered(least))
            else:
                status = pywbem.CIM_ERR_CLASS_HAS_INSTANCES
                self.assert_status(status, self.conn.ModifyClass, self.numbered(least))
        self.conn.DeleteInstance(second)
        self.assert_status(pywbem.CIM_ERR_FAILED, self.conn.DeleteInstance, first)
        self.conn.DeleteInstance(c)

    def test_no_job_lies_in_the_repository(self):
        job = pywbem.CIMInstance("CIM_ConcreteJob", {"InstanceID": "dead"})
        self.assert_status(pywbem.CIM_ERR_NOT_SUPPORTED, self.conn.CreateInstance, job)
        self.assert_status(
            pywbem.CIM_ERR_NOT_SUPPORTED, self.conn.CreateInstance, job, namespace="interop"
        )


class Namespaces(Case):
    def test_a_namespace_begins_empty_and_goes_empty(self):
        new = pywbem.CIMInstance("CIM_Namespace", {"Name": "root/tst", "CreationClassName": "CIM_Namespace"})
        path = self.conn.CreateInstance(new, namespace="interop")
        self.assertEqual(path["Name"], "root/tst")
        self.assert_status(
            pywbem.CIM_ERR_ALREADY_EXISTS, self.conn.CreateInstance, new, namespace="interop"
        )
        names = [i["Name"] for i in self.conn.EnumerateInstances("CIM_Namespace", namespace="interop")]
        self.assertEqual(sorted(names), ["interop", "root/cimv2", "root/tst"])
        self.assertEqual(self.conn.EnumerateClassNames(namespace="root/tst"), [])
        self.assertEqual(self.conn.EnumerateQualifiers(namespace="root/tst"), [])
        key = self.conn.GetQualifier("Key")
        self.conn.SetQualifier(key, namespace="ROOT/TST")
        not_empty = pywbem.CIM_ERR_NAMESPACE_NOT_EMPTY
        self.assert_status(not_empty, self.conn.DeleteInstance, path)
        self.conn.CreateClass(thing("TST_A", prop("Id", STRING, KEY)), namespace="root/tst")
        one = self.conn.CreateInstance(pywbem.CIMInstance("TST_A", {"Id": "1"}), namespace="root/tst")
        self.assertEqual(one.namespace, "root/tst")
        self.assert_status(not_empty, self.conn.DeleteInstance, path)
        self.conn.DeleteInstance(one)
        self.conn.DeleteClass("TST_A", namespace="root/tst")
        self.conn.DeleteQualifier("Key", namespace="root/tst")
        self.conn.DeleteInstance(path)
        self.assert_status(
            pywbem.CIM_ERR_INVALID_NAMESPACE, self.conn.EnumerateClassNames, namespace="root/tst"
        )
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.DeleteInstance, path)

    def test_the_namespaces_of_the_server_stay(self):
        for path in self.conn.EnumerateInstanceNames("CIM_Namespace", namespace="interop"):
            self.assert_status(pywbem.CIM_ERR_NAMESPACE_NOT_EMPTY, self.conn.DeleteInstance, path)

    def test_pywbem_makes_and_deletes_namespaces(self):
        server = pywbem.WBEMServer(self.conn)
        # Of a server with the profile WBEM Server, pywbem 1.9.1 asks the path of an instance for its
        # path.
        pywbem.CIMInstanceName.path = property(lambda path: path)
        self.addCleanup(lambda: delattr(pywbem.CIMInstanceName, "path"))
        self.assertEqual(server.create_namespace("root/by_pywbem"), "root/by_pywbem")
        self.assertIn("root/by_pywbem", server.namespaces)
        server.delete_namespace("root/by_pywbem")
        self.assertNotIn("root/by_pywbem", server.namespaces)

    def test_the_old_class_of_namespaces_works_in_every_namespace(self):
        old = pywbem.CIMInstance("__Namespace", {"Name": "deep"})
        path = self.conn.CreateInstance(old)
        self.assertEqual(path["Name"], "deep")
        names = [n["Name"] for n in self.conn.EnumerateInstanceNames("__Namespace", namespace="root/cimv2")]
        self.assertEqual(names, ["deep"])
        inner = self.conn.CreateInstance(old, namespace="root/cimv2/deep")
        self.assert_status(pywbem.CIM_ERR_NAMESPACE_NOT_EMPTY, self.conn.DeleteInstance, path)
        self.conn.DeleteInstance(inner)
        self.conn.DeleteInstance(path)
        self.assertEqual(self.conn.EnumerateInstanceNames("__Namespace"), [])
        self.assertNotIn("__Namespace", self.conn.EnumerateClassNames())


class Compiling(Case):
    def compile(self, **texts):
        names = list(texts)
        return self.conn.InvokeMethod(
            "CompileMOF", pywbem.CIMClassName("JW_SchemaService"),
            Names=names, Texts=[texts[name] for name in names],
        )

    def test_texts_are_taken_together_or_not_at_all(self):
        good = "class TST_C { [Key] string Id; }; class TST_D : TST_C { uint8 N = 3; };"
        code, out = self.compile(good=good)
        self.assertEqual((code, out.get("Diagnostics")), (0, None))
        self.assertEqual(self.conn.GetClass("TST_D").superclass, "TST_C")
        code, _ = self.compile(good=good)
        self.assertEqual(code, 0, "the same again is no change")
        code, out = self.compile(
            first="class TST_E { [Key] string Id; };", second="class TST_F : TST_None { };"
        )
        self.assertEqual(code, 5)
        self.assertIn("TST_None", out["Diagnostics"][0])
        self.assertIn("second:1", out["Diagnostics"][0])
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.GetClass, "TST_E")
        code, out = self.compile(
            main="class TST_I { [Key] string Id; uint8 N = 3; };"
            "[Association] class TST_J { [Key] TST_I REF A; [Key] TST_I REF B; };",
            data="instance of TST_J { A = $one; B = $two; };"
            'instance of TST_I as $one { Id = "1"; }; instance of TST_I as $two { Id = "2"; N = 4; };',
        )
        self.assertEqual((code, out.get("Diagnostics")), (0, None))
        self.assertEqual([i["N"] for i in self.conn.EnumerateInstances("TST_I")], [3, 4])
        one = pywbem.CIMInstanceName("TST_I", {"Id": "1"}, namespace="root/cimv2")
        self.assertEqual([n["Id"] for n in self.conn.AssociatorNames(one)], ["2"])
        code, out = self.compile(data='class TST_K { }; instance of TST_I { Id = "3"; N = 256; };')
        self.assertEqual(code, 5)
        self.assertIn("256", out["Diagnostics"][0])
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.GetClass, "TST_K")
        self.assert_status(
            pywbem.CIM_ERR_ALREADY_EXISTS, self.compile,
            data='class TST_K { }; instance of TST_I { Id = "3"; }; instance of TST_I { Id = "1"; };',
        )
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.GetClass, "TST_K")
        self.assertEqual(len(self.conn.EnumerateInstances("TST_I")), 2, "all or nothing")
        self.assert_status(
            pywbem.CIM_ERR_NOT_SUPPORTED, self.compile,
            data='instance of JW_Job { InstanceID = "mof"; Name = "n"; Command = {"/bin/true"}; };',
        )
        for name in ("TST_J", "TST_I"):
            for path in self.conn.EnumerateInstanceNames(name):
                self.conn.DeleteInstance(path)
            self.conn.DeleteClass(name)
        code, out = self.compile(broken="class TST_G {")
        self.assertEqual(code, 5)
        self.assertEqual(len(out["Diagnostics"]), 1)
        self.conn.DeleteClass("TST_D")
        self.conn.DeleteClass("TST_C")

    def test_a_text_for_a_namespace_that_is_not_there_changes_nothing(self):
        text = '#pragma namespace("root/none")\nclass TST_P { [Key] string Id; };'
        texts = {"here": "class TST_Q { };", "there": text}
        error = self.assert_status(pywbem.CIM_ERR_INVALID_NAMESPACE, self.compile, **texts)
        self.assertIn("root/none", error.status_description)
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.GetClass, "TST_Q")


if __name__ == "__main__":
    unittest.main()
