"""Calendars and schedules, and the decisions that only a client can see, driven by pywbem."""

import datetime
import os
import subprocess
import unittest

import pywbem

from common import *  # noqa: F403


def interval(**parts):
    return pywbem.CIMDateTime(datetime.timedelta(**parts))


DAILY = {"RunStartInterval": interval(hours=2), "JobRunTimes": pywbem.Uint32(0)}


class Calendars(Case):
    def next_runs(self, path, **arguments):
        code, out = self.conn.InvokeMethod("NextRuns", path, **arguments)
        self.assertEqual(code, 0)
        return [time.datetime for time in out.get("Times") or []]

    def test_a_calendar_says_its_next_times(self):
        path = self.create("/bin/true", **DAILY)
        times = self.next_runs(path, Count=pywbem.Uint32(3))
        self.assertEqual(len(times), 3)
        self.assertEqual({(time.hour, time.minute) for time in times}, {(2, 0)})
        self.assertEqual(times[1] - times[0], datetime.timedelta(days=1))
        job = self.get(path)
        self.assertEqual((job["JobState"], job["OperationalStatus"]), (NEW, [15]))  # decision 20
        self.assertEqual(job["NextRunTime"].datetime, times[0])
        self.assertEqual((job["LocalOrUtcTime"], job["MissedRunCount"]), (2, 0))
        self.assertEqual(len(self.next_runs(path)), 10)
        self.assert_status(4, self.conn.InvokeMethod, "NextRuns", path, Count=pywbem.Uint32(1001))
        self.assertEqual(self.request(path, TERMINATE), 0)
        self.assertEqual(self.next_runs(path), [])

    def test_a_calendar_starts_a_run_at_its_time(self):
        # The next whole second but one: RunStartInterval is a time of the present day.
        now = datetime.datetime.now(datetime.timezone.utc)
        at = now + datetime.timedelta(seconds=2)
        if at.date() != now.date():
            self.skipTest("it is midnight")
        since = datetime.timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
        path = self.create("/bin/true", RunStartInterval=pywbem.CIMDateTime(since))
        done = self.wait(path, COMPLETED)
        self.assertGreaterEqual(done["StartTime"].datetime, at.replace(microsecond=0))
        self.assertEqual(done["RunCount"], 1)

    def test_schedules_are_made_seen_and_deleted(self):
        path = self.create("/bin/true", **DAILY)
        job = path["InstanceID"]
        made = self.conn.CreateInstance(
            pywbem.CIMInstance(
                "JW_JobSchedule",
                {"JobID": job, "ElementName": "noon", "RunStartInterval": interval(hours=12)},
            )
        )
        self.assertEqual(made["InstanceID"], job + ";1")
        schedule = self.conn.GetInstance(made)
        self.assertEqual((schedule["ElementName"], schedule["JobID"]), ("noon", job))
        self.assertIn(made, self.conn.EnumerateInstanceNames("JW_JobSchedule"))
        hours = {time.hour for time in self.next_runs(path, Count=pywbem.Uint32(4))}
        self.assertEqual(hours, {2, 12})
        self.conn.DeleteInstance(made)
        self.assert_status(6, self.conn.GetInstance, made)
        self.assertEqual({time.hour for time in self.next_runs(path)}, {2})

    def test_what_is_no_schedule_is_refused(self):
        job = self.create("/bin/true", **DAILY)["InstanceID"]

        def create(**values):
            return self.conn.CreateInstance(pywbem.CIMInstance("JW_JobSchedule", values))

        for values, status, text in (
            ({"JobID": "nobody", "RunDay": pywbem.Sint8(1)}, 4, "there is no job"),
            ({"JobID": job}, 4, "must be set"),
            ({"JobID": job, "RunDay": pywbem.Sint8(0)}, 4, "no such day"),
            ({"JobID": job, "RunDay": pywbem.Sint8(1), "TimeZone": "Nowhere"}, 4, "IANA"),
        ):
            with self.subTest(values):
                self.assert_status(status, create, containing=text, **values)
        once = self.create("/bin/true", ScheduledStartTime=interval(hours=1))
        values = {"JobID": once["InstanceID"], "RunDay": pywbem.Sint8(1)}
        self.assert_status(1, create, containing="ScheduledStartTime", **values)


class Decisions(Case):
    def test_decision_29_notify_is_an_opaque_text(self):
        path = self.create("/bin/true", Notify="whoever <x@y>; or not")
        self.assertEqual(self.wait(path, COMPLETED)["Notify"], "whoever <x@y>; or not")

    def test_decision_33_what_is_read_only_is_given_as_its_default_alone(self):
        null = {name: pywbem.CIMProperty(name, None, "uint16") for name in ("ErrorCode", "JobState")}
        self.wait(self.create("/bin/true", **null), COMPLETED)
        self.assert_status(
            4, self.create, "/bin/true", containing="RunCount", RunCount=pywbem.Uint32(3)
        )

    def test_decision_34_an_id_is_given_once(self):
        path = self.create("/bin/true", InstanceID="decision:34")
        self.assertEqual(path["InstanceID"], "decision:34")
        self.wait(path, COMPLETED)
        self.conn.DeleteInstance(path)
        self.assert_status(11, self.create, "/bin/true", InstanceID="decision:34")

    def test_decision_35_what_can_be_requested(self):
        path = self.create("/bin/sleep", "60")
        self.wait(path, RUNNING)
        self.assertEqual(self.request(path, SERVICE), 1)
        self.request(path, KILL)
        self.wait(path, KILLED)

    def test_decision_43_what_has_ended_is_seen_until_it_is_removed(self):
        path = self.create(
            "/bin/true", DeleteOnCompletion=True, TimeBeforeRemoval=interval(seconds=2)
        )
        self.wait(path, COMPLETED)
        self.assertIn(path, self.conn.EnumerateInstanceNames("JW_Job"))
        self.wait_until(
            "the job is removed",
            lambda: path not in self.conn.EnumerateInstanceNames("JW_Job"),
        )
