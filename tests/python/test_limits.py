"""What may be written and what not: one table, read from the class the server itself describes."""

import datetime
import unittest

import pywbem

from common import *  # noqa: F403

# Rules that span values, which no qualifier of one property can say (RunDay 0 names no day).
ACCEPTED = {
    "TimeBeforeRemoval": pywbem.CIMDateTime("00000000001000.000000:000"),
    "ScheduledStartTime": pywbem.CIMDateTime("20990101000000.000000+000"),
    "UntilTime": pywbem.CIMDateTime("20990102000000.000000+000"),
    "RunStartInterval": pywbem.CIMDateTime("00000000020000.000000:000"),
    "MaxElapsedTime": pywbem.CIMDateTime("00000001000000.000000:000"),
    "KillGracePeriod": pywbem.CIMDateTime("00000000000020.000000:000"),
    "RetryDelay": pywbem.CIMDateTime("00000000000020.000000:000"),
    "TimeZone": "Europe/Berlin",
    "RunDay": pywbem.Sint8(15),
}


def value_of(prop, current=None):
    """A value of the property's type that the job does not have."""
    if prop.name in ACCEPTED:
        return ACCEPTED[prop.name]
    if "ValueMap" in prop.qualifiers:
        plain = [v for v in prop.qualifiers["ValueMap"].value if ".." not in v]
        value = plain[-1] if prop.type == "string" else pywbem.cimvalue(int(plain[-1]), prop.type)
    else:
        others = {
            "boolean": not current,
            "string": "another value",
            "datetime": pywbem.CIMDateTime("20200101000000.000000+000"),
        }
        value = others[prop.type] if prop.type in others else pywbem.cimvalue(42, prop.type)
    return [value] if prop.is_array else value


def is_true(prop, name):
    return name in prop.qualifiers and prop.qualifiers[name].value


