"""The life of jobs, driven by pywbem against a real server."""

import datetime
import os
import unittest

import pywbem

from common import *  # noqa: F403


def interval(**parts):
    return pywbem.CIMDateTime(datetime.timedelta(**parts))


class Life(Case):
    def test_a_command_runs_to_its_end(self):
        path = self.create("/bin/sh", "-c", "echo out; echo err >&2")
        self.assertEqual(path.classname, "JW_Job")
        self.assertTrue(path["InstanceID"].startswith("JW:"))
        done = self.wait(path)
        self.assertEqual(done["JobState"], COMPLETED)
        self.assertEqual(done["OperationalStatus"], [2, 17])
        self.assertEqual(done["HealthState"], 5)
        self.assertEqual(done["PercentComplete"], 100)
        self.assertEqual(done["ErrorCode"], 0)
        self.assertEqual(done["ExitStatus"], 0)
        self.assertIsNone(done["ExitSignal"])
        self.assertEqual(done["RunCount"], 1)
        self.assertEqual(done["Owner"], "admin")
        for name in ("TimeSubmitted", "StartTime", "TimeOfLastStateChange"):
            self.assertFalse(done[name].is_interval, name)
            self.assertEqual(done[name].minutes_from_utc, 0, name)
        self.assertLessEqual(done["TimeSubmitted"].datetime, done["StartTime"].datetime)
        self.assertLessEqual(done["StartTime"].datetime, done["TimeOfLastStateChange"].datetime)
        self.assertTrue(done["ElapsedTime"].is_interval)
        self.assertEqual(self.log(path, 1), b"out\n")
        self.assertEqual(self.log(path, 2), b"err\n")

    def test_the_history_has_the_run_and_its_output(self):
        path = self.create("/bin/sh", "-c", "echo out; echo err >&2")
        self.wait(path, COMPLETED)
        run = pywbem.CIMInstanceName("JW_JobRun", {"InstanceID": path["InstanceID"] + ":1"})
        shown = self.conn.GetInstance(run)
        self.assertEqual(shown["JobID"], path["InstanceID"])
        self.assertEqual(shown["ExitStatus"], 0)
        self.assertEqual((shown["OutputBytes"], shown["ErrorBytes"]), (4, 4))
        self.assertEqual(shown["Owner"], "admin")
        self.assertGreater(shown["PeakMemory"], 0)
        self.assertEqual(self.log(run, 1), b"out\n")
        names = [name.keybindings for name in self.conn.EnumerateInstanceNames("JW_JobRun")]
        self.assertIn(run.keybindings, names)
        other = pywbem.CIMInstanceName("JW_JobRun", {"InstanceID": path["InstanceID"] + ":2"})
        self.assert_status(pywbem.CIM_ERR_NOT_FOUND, self.conn.GetInstance, other)

    def test_the_exit_status_of_a_failure_is_told(self):
        path = self.create("/bin/sh", "-c", "exit 3")
        done = self.wait(path)
        self.assertEqual(done["JobState"], EXCEPTION)
        self.assertEqual(done["OperationalStatus"], [6, 17])
        self.assertEqual(done["ErrorCode"], 3)
        self.assertEqual(done["ExitStatus"], 3)
        self.assertIn("3", done["ErrorDescription"])
        code, out = self.conn.InvokeMethod("GetErrors", path)
        self.assertEqual(code, 0)
        self.assertEqual(len(out["Errors"]), 1)
        error = out["Errors"][0]
        self.assertEqual(error.classname, "CIM_Error")
        self.assertIn("3", error["Message"])
        code, out = self.conn.InvokeMethod("GetError", path)
        self.assertEqual(code, 0)
        self.assertEqual(out["Error"]["MessageID"], error["MessageID"])

    def test_a_job_without_fault_has_no_errors(self):
        path = self.create("/bin/true")
        self.wait(path, COMPLETED)
        code, out = self.conn.InvokeMethod("GetErrors", path)
        self.assertEqual(code, 0)
        self.assertFalse(out.get("Errors"))

    def test_death_by_signal_is_told(self):
        path = self.create("/bin/sh", "-c", "kill -SEGV $$")
        done = self.wait(path)
        self.assertEqual((done["JobState"], done["ErrorCode"]), (EXCEPTION, 256 + 11))
        self.assertEqual(done["ExitSignal"], 11)
        self.assertIsNone(done["ExitStatus"])

    def test_a_command_that_does_not_exist_makes_an_exception(self):
        path = self.create("/no/such/program")
        done = self.wait(path)
        self.assertEqual((done["JobState"], done["ErrorCode"]), (EXCEPTION, 1001))
        self.assertIn("/no/such/program", done["ErrorDescription"])

    def test_a_program_without_slash_is_looked_up(self):
        path = self.create("sh", "-c", "echo $0")
        self.wait(path, COMPLETED)

    def test_a_script_runs_with_its_interpreter(self):
        path = self.create(Script="echo script $JOBWRIGHT_RUN\n", Environment=["GREETING=hello"])
        self.wait(path, COMPLETED)
        self.assertEqual(self.log(path), b"script 1\n")

    def test_the_environment_is_clean(self):
        path = self.create("/usr/bin/env", Environment=["GREETING=hello world"])
        self.wait(path, COMPLETED)
        names = dict(line.split("=", 1) for line in self.log(path).decode().splitlines())
        self.assertEqual(names["GREETING"], "hello world")
        self.assertEqual(names["JOBWRIGHT_JOB_ID"], path["InstanceID"])
        self.assertNotIn("JOBWRIGHT_TEST_PASSWORD", names)
        allowed = {
            "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "GREETING",
            "JOBWRIGHT_JOB_ID", "JOBWRIGHT_RUN", "JOBWRIGHT_SUPERVISOR", "JOBWRIGHT_PROGRESS_FD",
        }
        self.assertLessEqual(set(names), allowed)

    def test_the_working_directory_is_used(self):
        path = self.create("/bin/pwd", WorkingDirectory="/usr")
        self.wait(path, COMPLETED)
        self.assertEqual(self.log(path), b"/usr\n")

    def test_progress_is_reported(self):
        script = 'echo "42 copying files" >&$JOBWRIGHT_PROGRESS_FD; read x < "$0.go"'
        fifo = os.path.join(os.environ["JOBWRIGHT_TEST_DIR"], "progress.go")
        os.mkfifo(fifo)
        path = self.create("/bin/sh", "-c", script, fifo[:-3])
        self.wait_until(
            "the job reports 42",
            lambda: self.get(path, "PercentComplete", "JobStatus")
            == (42, self.get(path, "JobStatus")) and "copying files" in self.get(path, "JobStatus"),
        )
        with open(fifo, "w", encoding="ascii") as go:
            go.write("go\n")
        self.assertEqual(self.wait(path, COMPLETED)["PercentComplete"], 100)

    def test_submit_job_gives_4096_and_the_reference(self):
        code, out = self.conn.InvokeMethod(
            "SubmitJob", "JW_JobService", Name="by method", Command=["/bin/true"]
        )
        self.assertEqual(code, 4096)
        job = out["Job"]
        self.assertEqual(job.classname, "JW_Job")
        done = self.wait(job, COMPLETED)
        self.assertEqual(done["Name"], "by method")

    def test_submit_job_on_the_instance_of_the_service(self):
        services = self.conn.EnumerateInstanceNames("JW_JobService")
        self.assertEqual(len(services), 1)
        self.assertEqual(services[0]["Name"], "jobwright")
        code, out = self.conn.InvokeMethod(
            "SubmitJob", services[0], Name="x", Script="exit 0"
        )
        self.assertEqual(code, 4096)
        self.wait(out["Job"], COMPLETED)

    def test_a_repeated_request_is_one_job(self):
        arguments = {"Name": "once", "Command": ["/bin/true"], "RequestID": "r-1"}
        first = self.conn.InvokeMethod("SubmitJob", "JW_JobService", **arguments)
        again = self.conn.InvokeMethod("SubmitJob", "JW_JobService", **arguments)
        self.assertEqual((first[0], again[0]), (4096, 4096))
        self.assertEqual(first[1]["Job"]["InstanceID"], again[1]["Job"]["InstanceID"])

    def test_job_settings_carry_any_property(self):
        settings = pywbem.CIMInstance("JW_Job", {"Priority": pywbem.Uint32(7), "Hold": True})
        code, out = self.conn.InvokeMethod(
            "SubmitJob", "JW_JobService", Name="x", Command=["/bin/true"], JobSettings=settings
        )
        self.assertEqual(code, 4096)
        job = self.get(out["Job"])
        self.assertEqual((job["Priority"], job["JobState"]), (7, SUSPENDED))
        self.request(out["Job"], KILL)

    def test_settings_that_contradict_a_parameter_are_answered_5(self):
        settings = pywbem.CIMInstance("JW_Job", {"Name": "other"})
        code, out = self.conn.InvokeMethod(
            "SubmitJob", "JW_JobService", Name="x", Command=["/bin/true"], JobSettings=settings
        )
        self.assertEqual(code, 5)
        self.assertIsNone(out.get("Job"))

    def test_a_client_may_choose_an_id_once(self):
        path = self.create("/bin/true", InstanceID="test:chosen")
        self.assertEqual(path["InstanceID"], "test:chosen")
        self.assert_status(11, self.create, "/bin/true", InstanceID="test:chosen")
        self.wait(path, COMPLETED)
        self.conn.DeleteInstance(path)
        self.assert_status(11, self.create, "/bin/true", InstanceID="test:chosen")

    def test_jobs_are_enumerated_under_every_superclass(self):
        path = self.create("/bin/true")
        for name in ("JW_Job", "CIM_ConcreteJob", "CIM_Job", "CIM_LogicalElement", "CIM_ManagedElement"):
            names = self.conn.EnumerateInstanceNames(name)
            self.assertIn(path["InstanceID"], [n.get("InstanceID") for n in names], name)
            instances = self.conn.EnumerateInstances(name)
            self.assertIn(path["InstanceID"], [i.get("InstanceID") for i in instances], name)
        self.wait(path)


