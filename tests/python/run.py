"""Runs test modules beside this file in one process, in their order, and says what every test was."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
unittest.main(module=None, argv=sys.argv, verbosity=2)