class Table(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job_class = cls.conn.GetClass("JW_Job", LocalOnly=False, IncludeQualifiers=True)

    def setUp(self):
        self.path = self.create("/bin/true", Hold=True)
        self.addCleanup(self.request, self.path, KILL)

    def modify(self, **values):
        names = list(values)
        properties = {
            name: pywbem.CIMProperty(name, value, type=self.job_class.properties[name].type,
                                     is_array=self.job_class.properties[name].is_array)
            for name, value in values.items()
        }
        # pywbem carries a key that is given as a property over into the path; the path stays here.
        instance = pywbem.CIMInstance("JW_Job", properties, path=self.path.copy())
        instance.path = self.path.copy()
        self.conn.ModifyInstance(instance, PropertyList=names)

    def inherited_and_own(self):
        return self.job_class.properties.values()

    def test_every_read_only_property_is_refused(self):
        refused = 0
        for prop in self.inherited_and_own():
            if is_true(prop, "Write"):
                continue
            with self.subTest(prop.name):
                before = self.get(self.path)
                value = value_of(prop, before[prop.name])
                error = self.assert_status(4, self.modify, **{prop.name: value})
                self.assertIn(prop.name, error.status_description)
                if prop.name not in ("ElapsedTime",):
                    self.assertEqual(self.get(self.path)[prop.name], before[prop.name])
                refused += 1
        self.assertGreater(refused, 30)

    def test_every_writable_property_is_accepted_and_kept(self):
        accepted = set()
        for prop in self.inherited_and_own():
            if not is_true(prop, "Write"):
                continue
            with self.subTest(prop.name):
                value = value_of(prop)
                self.modify(**{prop.name: value})
                self.assertEqual(self.get(self.path)[prop.name], value)
                accepted.add(prop.name)
        for name in ("JobRunTimes", "RunMonth", "RunDay", "RunDayOfWeek", "Notify", "Priority",
                     "UntilTime", "DeleteOnCompletion", "LocalOrUtcTime", "RunStartInterval",
                     "ScheduledStartTime", "TimeBeforeRemoval", "TimeZone", "MaxRetries"):
            self.assertIn(name, accepted)

    def test_the_limits_of_the_mof_are_inclusive(self):
        bounded = []
        for prop in self.inherited_and_own():
            if not is_true(prop, "Write"):
                continue
            for qualifier, step in (("MinValue", -1), ("MaxValue", 1)):
                if qualifier not in prop.qualifiers:
                    continue
                limit = int(prop.qualifiers[qualifier].value)
                with self.subTest(prop.name, qualifier=qualifier):
                    self.modify(**{prop.name: pywbem.cimvalue(limit, prop.type)})
                    over = pywbem.cimvalue(limit + step, prop.type)
                    error = self.assert_status(4, self.modify, **{prop.name: over})
                    for word in (prop.name, qualifier, str(limit), str(limit + step)):
                        self.assertIn(word, error.status_description)
                    self.assertEqual(self.get(self.path, prop.name), limit)
                    bounded.append((prop.name, limit))
        self.assertIn(("RunDay", -31), bounded)
        self.assertIn(("RunDay", 31), bounded)

    def test_the_value_maps_of_the_mof_are_kept(self):
        mapped = {}
        for prop in self.inherited_and_own():
            if not is_true(prop, "Write") or "ValueMap" not in prop.qualifiers:
                continue
            listed = [int(v) for v in prop.qualifiers["ValueMap"].value if ".." not in v]
            for value in listed:
                with self.subTest(prop.name, value=value):
                    self.modify(**{prop.name: pywbem.cimvalue(value, prop.type)})
                    self.assertEqual(self.get(self.path, prop.name), value)
            for value in (max(listed) + 1, min(listed) - 1):
                try:
                    unlisted = pywbem.cimvalue(value, prop.type)
                except ValueError:
                    continue
                with self.subTest(prop.name, value=value):
                    error = self.assert_status(4, self.modify, **{prop.name: unlisted})
                    self.assertIn("ValueMap", error.status_description)
            mapped[prop.name] = (min(listed), max(listed))
        self.assertEqual(mapped["RunMonth"], (0, 11))
        self.assertEqual(mapped["RunDayOfWeek"], (-7, 7))

    def test_a_wrong_type_is_refused(self):
        wrong = pywbem.CIMInstance("JW_Job", {"Priority": "high"}, path=self.path)
        self.assert_status(4, self.conn.ModifyInstance, wrong, containing="Priority")
        wrong = pywbem.CIMInstance("JW_Job", {"Priority": [pywbem.Uint32(1)]}, path=self.path)
        self.assert_status(4, self.conn.ModifyInstance, wrong, containing="Priority")
        wrong = pywbem.CIMInstance("JW_Job", {"NoSuch": "x"}, path=self.path)
        self.assert_status(4, self.conn.ModifyInstance, wrong, containing="NoSuch")

    def test_a_bad_value_among_good_ones_changes_nothing(self):
        before = self.get(self.path)
        values = {"Priority": pywbem.Uint32(9), "RunDay": pywbem.Sint8(32)}
        self.assert_status(4, self.modify, **values)
        self.assertEqual(self.get(self.path, "Priority"), before["Priority"])

    def test_rules_that_span_values(self):
        self.assert_status(4, self.modify, RunDay=pywbem.Sint8(0), containing="RunDay")
        day = pywbem.CIMDateTime(datetime.timedelta(days=1))
        self.assert_status(4, self.modify, RunStartInterval=day, containing="RunStartInterval")
        self.assert_status(4, self.modify, TimeZone="Mars/Olympus", containing="TimeZone")
        past = pywbem.CIMDateTime("20000101000000.000000+000")
        self.assert_status(4, self.modify, UntilTime=past, containing="UntilTime")
        self.assert_status(4, self.modify, TimeBeforeRemoval=None, containing="TimeBeforeRemoval")
        both = {"ScheduledStartTime": ACCEPTED["ScheduledStartTime"], "RunDay": pywbem.Sint8(1)}
        self.assert_status(4, self.modify, **both)

    def test_read_change_write_back(self):
        instance = self.get(self.path)
        instance["Priority"] = pywbem.Uint32(3)
        self.conn.ModifyInstance(instance)
        self.assertEqual(self.get(self.path, "Priority"), 3)

    def test_read_change_write_back_of_a_running_job(self):
        path = self.create("/bin/sleep", "1000")
        instance = self.wait(path, RUNNING)
        self.wait_until(
            "ElapsedTime moved on",
            lambda: self.get(path, "ElapsedTime").timedelta > instance["ElapsedTime"].timedelta,
        )
        instance["Priority"] = pywbem.Uint32(3)
        self.conn.ModifyInstance(instance)
        self.assertEqual(self.get(path, "Priority"), 3)
        self.request(path, KILL)

    def test_an_empty_property_list_changes_nothing(self):
        instance = pywbem.CIMInstance("JW_Job", {"Priority": pywbem.Uint32(3)}, path=self.path)
        before = self.get(self.path, "Priority")
        self.conn.ModifyInstance(instance, PropertyList=[])
        self.assertEqual(self.get(self.path, "Priority"), before)

    def test_a_listed_property_that_is_not_given_takes_its_default(self):
        self.modify(JobRunTimes=pywbem.Uint32(5))
        instance = pywbem.CIMInstance("JW_Job", {"Priority": pywbem.Uint32(3)}, path=self.path)
        self.conn.ModifyInstance(instance, PropertyList=["JobRunTimes", "Priority"])
        self.assertEqual(self.get(self.path, "JobRunTimes", "Priority"), (1, 3))


class Creation(Case):
    def test_what_a_job_needs(self):
        self.assert_status(4, self.create, containing="Command")
        self.assert_status(4, self.create, "/bin/true", Script="x", containing="Script")
        self.assert_status(4, self.create, "bin/true", containing="Command")
        no_name = pywbem.CIMInstance("JW_Job", {"Command": ["/bin/true"]})
        self.assert_status(4, self.conn.CreateInstance, no_name, containing="Name")
        self.assert_status(4, self.create, "/bin/true", Environment=["1X=y"], containing="Environment")
        self.assert_status(4, self.create, "/bin/true", Interpreter="sh", containing="Interpreter")
        self.assert_status(4, self.create, "/bin/true", RunDay=pywbem.Sint8(32), containing="RunDay")
        self.assert_status(4, self.create, "/bin/true", JobState=pywbem.Uint16(7), containing="JobState")
        self.assert_status(4, self.create, "/bin/true", NoSuch="x", containing="NoSuch")

    def test_read_only_properties_may_come_as_null(self):
        path = self.create("/bin/true", JobState=pywbem.CIMProperty("JobState", None, type="uint16"))
        self.wait(path, COMPLETED)

    def test_other_job_classes_cannot_be_created(self):
        job = pywbem.CIMInstance("CIM_ConcreteJob", {"InstanceID": "x:1", "Name": "x"})
        self.assert_status(7, self.conn.CreateInstance, job, containing="JW_Job")
        self.assert_status(7, self.conn.CreateInstance, pywbem.CIMInstance("CIM_Job", {"Name": "x"}))
        self.assert_status(5, self.conn.CreateInstance, pywbem.CIMInstance("JW_None", {"Name": "x"}))


if __name__ == "__main__":
    unittest.main()