def stands_still(pid):
    """Whether a process has been stopped, or stands still in its cgroup."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        if stat.read().rsplit(")", 1)[1].split()[0] == "T":
            return True
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as lines:
        own = next(line.strip()[3:] for line in lines if line.startswith("0::"))
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        at = next(line.split()[4] for line in mounts if " - cgroup2 " in line)
    with open(f"{at}{own}/cgroup.events", encoding="ascii") as events:
        return "frozen 1" in events.read()


class Control(Case):
    def sleeper(self, **properties):
        path = self.create("/bin/sleep", "1000", **properties)
        self.wait(path, RUNNING)
        return path

    def test_suspend_and_continue(self):
        path = self.sleeper()
        self.assertIn(self.request(path, SUSPEND), (0, 4096))
        self.wait(path, SUSPENDED)
        frozen = self.get(path, "ElapsedTime")
        pid = self.get(path, "ProcessID")
        self.assertTrue(stands_still(pid), f"process {pid} goes on")
        self.assertEqual(self.get(path, "ElapsedTime"), frozen)
        self.assertIn(self.request(path, START), (0, 4096))
        self.wait(path, RUNNING)
        self.request(path, KILL)
        self.wait(path, KILLED)

    def test_terminate_lets_the_job_clean_up(self):
        path = self.create("/bin/sh", "-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done")
        self.wait(path, RUNNING)
        self.wait_until("the trap is set", lambda: self.log(path) == b"up\n")
        self.assertEqual(self.request(path, TERMINATE), 4096)
        done = self.wait(path, TERMINATED)
        self.assertEqual(done["ErrorCode"], 1006)
        self.assertEqual(done["OperationalStatus"], [10])
        self.assertEqual(self.log(path), b"up\nbye\n")

    def test_terminate_kills_after_the_grace_time(self):
        path = self.create("/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done")
        self.wait(path, RUNNING)
        self.wait_until("the trap is set", lambda: self.log(path) == b"up\n")
        self.assertEqual(self.request(path, TERMINATE, interval(milliseconds=200)), 4096)
        self.wait(path, TERMINATED)

    def test_kill_ends_the_whole_tree(self):
        path = self.create("/bin/sh", "-c", "setsid sleep 1000 & echo $!; wait")
        self.wait(path, RUNNING)
        child = int(self.wait_until("the child is named", lambda: self.log(path).strip()))
        self.assertIn(self.request(path, KILL), (0, 4096))
        done = self.wait(path, KILLED)
        self.assertEqual((done["ErrorCode"], done["OperationalStatus"]), (1007, [14]))
        self.assertFalse(os.path.exists(f"/proc/{child}"), "a process of the run is left")

    def test_kill_job_answers_once_the_job_is_dead(self):
        path = self.sleeper()
        self.assertEqual(self.conn.InvokeMethod("KillJob", path)[0], 0)
        self.assertEqual(self.get(path, "JobState"), KILLED)
        self.assertEqual(self.conn.InvokeMethod("KillJob", path)[0], 4)

    def test_kill_job_can_delete(self):
        path = self.sleeper()
        self.assertEqual(self.conn.InvokeMethod("KillJob", path, DeleteOnKill=True)[0], 0)
        self.wait_until(
            "the job is gone",
            lambda: path["InstanceID"] not in [n["InstanceID"] for n in self.conn.EnumerateInstanceNames("JW_Job")],
        )

    def test_the_table_of_transitions(self):
        held = self.create("/bin/true", Hold=True)
        self.assertEqual(self.get(held, "JobState"), SUSPENDED)
        self.assertEqual(self.request(held, SUSPEND), 4097)
        self.assertIn(self.request(held, START), (0, 4096))
        self.wait(held, COMPLETED)
        for state in (START, SUSPEND, TERMINATE, KILL):
            self.assertEqual(self.request(held, state), 4097, f"request {state} on a completed job")
        running = self.sleeper()
        self.assertEqual(self.request(running, START), 4097)
        self.assertEqual(self.request(running, SERVICE), 1)
        self.assert_status(4, self.request, running, 99)
        self.assertEqual(self.request(running, SUSPEND, interval(seconds=1)), 4098)
        stamp = pywbem.CIMDateTime(datetime.datetime.now(datetime.timezone.utc))
        self.assert_status(4, self.request, running, TERMINATE, stamp)
        self.request(running, KILL)
        self.wait(running, KILLED)

    def test_a_new_job_can_be_ended_without_a_run(self):
        for request, state in ((TERMINATE, TERMINATED), (KILL, KILLED)):
            path = self.create("/bin/true", ScheduledStartTime=interval(hours=1))
            self.assertEqual(self.get(path, "JobState"), NEW)
            self.assertEqual(self.request(path, request), 0)
            done = self.get(path)
            self.assertEqual((done["JobState"], done["RunCount"]), (state, 0))
            self.assertIsNone(done["StartTime"])

    def test_start_brings_a_scheduled_job_forward(self):
        path = self.create("/bin/true", ScheduledStartTime=interval(hours=1))
        self.assertIn("Scheduled", self.get(path, "JobStatus"))
        self.assertIn(self.request(path, START), (0, 4096))
        self.wait(path, COMPLETED)

    def test_a_scheduled_job_starts_by_itself(self):
        path = self.create("/bin/true", ScheduledStartTime=interval(milliseconds=300))
        done = self.wait(path, COMPLETED)
        waited = done["StartTime"].datetime - done["TimeSubmitted"].datetime
        self.assertGreaterEqual(waited, datetime.timedelta(milliseconds=300))


class Removal(Case):
    def test_a_finished_job_is_deleted_and_a_live_one_is_not(self):
        path = self.create("/bin/sleep", "1000")
        self.wait(path, RUNNING)
        self.assert_status(1, self.conn.DeleteInstance, path)
        self.request(path, KILL)
        self.wait(path, KILLED)
        self.conn.DeleteInstance(path)
        self.assert_status(6, self.conn.GetInstance, path)
        self.assert_status(6, self.conn.DeleteInstance, path)

    def test_delete_on_completion_removes_after_the_time(self):
        path = self.create(
            "/bin/true", DeleteOnCompletion=True, TimeBeforeRemoval=interval(seconds=1)
        )
        self.wait(path, COMPLETED)
        self.wait_until(
            "the job is removed",
            lambda: path["InstanceID"] not in [n["InstanceID"] for n in self.conn.EnumerateInstanceNames("JW_Job")],
        )

    def test_without_delete_on_completion_a_job_stays(self):
        path = self.create("/bin/true", TimeBeforeRemoval=interval(seconds=1))
        other = self.create("/bin/sleep", "1.5")
        self.wait(path, COMPLETED)
        self.wait(other, COMPLETED)
        self.assertEqual(self.get(path, "JobState"), COMPLETED)


if __name__ == "__main__":
    unittest.main()
