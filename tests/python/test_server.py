"""Classes, namespaces, errors and access, as pywbem sees them."""

import unittest

import pywbem

from common import *  # noqa: F403


class Associations(Case):
    def test_classes_by_what_their_associations_allow(self):
        systems = self.conn.AssociatorNames("CIM_ComputerSystem")
        self.assertTrue(all(path.host and path.namespace for path in systems), systems)
        for path in self.conn.ReferenceNames("CIM_ComputerSystem"):
            self.assertIn("Association", self.conn.GetClass(path.classname).qualifiers)
        named = {path.classname for path in self.conn.ReferenceNames("CIM_ComputerSystem")}
        given = {found.classname for _, found in self.conn.References("CIM_ComputerSystem")}
        self.assertTrue(named)
        self.assertEqual(named, given)

    def test_wrong_sources_and_filters(self):
        self.assert_status(4, self.conn.AssociatorNames, "CIM_None")
        self.assert_status(4, self.conn.AssociatorNames, "CIM_Job", AssocClass="CIM_None")
        self.assert_status(4, self.conn.ReferenceNames, "CIM_Job", ResultClass="CIM_None")
        missing = self.conn.EnumerateInstanceNames("CIM_ComputerSystem")[0]
        self.assertEqual(self.conn.AssociatorNames(missing, Role="NoSuchRole"), [])
        missing.keybindings["Name"] = "another"
        self.assert_status(6, self.conn.References, missing)


class Classes(Case):
    def test_get_class(self):
        job = self.conn.GetClass("cim_job", LocalOnly=False, IncludeQualifiers=True, IncludeClassOrigin=True)
        self.assertEqual(job.classname, "CIM_Job")
        self.assertEqual(job.superclass, "CIM_LogicalElement")
        self.assertTrue(job.qualifiers["Abstract"].value)
        run_day = job.properties["RunDay"]
        self.assertEqual((run_day.type, run_day.class_origin), ("sint8", "CIM_Job"))
        self.assertEqual(run_day.qualifiers["MinValue"].value, -31)
        self.assertEqual(job.properties["Caption"].class_origin, "CIM_ManagedElement")
        self.assertIn("KillJob", job.methods)

    def test_local_only_leaves_out_what_is_inherited(self):
        local = self.conn.GetClass("CIM_ConcreteJob", LocalOnly=True)
        self.assertNotIn("RunDay", local.properties)
        self.assertIn("JobState", local.properties)
        bare = self.conn.GetClass("CIM_ConcreteJob", LocalOnly=False, IncludeQualifiers=False,
                                  PropertyList=["JobState"])
        self.assertEqual(list(bare.properties), ["JobState"])
        self.assertFalse(bare.qualifiers)

    def test_an_unknown_class(self):
        self.assert_status(6, self.conn.GetClass, "CIM_None")
        self.assert_status(5, self.conn.EnumerateClasses, ClassName="CIM_None")
        self.assert_status(5, self.conn.EnumerateInstances, "CIM_None")
        self.assert_status(5, self.conn.EnumerateInstanceNames, "CIM_None")

    def test_enumerate_classes(self):
        below = self.conn.EnumerateClassNames(ClassName="CIM_Job", DeepInheritance=False)
        self.assertIn("CIM_ConcreteJob", below)
        self.assertNotIn("JW_Job", below)
        deep = self.conn.EnumerateClassNames(ClassName="CIM_Job", DeepInheritance=True)
        self.assertIn("JW_Job", deep)
        self.assertNotIn("CIM_Job", deep)
        roots = self.conn.EnumerateClassNames()
        self.assertIn("CIM_ManagedElement", roots)
        self.assertNotIn("CIM_Job", roots)
        everything = self.conn.EnumerateClasses(DeepInheritance=True, LocalOnly=False)
        names = {c.classname for c in everything}
        self.assertEqual(names, set(self.conn.EnumerateClassNames(DeepInheritance=True)))
        for each in everything:
            alone = self.conn.GetClass(each.classname, LocalOnly=False)
            self.assertEqual(each, alone, each.classname)

    def test_qualifiers(self):
        declared = {q.name: q for q in self.conn.EnumerateQualifiers()}
        self.assertEqual(declared["Key"].type, "boolean")
        self.assertFalse(declared["Key"].overridable)
        one = self.conn.GetQualifier("key")
        self.assertEqual(one, declared["Key"])
        self.assert_status(6, self.conn.GetQualifier, "NoSuch")


