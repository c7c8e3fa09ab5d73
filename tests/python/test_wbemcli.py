"""Debian's wbemcli, verb by verb: what it prints and what it does, beside what pywbem sees of the server.

JOBWRIGHT_TEST_WBEMCLI names the program. It cannot read classes as results of association operations: that
it is answered all the same, and complains of nothing else, is all that can be said of those.
"""

import os
import subprocess
import unittest
from urllib.parse import urlsplit

import pywbem

from common import *  # noqa: F403

WBEMCLI = os.environ["JOBWRIGHT_TEST_WBEMCLI"]
AUTHORITY = urlsplit(URL).netloc

# Every verb of the program, by its own list; gcd and cmx print XML as it came.
VERBS = {"gc", "gcd", "ec", "ecn", "dc", "gi", "ei", "ein", "ci", "mi", "di", "ai", "ain", "ri", "rin", "gp", "sp",
         "cm", "cmx"}
USED = set()


def literal(value):
    """A value as wbemcli prints it."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(map(literal, value))
    if isinstance(value, pywbem.CIMInstanceName):
        return spelled(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (str, pywbem.CIMDateTime)):
        return f'"{value}"'
    return str(value)


def spelled(path):
    """A path as wbemcli prints it, after the authority."""
    keys = ",".join(f"{name}={literal(value)}" for name, value in path.keybindings.items())
    return f"{path.namespace}:{path.classname}.{keys}"


class Wbemcli(Case):
    def run_it(self, verb, object_, *arguments, options=(), namespace=NAMESPACE):
        """The lines that it prints, without the authority, and what it complains of."""
        USED.add(verb)
        command = [WBEMCLI, verb, *options, f"http://admin:{PASSWORD}@{AUTHORITY}/{namespace}:{object_}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
        lines = [line.removeprefix(f"{AUTHORITY}/") for line in done.stdout.splitlines() if line.strip()]
        return lines, done.stderr

    def shown(self, *arguments, **named):
        lines, complaint = self.run_it(*arguments, **named)
        self.assertEqual(complaint, "", arguments)
        return lines

    def complains(self, expected, *arguments, **named):
        lines, complaint = self.run_it(*arguments, **named)
        self.assertEqual(lines, [], arguments)
        self.assertIn(expected, complaint, arguments)

    def job(self, name, **values):
        path = self.create("/bin/true", InstanceID=name, Hold=True, **values)
        self.addCleanup(self.dismiss, path)
        return path

    def dismiss(self, path):
        try:
            self.request(path, KILL)
            self.conn.DeleteInstance(path)
        except pywbem.CIMError as error:
            self.assertEqual(error.status_code, pywbem.CIM_ERR_NOT_FOUND)

    def same_paths(self, lines, paths):
        self.assertEqual(sorted(lines), sorted(spelled(path) for path in paths))

    def same_instances(self, lines, instances):
        """`lines` come of -nl: a path, then a property a line."""
        found, current = {}, None
        for line in lines:
            if line.startswith("-"):
                name, _, value = line[1:].partition("=")
                found[current][name] = value
            else:
                current = line
                found[current] = {}
        expected = {
            spelled(instance.path): {n: literal(v) for n, v in instance.items() if literal(v)}
            for instance in instances
        }
        self.assertEqual(set(found), set(expected))
        for path, values in expected.items():
            # NULL is shown as nothing.
            self.assertEqual({n: v for n, v in found[path].items() if v}, values)

    def key(self, path):
        return f'{path.classname}.InstanceID="{path["InstanceID"]}"'


class Instances(Wbemcli):
    def test_what_is_read(self):
        first = self.job("wb:1", Priority=pywbem.Uint32(3))
        second = self.job("wb:2", DependsOn=["wb:1"])
        for name in ("JW_Job", "CIM_ConcreteJob", "JW_JobQueue", "CIM_ComputerSystem", "JW_JobDependency"):
            self.same_paths(self.shown("ein", name), self.conn.EnumerateInstanceNames(name))
        stable = ["InstanceID", "Name", "Command", "Priority", "JobState", "DependsOn", "Hold"]
        listed = ",".join(stable)
        instances = self.conn.EnumerateInstances("JW_Job", PropertyList=stable)
        self.same_instances(self.shown("ei", "JW_Job", listed, options=["-nl"]), instances)
        for path in (first, second):
            instance = self.conn.GetInstance(path, PropertyList=stable)
            self.same_instances(self.shown("gi", self.key(path), listed, options=["-nl"]), [instance])
        links = self.conn.EnumerateInstances("JW_JobDependency")
        self.same_instances(self.shown("ei", "JW_JobDependency", options=["-nl"]), links)
        self.assertEqual(self.shown("gp", self.key(first), "Priority"), ["3"])
        self.assertEqual(self.shown("gp", self.key(second), "DependsOn"), ["wb:1"])
        interop = self.conn.EnumerateInstanceNames("CIM_Namespace", namespace="interop")
        self.same_paths(self.shown("ein", "CIM_Namespace", namespace="interop"), interop)

    def test_what_is_written(self):
        key = 'JW_Job.InstanceID="wb:new"'
        made = self.shown("ci", key, "InstanceID=wb:new,Name=a name,Command=/bin/true,Hold=true,Priority=4")
        path = pywbem.CIMInstanceName("JW_Job", {"InstanceID": "wb:new"}, namespace=NAMESPACE)
        self.addCleanup(self.dismiss, path)
        self.same_paths(made, [path])
        self.assertEqual(self.get(path, "Name", "Command", "Priority"), ("a name", ["/bin/true"], 4))
        self.complains("CIM_ERR_ALREADY_EXISTS", "ci", key, "InstanceID=wb:new,Name=b,Command=/bin/true")
        self.shown("mi", key, "Priority=7")
        self.assertEqual(self.get(path, "Priority"), 7)
        self.shown("sp", key, "Priority=9")
        self.assertEqual(self.get(path, "Priority"), 9)
        self.complains("CIM_ERR_INVALID_PARAMETER", "mi", key, "RunDay=32")
        self.complains("CIM_ERR_TYPE_MISMATCH", "sp", key, "Priority=high")
        self.complains("CIM_ERR_NO_SUCH_PROPERTY", "gp", key, "NoSuch")
        self.assertEqual(self.get(path, "Priority"), 9, "all or nothing")
        self.assertIn("0", self.shown("cm", key, "RequestStateChange.RequestedState=5")[0])
        self.assertEqual(self.get(path, "JobState"), KILLED)
        self.shown("di", key)
        self.assert_status(6, self.conn.GetInstance, path)
        self.complains("CIM_ERR_NOT_FOUND", "di", key)
        self.complains("CIM_ERR_NOT_FOUND", "gi", key)
        self.complains("CIM_ERR_INVALID_CLASS", "ein", "CIM_None")
        self.complains("CIM_ERR_INVALID_NAMESPACE", "ein", "JW_Job", namespace="root/none")

    def test_methods(self):
        path = self.job("wb:method")
        answer = "".join(self.shown("cmx", self.key(path), "RequestStateChange.RequestedState=5"))
        self.assertIn('<RETURNVALUE PARAMTYPE="uint32"><VALUE>0</VALUE></RETURNVALUE>', answer)
        self.assertEqual(self.get(path, "JobState"), KILLED)
        told = self.shown("cm", "JW_JobService", "SubmitJob.Name=by wbemcli,Script=exit 0")[0]
        self.assertIn("4096", told)
        self.assertIn("by wbemcli", [job["Name"] for job in self.conn.EnumerateInstances("JW_Job")])
        self.complains("NoSuch", "cm", self.key(path), "NoSuch.A=1")


class Associations(Wbemcli):
    def test_names_and_instances_by_every_filter(self):
        first, second = self.job("wb:a"), self.job("wb:b", DependsOn=["wb:a"])
        queue = [path for path in self.conn.AssociatorNames(second) if path.classname == "JW_JobQueue"]
        self.assertEqual(len(queue), 1)
        flags = {"AssocClass": "-ac", "ResultClass": "-arc", "Role": "-ar", "ResultRole": "-arr"}
        for filters in (
            {}, {"AssocClass": "JW_JobDependency"}, {"AssocClass": "CIM_Dependency", "ResultClass": "JW_Job"},
            {"Role": "Dependent"}, {"Role": "Antecedent"}, {"ResultRole": "Antecedent"}, {"ResultClass": "CIM_JobDestination"},
            {"AssocClass": "JW_JobDependency", "Role": "Dependent", "ResultRole": "Antecedent", "ResultClass": "CIM_Job"},
            {"AssocClass": "JW_JobDependency", "Role": "NoSuch"},
        ):
            options = [word for name, value in filters.items() for word in (flags[name], value)]
            for path in (first, second):
                with self.subTest(filters, path=path["InstanceID"]):
                    self.same_paths(self.shown("ain", self.key(path), options=options),
                                    self.conn.AssociatorNames(path, **filters))
                    listed = ["InstanceID", "Name", "Priority"]
                    self.same_instances(self.shown("ai", self.key(path), ",".join(listed), options=["-nl", *options]),
                                        self.conn.Associators(path, PropertyList=listed, **filters))
                    if not set(filters) <= {"ResultClass", "Role"}:
                        continue
                    self.same_paths(self.shown("rin", self.key(path), options=options),
                                    self.conn.ReferenceNames(path, **filters))
                    self.same_instances(self.shown("ri", self.key(path), options=["-nl", *options]),
                                        self.conn.References(path, **filters))
        links = self.conn.ReferenceNames(second, ResultClass="JW_JobDependency")
        self.same_paths(self.shown("rin", self.key(second), options=["-arc", "JW_JobDependency"]), links)

    def test_wrong_sources_and_filters(self):
        path = self.job("wb:c")
        for verb in ("ain", "ai", "rin", "ri"):
            self.complains("CIM_ERR_NOT_FOUND", verb, 'JW_Job.InstanceID="none"')
            self.complains("CIM_ERR_INVALID_PARAMETER", verb, 'CIM_None.InstanceID="none"')
            self.complains("CIM_ERR_INVALID_PARAMETER", verb, self.key(path), options=["-arc", "CIM_None"])
            # Of a class: the results are classes, which it cannot read.
            lines, complaint = self.run_it(verb, "CIM_ComputerSystem")
            self.assertEqual(lines, [])
            self.assertIn("Parse Exception: Expecting ", complaint)


class Classes(Wbemcli):
    def test_what_is_read(self):
        path = f"{NAMESPACE}:"
        for name in ("", "CIM_Job", "CIM_ManagedElement"):
            below = self.conn.EnumerateClassNames(ClassName=name or None, DeepInheritance=True)
            self.assertEqual(sorted(self.shown("ecn", name)), sorted(path + each for each in below))
            lines = self.shown("ec", name)
            self.assertEqual(sorted(line.split(" ")[0] for line in lines), sorted(path + each for each in below))
        declared = self.conn.GetClass("JW_Job", LocalOnly=False)
        shown = self.shown("gc", "JW_Job")[0].split(" ", 1)[1]
        self.assertEqual([each.split("=")[0] for each in shown.split(",") if "=" in each], list(declared.properties))
        raw = "".join(self.shown("gcd", "JW_JobDependency"))
        self.assertIn('<CLASS NAME="JW_JobDependency" SUPERCLASS="CIM_Dependency">', raw)
        self.assertNotIn("<QUALIFIER", raw)
        self.complains("CIM_ERR_NOT_FOUND", "gc", "CIM_None")
        self.complains("CIM_ERR_INVALID_CLASS", "ecn", "CIM_None")
        self.complains("CIM_ERR_INVALID_CLASS", "ei", "CIM_None")

    def test_what_is_deleted(self):
        key = pywbem.CIMProperty("Id", None, type="string", qualifiers=[pywbem.CIMQualifier("Key", True)])
        self.conn.CreateClass(pywbem.CIMClass("TST_Wbemcli", properties=[key]))
        self.assertIn("Id=", self.shown("gc", "TST_Wbemcli")[0])
        self.shown("ci", 'TST_Wbemcli.Id="1"', "Id=1")
        self.complains("CIM_ERR_CLASS_HAS_INSTANCES", "dc", "TST_Wbemcli")
        self.shown("di", 'TST_Wbemcli.Id="1"')
        self.shown("dc", "TST_Wbemcli")
        self.assert_status(6, self.conn.GetClass, "TST_Wbemcli")
        self.complains("CIM_ERR_NOT_FOUND", "dc", "TST_Wbemcli")
        self.complains("belongs to the server", "dc", "JW_PrintJob")


class Zenith(unittest.TestCase):
    """After all others, which are run in the order of their names."""

    def test_no_verb_was_left_out(self):
        self.assertEqual(VERBS - USED, set())


if __name__ == "__main__":
    unittest.main()
