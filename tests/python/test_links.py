"""Associations between jobs and what belongs to them, walked by pywbem in both directions."""

import pywbem

from common import *  # noqa: F403


class Dependencies(Case):
    def dependency(self, antecedent, dependent, condition=None):
        values = {"Antecedent": antecedent, "Dependent": dependent}
        if condition is not None:
            values["Condition"] = pywbem.Uint16(condition)
        return self.conn.CreateInstance(pywbem.CIMInstance("JW_JobDependency", values))

    def names(self, path, **filters):
        found = self.conn.AssociatorNames(path, AssocClass="JW_JobDependency", **filters)
        return sorted(found_path["InstanceID"] for found_path in found)

    def test_depends_on_is_an_association(self):
        first = self.create("/bin/true", Hold=True)
        second = self.create("/bin/true", Hold=True)
        entries = [first["InstanceID"], second["InstanceID"] + ";failed"]
        last = self.create("/bin/true", DependsOn=entries)
        self.assertEqual(self.names(last), sorted([first["InstanceID"], second["InstanceID"]]))
        self.assertEqual(self.names(last, Role="Antecedent"), [])
        self.assertEqual(self.names(first), [last["InstanceID"]])
        self.assertEqual(self.names(first, ResultRole="Dependent"), [last["InstanceID"]])
        links = self.conn.References(second, ResultClass="JW_JobDependency")
        self.assertEqual([link["Condition"] for link in links], [3])
        self.assertEqual(links[0]["Antecedent"]["InstanceID"], second["InstanceID"])
        self.assertEqual(self.conn.GetInstance(links[0].path)["Condition"], 3)
        links[0].path.host = None
        self.assertIn(links[0].path, self.conn.EnumerateInstanceNames("CIM_Dependency"))
        self.assertIn("and 1 more", self.get(last, "WaitReason"))
        self.request(first, START)
        self.wait(first, COMPLETED)
        self.assertEqual(self.names(first), [last["InstanceID"]], "it stays as long as both jobs")
        self.conn.DeleteInstance(first)
        self.assertEqual(self.names(last), [second["InstanceID"]])
        self.request(second, KILL)
        self.wait(last, COMPLETED)

    def test_dependencies_are_made_and_taken_away_before_the_first_run(self):
        first = self.create("/bin/sh", "-c", "exit 3", Hold=True)
        held = self.create("/bin/true", Hold=True)
        job = self.create("/bin/true", Hold=True)
        path = self.dependency(first, job, condition=3)
        self.assertEqual(self.get(path, "Condition"), 3)
        self.assertEqual(self.get(job, "DependsOn"), [first["InstanceID"] + ";failed"])
        self.assert_status(11, self.dependency, first, job)
        self.assert_status(4, self.dependency, job, first, containing="waits for it")
        self.assert_status(4, self.dependency, job, job, containing="waits for it")
        other = self.dependency(held, job)
        self.assertEqual(self.get(other, "Condition"), 2)
        self.conn.DeleteInstance(other)
        self.assert_status(6, self.conn.GetInstance, other)
        self.assert_status(6, self.conn.DeleteInstance, other)
        self.request(job, START)
        self.assertIn(first["InstanceID"], self.get(job, "WaitReason"))
        self.request(first, START)
        self.wait(job, COMPLETED)
        self.assert_status(1, self.dependency, held, job, containing="ended")
        gone = pywbem.CIMInstanceName("JW_Job", {"InstanceID": "never"}, namespace=NAMESPACE)
        self.assert_status(4, self.dependency, gone, held, containing="Antecedent")
        twice = [held["InstanceID"], held["InstanceID"] + ";ended"]
        self.assert_status(4, self.create, "/bin/true", containing="twice", DependsOn=twice)
        self.request(held, KILL)