class Instances(Case):
    def test_property_list_and_deep_inheritance(self):
        path = self.create("/bin/true")
        some = self.conn.GetInstance(path, PropertyList=["Name", "name", "NoSuch"])
        self.assertEqual(list(some.properties), ["Name"])
        self.assertFalse(self.conn.GetInstance(path, PropertyList=[]).properties)
        shallow = self.conn.EnumerateInstances("CIM_Job", DeepInheritance=False)
        self.assertNotIn("Command", shallow[0].properties)
        self.assertIn("RunDay", shallow[0].properties)
        deep = self.conn.EnumerateInstances("CIM_Job", DeepInheritance=True)
        self.assertIn("Command", deep[0].properties)
        origin = self.conn.GetInstance(path, IncludeClassOrigin=True)
        self.assertEqual(origin.properties["RunDay"].class_origin, "CIM_Job")
        self.wait(path)

    def test_paths_that_lead_nowhere(self):
        for keys, status in (({"InstanceID": "none"}, 6), ({}, 4), ({"Wrong": "x"}, 4)):
            path = pywbem.CIMInstanceName("JW_Job", keys, namespace=NAMESPACE)
            self.assert_status(status, self.conn.GetInstance, path)

    def test_a_wrong_value_comes_before_a_missing_instance(self):
        path = pywbem.CIMInstanceName("JW_Job", {"InstanceID": "none"}, namespace=NAMESPACE)
        for priority, status in ((pywbem.Uint32(1), 6), ("high", 4)):
            instance = pywbem.CIMInstance("JW_Job", {"Priority": priority}, path=path)
            self.assert_status(status, self.conn.ModifyInstance, instance)

    def test_a_property_of_embedded_instances_arrives_as_instances(self):
        path = self.create("/bin/false")
        self.wait(path, EXCEPTION)
        _, out = self.conn.InvokeMethod("GetErrors", path)
        self.assertIsInstance(out["Errors"][0], pywbem.CIMInstance)

    def test_methods_that_do_not_exist(self):
        path = self.create("/bin/true")
        self.assert_status(17, self.conn.InvokeMethod, "NoSuch", path)
        self.assert_status(4, self.conn.InvokeMethod, "KillJob", "JW_Job")
        self.assert_status(4, self.conn.InvokeMethod, "KillJob", path, NoSuch=True)
        self.wait(path)

    def test_text_survives(self):
        text = 'a<b>&"c"\'\t\n\u00e4\u20ac\U0001f600 ]]> end '
        path = self.create("/bin/echo", text, Description=text)
        self.assertEqual(self.get(path, "Description"), text)
        self.assertEqual(self.get(path, "Command"), ["/bin/echo", text])
        self.wait(path, COMPLETED)
        self.assertEqual(self.log(path).decode(), text + "\n")


class Namespaces(Case):
    def test_the_namespace_is_judged_before_the_parameters(self):
        names = self.conn.EnumerateInstanceNames
        self.assert_status(3, names, "CIM_Job", namespace="root/none")
        wrong = {"ClassName": None, "namespace": "root/none"}
        self.assert_status(3, self.conn._imethodcall, "EnumerateInstanceNames", **wrong)
        wrong["namespace"] = NAMESPACE
        self.assert_status(4, self.conn._imethodcall, "EnumerateInstanceNames", **wrong)

    def test_interop_is_found_under_both_names(self):
        for name in ("interop", "root/interop"):
            conn = connect(namespace=name)
            names = {i["Name"] for i in conn.EnumerateInstances("CIM_Namespace")}
            self.assertEqual(names, {"interop", "root/cimv2"})
        self.assert_status(3, connect(namespace="root/none").EnumerateClassNames)

    def test_get_instance_equals_enumeration(self):
        conn = connect(namespace="interop")
        for each in conn.EnumerateInstances("CIM_Namespace"):
            self.assertEqual(conn.GetInstance(each.path).properties, each.properties)

    def test_wbem_server(self):
        server = pywbem.WBEMServer(self.conn)
        self.assertEqual(server.interop_ns, "interop")
        self.assertEqual(sorted(server.namespaces), ["interop", "root/cimv2"])
        self.assertEqual(server.brand, "Jobwright")
        self.assertRegex(server.version, r"^\d+\.\d+\.\d+")

    def test_jobs_are_found_by_iteration(self):
        path = self.create("/bin/true")
        paths = list(self.conn.IterEnumerateInstancePaths("JW_Job"))
        self.assertIn(path["InstanceID"], [p["InstanceID"] for p in paths])
        self.wait(path)


class Access(Case):
    def test_nobody_gets_in_without_the_password(self):
        for user, password in ((None, None), ("admin", "wrong"), ("nobody", "x"), ("admin", "")):
            with self.subTest(user):
                with self.assertRaises(pywbem.AuthError):
                    connect(user, password).EnumerateClassNames()


if __name__ == "__main__":
    unittest.main()
