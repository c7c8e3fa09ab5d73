"""A client finds the server, its namespaces, its profiles and what stands for each."""

import unittest

import pywbem

from common import *  # noqa: F403

INTEROP = "interop"
PROFILES = ["Indications", "Job Control", "Profile Registration", "WBEM Server"]


class Discovery(Case):
    @classmethod
    def setUpClass(cls):
        cls.conn = connect(namespace=INTEROP)
        cls.server = pywbem.WBEMServer(cls.conn)

    def one(self, classname):
        found = self.conn.EnumerateInstances(classname)
        self.assertEqual(len(found), 1, classname)
        return found[0]

    def ends(self, path, association, **roles):
        return self.conn.AssociatorNames(path, AssocClass=association, **roles)

    def test_the_server_is_there_for_old_and_for_new_clients(self):
        manager, server = self.one("CIM_ObjectManager"), self.one("CIM_WBEMServer")
        self.assertEqual(manager["Name"], server["Name"])
        self.assertEqual(self.server.brand, "Jobwright")
        self.assertRegex(self.server.version, r"^\d+\.\d+\.\d+")
        self.assertEqual(sorted(self.server.namespaces), ["interop", "root/cimv2"])
        system = self.one("CIM_ComputerSystem").path
        hosted = [end.classname for end in self.ends(system, "CIM_HostedService")]
        expected = ["CIM_ObjectManager", "CIM_WBEMServer", "JW_IndicationService", "JW_JobService"]
        self.assertEqual(sorted(hosted), expected)

    def test_namespaces_belong_to_the_manager_and_to_the_server(self):
        manager, server = self.one("CIM_ObjectManager").path, self.one("CIM_WBEMServer").path
        names = [end["Name"] for end in self.ends(manager, "CIM_NamespaceInManager")]
        self.assertEqual(sorted(names), ["interop", "root/cimv2"])
        found = self.conn.Associators(server, AssocClass="CIM_HostedDependency", Role="Antecedent")
        self.assertEqual(sorted(end["Name"] for end in found), ["interop", "root/cimv2"])

    def test_the_way_to_talk_is_told(self):
        mechanism = self.one("CIM_ObjectManagerCommunicationMechanism")
        self.assertEqual(mechanism["CommunicationMechanism"], 2)
        self.assertIn(9, mechanism["FunctionalProfilesSupported"])
        self.assertEqual(mechanism["AuthenticationMechanismsSupported"], [3])
        manager = self.one("CIM_ObjectManager").path
        ends = self.ends(manager, "CIM_CommMechanismForManager")
        self.assertEqual([end["Name"] for end in ends], [mechanism["Name"]])

    def test_profiles_lead_to_their_central_instances(self):
        names = sorted(profile["RegisteredName"] for profile in self.server.profiles)
        self.assertEqual(names, PROFILES)
        central = {
            "Indications": ["JW_IndicationService"],
            "Job Control": ["JW_JobService"],
            "Profile Registration": ["CIM_RegisteredProfile"] * 4,
            "WBEM Server": ["CIM_WBEMServer"],
        }
        for name, expected in central.items():
            profile = self.server.get_selected_profiles("DMTF", name)[0].path
            found = self.server.get_central_instances(profile)
            self.assertEqual([path.classname for path in found], expected, name)
            code, out = self.conn.InvokeMethod("GetCentralInstances", profile)
            self.assertEqual(code, 0)
            told = [path.classname for path in out["CentralInstances"]]
            self.assertEqual(told, expected, name)

    def test_a_scoping_path_leads_from_the_server_to_the_jobs(self):
        job = connect().CreateInstance(
            pywbem.CIMInstance("JW_Job", {"Name": "found", "Command": ["/bin/true"]})
        )
        # The walk of a client that knows the scoping path, from profile to profile and on to jobs.
        jobs = self.server.get_selected_profiles("DMTF", "Job Control")[0].path
        scoping = self.ends(jobs, "CIM_ReferencedProfile", ResultRole="Dependent")
        self.assertEqual(len(scoping), 1)
        self.assertEqual(self.conn.GetInstance(scoping[0])["RegisteredName"], "WBEM Server")
        server = self.ends(
            scoping[0], "CIM_ElementConformsToProfile", Role="ConformantStandard"
        )[0]
        system = self.ends(server, "CIM_HostedService")[0]
        services = self.ends(system, "CIM_HostedService", ResultClass="JW_JobService")
        self.assertEqual([service.namespace for service in services], ["root/cimv2"])
        found = self.ends(services[0], "CIM_OwningJobElement")
        self.assertIn(job["InstanceID"], [path["InstanceID"] for path in found])

    def test_capabilities_say_what_the_indication_service_can(self):
        service = self.one("CIM_IndicationService").path
        found = self.conn.Associators(service, AssocClass="CIM_ElementCapabilities")
        self.assertEqual(len(found), 1)
        self.assertIs(found[0]["SubscriptionsPersisted"], True)
        self.assertGreaterEqual(found[0]["MaxListenerDestinations"], 100)
        affected = self.ends(service, "CIM_ServiceAffectsElement")
        filters = [p["Name"] for p in affected if p.classname == "CIM_IndicationFilter"]
        self.assertEqual(len(filters), 6)
        collection = self.one("CIM_FilterCollection").path
        members = self.ends(collection, "CIM_MemberOfCollection")
        self.assertEqual(sorted(p["Name"] for p in members), sorted(filters))

    def test_what_the_server_has_by_itself_stays(self):
        for classname in ("CIM_IndicationFilter", "CIM_FilterCollection", "CIM_IndicationService"):
            path = self.conn.EnumerateInstanceNames(classname)[0]
            self.assert_status(7, self.conn.DeleteInstance, path)


if __name__ == "__main__":
    unittest.main()
