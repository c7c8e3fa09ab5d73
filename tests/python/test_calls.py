"""The call of SubmitJob that made a job, as the job and its CIM_MethodResult show it, and to whom."""

import subprocess

import pywbem

from own import *  # noqa: F403

PASSWORDS = {"ann": "correct horse 1", "bob": "correct horse 2", "eve": "correct horse 3"}
LINK = "CIM_AssociatedJobMethodResult"


class Calls(Own):
    def setUp(self):
        self.running = self.server()

    def users(self, **roles):
        """A connection of each new account; the server reads them when it starts."""
        self.running.stop()
        for name, role in roles.items():
            command = [BINARY, "user", "add", name, "--role", role, "--state-dir", self.running.state]
            subprocess.run(
                command, input=PASSWORDS[name] + "\n", text=True, check=True, capture_output=True
            )
        self.running.start()
        self.conn = self.running.conn
        return [
            pywbem.WBEMConnection(
                self.running.url, (name, PASSWORDS[name]), default_namespace=NAMESPACE, timeout=60
            )
            for name in roles
        ]

    def submit(self, conn=None, **arguments):
        conn = conn or self.conn
        code, out = conn.InvokeMethod("SubmitJob", "JW_JobService", **arguments)
        self.assertEqual(code, 4096)
        return out["Job"]

    def record_of(self, conn, job):
        found = conn.Associators(job, AssocClass=LINK, Role="Job", ResultRole="JobParameters")
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0].classname, "CIM_MethodResult")
        again = conn.GetInstance(found[0].path)
        self.assertEqual(again.properties, found[0].properties)
        return again

    def test_a_call_is_shown_as_it_was_made(self):
        settings = pywbem.CIMInstance(
            "JW_Job",
            {"Priority": pywbem.Uint32(7), "Hold": True, "Environment": ["A=1"],
             "UntilTime": pywbem.CIMDateTime("00000002000000.000000:000")},
        )
        arguments = {"Name": "called", "Command": ["/bin/true"], "RequestID": "r", "JobSettings": settings}
        job = self.submit(**arguments)
        self.conn.ModifyInstance(
            pywbem.CIMInstance("JW_Job", {"Priority": pywbem.Uint32(9)}, path=job.copy()),
            PropertyList=["Priority"],
        )

        def check_inputs(inputs, classname):
            self.assertEqual(inputs.classname, classname)
            self.assertEqual(inputs["Name"], "called")
            self.assertEqual(inputs["Command"], ["/bin/true"])
            self.assertIsNone(inputs["Script"])
            self.assertEqual(inputs["RequestID"], "r")
            self.assertNotIn("Job", inputs)
            given = {name: prop.value for name, prop in inputs["JobSettings"].properties.items()
                     if prop.value is not None}
            self.assertEqual(given.pop("UntilTime"), settings["UntilTime"], "not an instant")
            self.assertEqual(given, {"Priority": 7, "Hold": True, "Environment": ["A=1"]})

        shown = self.get(job)
        self.assertEqual(shown["Priority"], 9)
        check_inputs(shown["JobInParameters"], "__JobInParameters")
        self.assertIsNone(shown["JobOutParameters"])
        record = self.record_of(self.conn, job)
        self.assertEqual(record["InstanceID"], job["InstanceID"] + ":call")
        before = record["PreCallIndication"]
        self.assertEqual(before.classname, "CIM_InstMethodCall")
        self.assertEqual(
            (before["MethodName"], before["PreCall"], before["ReturnValue"]), ("SubmitJob", True, None)
        )
        self.assertEqual(before["IndicationTime"], shown["TimeSubmitted"])
        self.assertEqual(before["SourceInstance"].classname, "JW_JobService")
        self.assertEqual(before["SourceInstance"]["Name"], "jobwright")
        self.assertIn("JW_JobService", before["SourceInstanceModelPath"])
        check_inputs(before["MethodParameters"], "__MethodParameters")
        self.assertIsNone(record["PostCallIndication"], "it has not ended")
        # All of it survives the server.
        self.running.stop()
        self.running.start()
        self.conn = self.running.conn
        self.assertEqual(self.record_of(self.conn, job).properties, record.properties)
        self.request(job, START)
        done = self.wait(job, COMPLETED)
        check_inputs(done["JobInParameters"], "__JobInParameters")
        outputs = done["JobOutParameters"]
        self.assertEqual(outputs.classname, "__JobOutParameters")
        self.assertEqual(outputs["__ReturnValue"], 4096)
        self.assertIn(job["InstanceID"], outputs["Job"])
        after = self.record_of(self.conn, job)["PostCallIndication"]
        self.assertEqual((after["PreCall"], after["ReturnValue"]), (False, "4096"))
        self.assertEqual(set(after["MethodParameters"].keys()), {"Job"})
        self.assertIn(job["InstanceID"], after["MethodParameters"]["Job"])
        self.conn.DeleteInstance(job)

    def test_a_call_whose_job_did_not_complete_has_no_outputs(self):
        job = self.submit(Name="fails", Script="exit 3")
        failed = self.wait(job, EXCEPTION)
        self.assertEqual(failed["JobInParameters"]["Script"], "exit 3")
        self.assertIsNone(failed["JobInParameters"]["JobSettings"])
        self.assertIsNone(failed["JobOutParameters"])
        record = self.record_of(self.conn, job)
        self.assertEqual(record["PostCallIndication"]["ReturnValue"], "4096")
        self.conn.DeleteInstance(job)

    def test_a_job_that_was_made_otherwise_has_no_call(self):
        job = self.create("/bin/true", Hold=True)
        self.assertEqual(self.conn.References(job, ResultClass=LINK), [])
        self.assertEqual(self.conn.EnumerateInstances("CIM_MethodResult"), [])
        self.assertIsNone(self.get(job, "JobInParameters"))
        path = pywbem.CIMInstanceName(
            "CIM_MethodResult", {"InstanceID": job["InstanceID"] + ":call"}, namespace=NAMESPACE
        )
        self.assert_status(6, self.conn.GetInstance, path)
        self.assert_status(6, self.conn.GetInstance, pywbem.CIMInstanceName(
            "CIM_MethodResult", {"InstanceID": "none"}, namespace=NAMESPACE
        ))

    def test_what_was_read_may_be_sent_back(self):
        settings = pywbem.CIMInstance("JW_Job", {"Hold": True})
        job = self.submit(Name="whole", Command=["/bin/true", "a"], JobSettings=settings)
        whole = self.get(job)
        whole["Priority"] = pywbem.Uint32(11)
        del whole.properties["ElapsedTime"]
        self.conn.ModifyInstance(whole)
        self.assertEqual(self.get(job, "Priority"), 11)
        whole["JobInParameters"]["Command"] = ["/bin/false"]
        self.assert_status(4, self.conn.ModifyInstance, whole, containing="JobInParameters")
        stranger = pywbem.CIMInstance("__Strange", {"Name": "whole"})
        change = pywbem.CIMInstance("JW_Job", {"JobOutParameters": stranger}, path=job.copy())
        self.assert_status(4, self.conn.ModifyInstance, change, containing="JobOutParameters")
        new = {"Name": "x", "Command": ["/bin/true"], "JobInParameters": stranger}
        self.assert_status(
            4, self.conn.CreateInstance, pywbem.CIMInstance("JW_Job", new), containing="__Strange"
        )

    def test_a_call_is_for_those_who_see_the_job(self):
        ann, bob, eve = self.users(ann="submitter", bob="submitter", eve="reader")
        settings = pywbem.CIMInstance(
            "JW_Job", {"Hold": True, "Environment": ["TOKEN=secret"], "WorkingDirectory": "/secret"}
        )
        job = self.submit(
            ann, Name="hers", Command=["/bin/echo", "secret"], JobSettings=settings, RequestID="r"
        )
        record = self.record_of(ann, job)
        self.assertIn("secret", repr(record.tocimxmlstr()))
        self.assertEqual(record.properties, self.record_of(self.conn, job).properties)
        # Another submitter learns nothing, by whichever way.
        self.assert_status(6, bob.GetInstance, record.path)
        self.assertEqual(bob.EnumerateInstances("CIM_MethodResult"), [])
        self.assertEqual(bob.EnumerateInstances(LINK), [])
        self.assert_status(6, bob.References, record.path)
        link = ann.ReferenceNames(job, ResultClass=LINK)[0]
        self.assert_status(6, bob.GetInstance, link)
        # A reader sees the job, and not what it runs.
        seen = self.record_of(eve, job)
        inputs = seen["PreCallIndication"]["MethodParameters"]
        self.assertEqual((inputs["Name"], inputs["RequestID"]), ("hers", "r"))
        self.assertIsNone(inputs["Command"])
        self.assertIs(inputs["JobSettings"]["Hold"], True)
        shown = eve.GetInstance(job)
        self.assertEqual(shown["JobInParameters"]["Name"], "hers")
        for told in (seen, shown, *eve.EnumerateInstances("CIM_ManagedElement")):
            self.assertNotIn("secret", told.tocimxmlstr())

    def test_a_record_is_not_made_changed_or_deleted_by_clients(self):
        hold = pywbem.CIMInstance("JW_Job", {"Hold": True})
        job = self.submit(Name="x", Command=["/bin/true"], JobSettings=hold)
        record = self.record_of(self.conn, job)
        new = pywbem.CIMInstance("CIM_MethodResult", {"InstanceID": "mine"})
        self.assert_status(7, self.conn.CreateInstance, new)
        self.assert_status(7, self.conn.DeleteInstance, record.path)
        change = pywbem.CIMInstance("CIM_MethodResult", {"ElementName": "y"}, path=record.path)
        self.assert_status(4, self.conn.ModifyInstance, change, containing="ElementName")
        link = pywbem.CIMInstance(LINK, {"Job": job, "JobParameters": record.path})
        self.assert_status(7, self.conn.CreateInstance, link)
