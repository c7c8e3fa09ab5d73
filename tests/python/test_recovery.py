"""What follows a failed run, driven by pywbem against a server with a hook `note`."""

import pywbem

from common import *  # noqa: F403

FAILS = ("/bin/sh", "-c", "exit 3")


class Recovery(Case):
    def repair(self, by, job):
        link = pywbem.CIMInstance("JW_RecoveryJob", {"Antecedent": by, "Dependent": job})
        return self.conn.CreateInstance(link)

    def errors(self, path):
        _, out = self.conn.InvokeMethod("GetErrors", path)
        return [error["MessageID"] for error in out["Errors"]]

    def test_a_hook_is_told_what_failed(self):
        job = self.create(*FAILS, RecoveryAction=pywbem.Uint16(1), OtherRecoveryAction="note")
        failed = self.wait(job, EXCEPTION)
        self.assertEqual(failed["ErrorCode"], 3)

        def hook():
            for found in self.conn.EnumerateInstances("JW_Job"):
                if found["Name"] == "recovery hook note" and found["JobState"] == COMPLETED:
                    return found

        found = self.wait_until("the hook has run", hook)
        self.assertEqual(self.log(found.path), f"{job['InstanceID']} 1 3\n".encode())
        self.assertEqual(found["Owner"], failed["Owner"])
        self.assertTrue(found["DeleteOnCompletion"])

    def test_an_unknown_hook_is_an_error_of_its_own(self):
        job = self.create(*FAILS, RecoveryAction=pywbem.Uint16(1), OtherRecoveryAction="nothing")
        failed = self.wait(job, EXCEPTION)
        self.assertIn('there is no hook "nothing"', failed["ErrorDescription"])
        self.assertEqual(self.errors(job), ["JW0001", "JW1009"])

    def test_a_recovery_job_runs_and_is_held_again(self):
        by = self.create("/bin/sh", "-c", 'echo "$JOBWRIGHT_FAILED_JOB_ID"', Hold=True)
        jobs = [self.create(*FAILS, RecoveryAction=pywbem.Uint16(5), Hold=True) for _ in range(2)]
        links = [self.repair(by, job) for job in jobs]
        found = self.conn.AssociatorNames(by, AssocClass="JW_RecoveryJob", ResultRole="Dependent")
        self.assertEqual(
            sorted(path["InstanceID"] for path in found), sorted(job["InstanceID"] for job in jobs)
        )
        found = self.conn.AssociatorNames(jobs[0], AssocClass="JW_RecoveryJob")
        self.assertEqual([path["InstanceID"] for path in found], [by["InstanceID"]])
        self.assert_status(11, self.repair, by, jobs[0])
        for job in jobs:
            self.request(job, START)
            self.wait(job, EXCEPTION)

            def again():
                held = self.get(by, "JobState") == SUSPENDED
                return held and self.log(by).decode().strip() == job["InstanceID"]

            self.wait_until("it ran for this one and is held again", again)
            self.assertEqual(self.get(by, "ExitStatus", "RunCount"), (0, 0))
            self.assertEqual(self.errors(job), ["JW0001"])
        self.assertEqual(self.get(links[0], "Antecedent")["InstanceID"], by["InstanceID"])
        late = self.create("/bin/true", Hold=True)
        link = self.repair(by, late)
        self.conn.DeleteInstance(link)
        self.assert_status(6, self.conn.GetInstance, link)
        self.request(by, KILL)
        self.assert_status(1, self.repair, by, late, containing="not held")
        self.request(late, KILL)

    def test_the_next_job_begins_in_spite_of_a_failure(self):
        first = self.create(*FAILS, RecoveryAction=pywbem.Uint16(3), Hold=True)
        second = self.create("/bin/true", DependsOn=[first["InstanceID"]])
        self.request(first, START)
        self.wait(first, EXCEPTION)
        self.wait(second, COMPLETED)
