"""Runs one of the test modules beside this file, and says what every test was."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
unittest.main(module=sys.argv.pop(1), verbosity=2)
