"""ExecQuery, as pywbem sends it: WQL and CQL over jobs, and queries that are wrong."""

import unittest

import pywbem

from common import *  # noqa: F403


class Queries(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for number, priority in (("1", 30), ("2", 10), ("3", 20)):
            job = {"InstanceID": f"query:{number}", "Name": f"backup {number}", "Hold": True,
                   "Command": ["/bin/true"], "Priority": pywbem.Uint32(priority)}
            cls.conn.CreateInstance(pywbem.CIMInstance("JW_Job", job))

    def ids(self, language, query):
        return [row["InstanceID"] for row in self.conn.ExecQuery(language, query)]

    def test_conditions_select_instances(self):
        where = "SELECT * FROM CIM_ConcreteJob WHERE Name LIKE"
        cases = [
            ("WQL", f"{where} 'backup%'", {"query:1", "query:2", "query:3"}),
            ("DMTF:CQL", f"{where} 'backup.*'", {"query:1", "query:2", "query:3"}),
            ("CIM:CQL", f"{where} 'backup.*' AND Priority < 25", {"query:2", "query:3"}),
            ("WQL", f"{where} 'backup%' AND NOT Priority < 25", {"query:1"}),
            ("DMTF:CQL", "SELECT * FROM JW_Job WHERE JobState = #'Suspended' AND Priority = 10", {"query:2"}),
            ("DMTF:CQL", "SELECT * FROM JW_Job WHERE InstanceID = 'query:3'", {"query:3"}),
            ("WQL", "SELECT * FROM JW_Job WHERE ErrorCode IS NULL AND Priority = 30", {"query:1"}),
        ]
        for language, query, expected in cases:
            with self.subTest(query):
                self.assertEqual(set(self.ids(language, query)), expected)

    def test_a_select_list_shows_what_it_names(self):
        rows = self.conn.ExecQuery("DMTF:CQL", "SELECT InstanceID, Priority FROM JW_Job WHERE Priority = 10")
        self.assertEqual([(r["InstanceID"], r["Priority"]) for r in rows], [("query:2", 10)])
        self.assertIsNone(rows[0].get("Name"))

    def test_rows_are_ordered_and_cut(self):
        query = "SELECT * FROM JW_Job WHERE Name LIKE 'backup.*' ORDER BY Priority"
        self.assertEqual(self.ids("DMTF:CQL", query), ["query:2", "query:3", "query:1"])

    def test_wrong_queries_are_refused_with_their_place(self):
        query = self.conn.ExecQuery
        self.assert_status(14, query, "SPARQL", "SELECT * FROM JW_Job")
        self.assert_status(15, query, "WQL", "SELECT * FROM JW_Job WHERE Priority =", containing="line 1")
        self.assert_status(15, query, "WQL", "SELECT * FROM JW_Job WHERE Foo = 1", containing="Foo")
        self.assert_status(15, query, "DMTF:CQL", "SELECT * FROM CIM_None", containing="CIM_None")
        self.assert_status(15, query, "DMTF:CQL", "SELECT * FROM JW_Job WHERE Name = 5", containing="column")


if __name__ == "__main__":
    unittest.main()
