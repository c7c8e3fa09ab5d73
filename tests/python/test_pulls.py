"""Pulled enumerations as pywbem asks for them: each result beside that of the operation that gives all."""

import unittest

import pywbem

from common import *  # noqa: F403

FQL = "DMTF:FQL"


def plain(instances):
    """Instances by path, without what the two kinds of operations tell differently: the host."""
    found = {}
    for instance in instances:
        path = instance.path.copy()
        path.host = None
        copy = instance.copy()
        copy.path = None
        found[path.to_wbem_uri()] = copy.tomof()
    return found


def paths(found):
    def hostless(path):
        path = path.copy()
        path.host = None
        return path.to_wbem_uri()

    return sorted(hostless(path) for path in found)


class Pulls(Case):
    PROPERTIES = ["InstanceID", "Name", "Priority", "JobState"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pulling = pywbem.WBEMConnection(
            URL, ("admin", PASSWORD), default_namespace=NAMESPACE, timeout=60, use_pull_operations=True)
        cls.plain = pywbem.WBEMConnection(
            URL, ("admin", PASSWORD), default_namespace=NAMESPACE, timeout=60, use_pull_operations=False)
        cls.ids = [f"pull:{number:02}" for number in range(12)]
        for number, name in enumerate(cls.ids):
            job = {"InstanceID": name, "Name": f"pulled {number}", "Hold": True,
                   "Command": ["/bin/true"], "Priority": pywbem.Uint32(number + 1)}
            cls.conn.CreateInstance(pywbem.CIMInstance("JW_Job", job))
        waiting = {"InstanceID": "pull:last", "Name": "waits", "Command": ["/bin/true"], "DependsOn": cls.ids}
        cls.job = cls.conn.CreateInstance(pywbem.CIMInstance("JW_Job", waiting))

    def drain(self, opened, pull):
        """All objects of an open enumeration, and the number of pulls that it took."""
        instances = "instances" if hasattr(opened, "instances") else "paths"
        found, pulls = list(getattr(opened, instances)), 0
        while not opened.eos:
            opened = pull(opened.context, MaxObjectCount=5)
            found += getattr(opened, instances)
            pulls += 1
        self.assertIsNone(opened.context)
        return found, pulls

    def test_iterations_give_what_traditional_operations_give(self):
        name = self.job
        enumerate_ = dict(PropertyList=self.PROPERTIES)
        for operation, arguments, named in [
            ("IterEnumerateInstances", ["CIM_Job"], enumerate_),
            ("IterEnumerateInstances", ["CIM_Job"], dict(PropertyList=self.PROPERTIES, DeepInheritance=False)),
            ("IterEnumerateInstances", ["JW_Job"], dict(PropertyList=[])),
            ("IterReferenceInstances", [name], {}),
            ("IterReferenceInstances", [name], dict(ResultClass="JW_JobDependency", Role="Dependent")),
            ("IterAssociatorInstances", [name], dict(PropertyList=["Name"])),
            ("IterAssociatorInstances", [name], dict(ResultClass="CIM_Job", PropertyList=self.PROPERTIES)),
            ("IterAssociatorInstances", [name], dict(AssocClass="JW_JobDependency", ResultRole="Dependent")),
        ]:
            with self.subTest(operation, arguments=arguments, named=named):
                pulled = list(getattr(self.pulling, operation)(*arguments, MaxObjectCount=3, **named))
                given = list(getattr(self.plain, operation)(*arguments, **named))
                self.assertEqual(plain(pulled), plain(given))
                self.assertEqual(len(pulled), len(given))
                for instance in pulled:
                    self.assertIsNotNone(instance.path.host)
                    self.assertIsNotNone(instance.path.namespace)
        for operation, arguments in [
            ("IterEnumerateInstancePaths", ["CIM_Job"]),
            ("IterEnumerateInstancePaths", ["CIM_ManagedElement"]),
            ("IterReferenceInstancePaths", [name]),
            ("IterAssociatorInstancePaths", [name]),
        ]:
            with self.subTest(operation, arguments=arguments):
                pulled = paths(getattr(self.pulling, operation)(*arguments, MaxObjectCount=3))
                self.assertEqual(pulled, paths(getattr(self.plain, operation)(*arguments)))
                self.assertTrue(pulled)
        # Nothing fell back to the traditional operations.
        self.assertTrue(all(self.pulling.__dict__[flag] for flag in [
            "_use_enum_inst_pull_operations", "_use_enum_path_pull_operations",
            "_use_ref_inst_pull_operations", "_use_ref_path_pull_operations",
            "_use_assoc_inst_pull_operations", "_use_assoc_path_pull_operations"]))

    def test_other_namespaces(self):
        for namespace in ("interop", "root/interop"):
            pulled = list(self.pulling.IterEnumerateInstances("CIM_Namespace", namespace=namespace, MaxObjectCount=1))
            given = self.plain.EnumerateInstances("CIM_Namespace", namespace=namespace)
            self.assertEqual(sorted(i["Name"] for i in pulled), sorted(i["Name"] for i in given))
            self.assertEqual({i.path.namespace for i in pulled}, {"interop"})

    def test_queries_give_the_same_rows(self):
        for query in [
            "SELECT InstanceID, Priority FROM JW_Job WHERE Name LIKE 'pulled.*'",
            "SELECT * FROM JW_Job WHERE Priority > 4 AND Name LIKE 'pulled.*' ORDER BY Priority DESC",
        ]:
            with self.subTest(query):
                iterated = self.pulling.IterQueryInstances("DMTF:CQL", query, MaxObjectCount=4)
                pulled = [row["InstanceID"] for row in iterated.generator]
                given = [row["InstanceID"] for row in self.plain.ExecQuery("DMTF:CQL", query)]
                self.assertEqual(pulled, given)
                self.assertTrue(pulled)

    def test_the_class_of_rows(self):
        query = "SELECT InstanceID, Priority FROM JW_Job WHERE Name LIKE 'pulled.*'"
        opened = self.conn.OpenQueryInstances("DMTF:CQL", query, ReturnQueryResultClass=True, MaxObjectCount=2)
        self.assertEqual(opened.query_result_class.classname, "JW_Job")
        self.assertEqual(sorted(opened.query_result_class.properties), ["InstanceID", "Priority"])
        rows, pulls = self.drain(opened, self.conn.PullInstances)
        self.assertEqual((len(rows), pulls), (12, 2))
        self.assertTrue(all(sorted(row.keys()) == ["InstanceID", "Priority"] for row in rows))

    def test_counts_are_kept(self):
        opened = self.conn.OpenEnumerateInstances("JW_Job", MaxObjectCount=0, PropertyList=["InstanceID"])
        self.assertEqual((opened.instances, opened.eos), ([], False))
        again = self.conn.PullInstancesWithPath(opened.context, MaxObjectCount=0)
        self.assertEqual((again.instances, again.eos), ([], False))
        some = self.conn.PullInstancesWithPath(again.context, MaxObjectCount=5)
        self.assertEqual((len(some.instances), some.eos), (5, False))
        rest, _ = self.drain(some, self.conn.PullInstancesWithPath)
        self.assertEqual(len({i["InstanceID"] for i in rest}), len(self.conn.EnumerateInstanceNames("JW_Job")))
        whole = self.conn.OpenEnumerateInstancePaths("JW_Job", MaxObjectCount=1000)
        self.assertTrue(whole.eos)

    def test_filters(self):
        for filter_, expected in [
            ("Name = 'pulled 3'", {"pull:03"}),
            ("Priority > 10 AND Name LIKE 'pulled.*'", {"pull:10", "pull:11"}),
            ("InstanceID = 'pull:01' OR InstanceID = 'pull:02'", {"pull:01", "pull:02"}),
            ("ANY Command = '/bin/none'", set()),
        ]:
            for properties in (None, ["InstanceID"]):
                with self.subTest(filter_, properties=properties):
                    pulled = self.pulling.IterEnumerateInstances(
                        "CIM_Job", FilterQueryLanguage=FQL, FilterQuery=filter_, MaxObjectCount=3,
                        PropertyList=properties)
                    self.assertEqual({i["InstanceID"] for i in pulled}, expected)
            named = self.pulling.IterEnumerateInstancePaths(
                "CIM_Job", FilterQueryLanguage=FQL, FilterQuery=filter_, MaxObjectCount=3)
            self.assertEqual({path["InstanceID"] for path in named}, expected)
        for call, kind in (
            (self.conn.OpenAssociatorInstancePaths, "paths"), (self.conn.OpenAssociatorInstances, "instances")):
            opened = call(self.job, ResultClass="CIM_Job", FilterQueryLanguage=FQL,
                          FilterQuery="Priority = 3", MaxObjectCount=9)
            self.assertEqual([found["InstanceID"] for found in getattr(opened, kind)], ["pull:02"])
            self.assertTrue(opened.eos)
        for call, kind in (
            (self.conn.OpenReferenceInstancePaths, "paths"), (self.conn.OpenReferenceInstances, "instances")):
            opened = call(self.job, ResultClass="JW_JobDependency", FilterQueryLanguage=FQL,
                          FilterQuery="Condition = 3", MaxObjectCount=9)
            self.assertEqual((getattr(opened, kind), opened.eos), ([], True))

    def test_wrong_filters_and_queries(self):
        opened = self.conn.OpenEnumerateInstances
        job = "JW_Job"
        self.assert_status(4, opened, job, FilterQuery="Name = 'x'", containing="FilterQueryLanguage")
        self.assert_status(4, opened, job, FilterQueryLanguage=FQL, containing="FilterQuery")
        self.assert_status(14, opened, job, FilterQueryLanguage="WQL", FilterQuery="Name = 'x'")
        self.assert_status(15, opened, job, FilterQueryLanguage=FQL, FilterQuery="Name =", containing="column")
        self.assert_status(15, opened, job, FilterQueryLanguage=FQL, FilterQuery="Foo = 1", containing="Foo")
        query = self.conn.OpenQueryInstances
        self.assert_status(14, query, FQL, "Name = 'x'")
        self.assert_status(15, query, "DMTF:CQL", "SELECT * FROM CIM_None")

    def test_wrong_objects(self):
        self.assert_status(5, self.conn.OpenEnumerateInstances, "CIM_None")
        self.assert_status(5, self.conn.OpenEnumerateInstancePaths, "CIM_None")
        self.assert_status(3, self.conn.OpenEnumerateInstances, "JW_Job", namespace="root/none")
        gone = pywbem.CIMInstanceName("JW_Job", {"InstanceID": "none"}, namespace=NAMESPACE)
        for call in (self.conn.OpenReferenceInstances, self.conn.OpenReferenceInstancePaths,
                     self.conn.OpenAssociatorInstances, self.conn.OpenAssociatorInstancePaths):
            self.assert_status(6, call, gone)
            self.assert_status(4, call, self.job, ResultClass="CIM_None")

    def test_timeouts(self):
        opened = self.conn.OpenEnumerateInstances
        for seconds in (0, 601, 4294967295):
            self.assert_status(22, opened, "JW_Job", OperationTimeout=seconds, containing="OperationTimeout")
        short = opened("JW_Job", OperationTimeout=1, MaxObjectCount=1)
        long = opened("JW_Job", OperationTimeout=60, MaxObjectCount=1)

        def is_over():
            try:
                self.conn.CloseEnumeration(short.context)
            except pywbem.CIMError as error:
                return error.status_code == 21
            self.fail("an enumeration of one second was open after two")

        time.sleep(2)  # That nothing is asked for meanwhile is what is tested.
        self.assertTrue(is_over())
        self.assertEqual(len(self.conn.PullInstancesWithPath(long.context, 2).instances), 2)
        self.conn.CloseEnumeration(long.context)

    def test_contexts(self):
        opened = self.conn.OpenEnumerateInstances("JW_Job", MaxObjectCount=1)
        context = opened.context
        self.assert_status(4, self.conn.PullInstancePaths, context, 1, containing="PullInstancesWithPath")
        self.assert_status(4, self.conn.PullInstances, context, 1)
        self.assert_status(21, self.conn.PullInstancesWithPath, ("f" * 32, NAMESPACE), 1)
        self.assert_status(21, self.conn.PullInstancesWithPath, (context[0], "interop"), 1)
        self.assertEqual(len(self.conn.PullInstancesWithPath(context, 1).instances), 1)
        self.conn.CloseEnumeration(context)
        self.assert_status(21, self.conn.CloseEnumeration, context)
        self.assert_status(21, self.conn.PullInstancesWithPath, context, 1)

    def test_contexts_are_limited(self):
        held = []
        with self.assertRaises(pywbem.CIMError) as caught:
            for _ in range(1001):
                held.append(self.conn.OpenEnumerateInstancePaths("JW_Job", MaxObjectCount=0).context)
        for context in held:
            self.conn.CloseEnumeration(context)
        self.assertEqual(caught.exception.status_code, 27)
        self.assertGreater(len(held), 100)

    def test_continue_on_error_is_supported(self):
        opened = self.conn.OpenEnumerateInstances("JW_Job", ContinueOnError=True, MaxObjectCount=3)
        self.assertEqual(len(opened.instances), 3)
        self.conn.CloseEnumeration(opened.context)


if __name__ == "__main__":
    unittest.main()
