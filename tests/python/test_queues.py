"""Queues that are made, stopped, drained and deleted, driven by pywbem against a real server."""

import datetime
import unittest

import pywbem

from common import *  # noqa: F403

ENABLED, DISABLED, OFFLINE, DEFERRED = 2, 3, 6, 8


class Queues(Case):
    def queue(self, name, **values):
        path = self.conn.CreateInstance(pywbem.CIMInstance("JW_JobQueue", {"Name": name, **values}))

        def gone():
            for job in self.conn.EnumerateInstances("JW_Job"):
                if job["QueueName"] == name and job["JobState"] not in FINAL:
                    self.request(job.path, KILL)
                    self.wait(job.path)
            if path in self.conn.EnumerateInstanceNames("JW_JobQueue"):
                self.conn.DeleteInstance(path)

        self.addCleanup(gone)
        return path

    def modify(self, path, **values):
        self.conn.ModifyInstance(
            pywbem.CIMInstance(path.classname, values, path=path), PropertyList=list(values)
        )

    def test_a_queue_has_its_own_slots_and_priorities(self):
        path = self.queue(
            "narrow", MaxRunningJobs=pywbem.Uint32(1), DefaultJobPriority=pywbem.Uint32(9)
        )
        first = self.create("/bin/sleep", "60", QueueName="narrow")
        self.wait(first, RUNNING)
        slow = self.create("/bin/true", QueueName="narrow")
        urgent = self.create("/bin/true", QueueName="narrow")
        self.assertEqual(self.get(slow, "Priority"), 9)
        self.assertIn("slot", self.get(slow, "WaitReason"))
        self.assertEqual(self.get(path, "NumberOnQueue", "NumberRunning"), (2, 1))
        self.modify(urgent, Priority=pywbem.Uint32(1))
        self.request(first, KILL)
        ends = [self.wait(job, COMPLETED)["StartTime"].datetime for job in (urgent, slow)]
        self.assertLess(ends[0], ends[1])

    def test_a_queue_is_stopped_drained_and_deleted(self):
        path = self.queue("stops", MaxRunningJobs=pywbem.Uint32(1))
        self.assertEqual(self.get(path, "EnabledState", "QueueStatus"), (ENABLED, 2))
        self.assertEqual(self.request(path, DEFERRED), 0)
        held = self.create("/bin/true", QueueName="stops")
        self.assertIn("deferred", self.get(held, "WaitReason"))
        self.assert_status(1, self.conn.DeleteInstance, path, containing="have not ended")
        self.assertEqual(self.request(path, DISABLED), 0)
        self.assertEqual(self.get(path, "EnabledState"), DISABLED)
        self.assert_status(1, self.create, "/bin/true", containing="disabled", QueueName="stops")
        settings = pywbem.CIMInstance("JW_Job", {"QueueName": "stops"})
        code, _ = self.conn.InvokeMethod(
            "SubmitJob", "JW_JobService", Name="x", Command=["/bin/true"], JobSettings=settings
        )
        self.assertEqual(code, 4)
        self.assertEqual(self.request(path, OFFLINE), 0)
        self.wait(held, COMPLETED)
        self.assertEqual(self.request(path, 9), 1)
        self.conn.DeleteInstance(path)
        self.assert_status(6, self.conn.GetInstance, path)
        self.assert_status(4, self.create, "/bin/true", containing="QueueName", QueueName="stops")

    def test_the_limits_of_a_queue(self):
        path = self.queue("limits", MaxJobsOnQueue=pywbem.Uint32(2))
        self.modify(path, MaxTimeOnQueue=pywbem.CIMDateTime(datetime.timedelta(seconds=1)))
        self.wait(self.create("/bin/sleep", "60", QueueName="limits"), RUNNING)
        late = self.create("/bin/true", QueueName="limits")
        self.assertEqual(self.get(path, "QueueStatus"), 3)
        self.assert_status(1, self.create, "/bin/true", containing="full", QueueName="limits")
        late = self.wait(late, TERMINATED)
        self.assertEqual(late["ErrorCode"], 1005)
        self.assertEqual(self.get(path, "QueueStatus"), 2)

    def test_processor_time_is_limited(self):
        self.queue("cpu", MaxJobCPUTime=pywbem.Uint32(1000))
        spins = self.create("/bin/sh", "-c", "while :; do :; done", QueueName="cpu")
        done = self.wait(spins, EXCEPTION)
        self.assertEqual((done["ErrorCode"], done["ExitSignal"]), (1008, 24))
        self.assertIn("MaxJobCPUTime", done["ErrorDescription"])
        self.wait(self.create("/bin/true", QueueName="cpu"), COMPLETED)

    def test_what_is_no_queue_is_refused(self):
        def create(**values):
            return self.conn.CreateInstance(pywbem.CIMInstance("JW_JobQueue", values))

        self.queue("known")
        for values, status in (
            ({"Name": "known"}, 11),
            ({"Name": ""}, 4),
            ({"Name": "other", "MaxRunningJobs": pywbem.Uint32(0)}, 4),
            ({"Name": "other", "SystemName": "elsewhere"}, 4),
            ({"Name": "other", "NumberRunning": pywbem.Uint32(3)}, 4),
        ):
            with self.subTest(values):
                self.assert_status(status, create, **values)
        default = next(
            path
            for path in self.conn.EnumerateInstanceNames("CIM_JobQueue")
            if path["Name"] == "default"
        )
        self.assert_status(1, self.conn.DeleteInstance, default, containing="always there")
