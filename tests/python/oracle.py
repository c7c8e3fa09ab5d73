"""pywbem's mock server with the whole DMTF schema, compiled once for all modules that compare with it."""

import functools
import glob
import os

import pywbem_mock

from common import NAMESPACE

SCHEMA = os.environ["JOBWRIGHT_TEST_SCHEMA"]


@functools.cache
def mock():
    """A mock connection that has compiled the files of the folder JOBWRIGHT_TEST_SCHEMA."""
    connection = pywbem_mock.FakedWBEMConnection(default_namespace=NAMESPACE)
    roots = glob.glob(os.path.join(SCHEMA, "cim_schema_*.mof"))
    assert len(roots) == 1, f"one root of the schema, not {roots}"
    connection.compile_mof_file(roots[0], NAMESPACE, search_paths=[SCHEMA])
    quicken(connection)
    return connection


def quicken(connection):
    """Lets the mock give the same answers sooner: it copies every class for most of what it is asked.

    It looks at all classes once for each class below another one, and copies all associations to look at
    them. What it found is remembered until there are more classes or fewer.
    """
    provider = connection._mainprovider  # There is no other way to it.
    slow, known = provider._get_subclass_names, {}

    def subclass_names(classname, class_store, deep_inheritance):
        key = classname and classname.lower(), deep_inheritance, id(class_store), class_store.len()
        if key not in known:
            known[key] = slow(classname, class_store, deep_inheritance)
        return list(known[key])

    def association_classes(namespace):
        for found in connection.cimrepository.get_class_store(namespace).iter_values(copy=False):
            if "Association" in found.qualifiers:
                yield found

    provider._get_subclass_names = subclass_names
    provider._iter_association_classes = association_classes
