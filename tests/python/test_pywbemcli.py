"""Transcripts of pywbemcli: each command of `fixtures/pywbemcli` prints what stands below it there.

A line that begins with `$ ` is a command; what follows up to the next one is what it prints. In it stand
{url}, {authority}, {host}, {version} and {time} for what differs from one server to the next. Where pywbem has a fault
of its own, the error of Python stands there that users see below a traceback. JOBWRIGHT_BLESS=1 writes the answers
anew; they are reviewed like code.
"""

import os
import re
import shlex
import socket
import unittest
from pathlib import Path
from urllib.parse import urlsplit

from click.testing import CliRunner
from pywbemtools.pywbemcli.pywbemcli import cli

from common import *  # noqa: F403

# Tables are as wide as the terminal, and their columns as what stands in them: that is taken out below.
os.environ["COLUMNS"] = "400"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "pywbemcli"
TIME = re.compile(r"\d{14}\.\d{6}[+-]\d{3}")


def masked(text):
    for part, name in ((URL, "{url}"), (urlsplit(URL).netloc, "{authority}"), (socket.gethostname(), "{host}")):
        text = re.sub(rf"(?<![\w.]){re.escape(part)}(?![\w.])", name, text)
    text = re.sub(r"version='[\d.]+'", "version='{version}'", TIME.sub("{time}", text))
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(re.sub(r"([ -])\1+", r"\1", line) if line[:1] in "+|" else line for line in lines).strip("\n") + "\n"


def answer(command):
    """What a command prints, and how it ends when that is no success."""
    options = ["--server", URL, "--user", "admin", "--password", PASSWORD]
    done = CliRunner().invoke(cli, options + shlex.split(command))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        kind = type(done.exception).__name__
        return masked(done.output) + f"[breaks off with {kind}: {done.exception}]\n"
    code = f"[ends with {done.exit_code}]\n" if done.exit_code else ""
    return masked(done.output) + code


class Transcripts(Case):
    def check(self, name):
        file = FIXTURES / f"{name}.txt"
        text = file.read_text()
        commands = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        self.assertTrue(commands, file)
        answers = "\n".join(f"$ {command}\n{answer(command)}" for command in commands)
        if os.environ.get("JOBWRIGHT_BLESS"):
            file.write_text(answers)
        self.assertEqual(answers, file.read_text(), file)

    def test_every_transcript_is_played(self):
        names = {file.stem for file in FIXTURES.glob("*.txt")}
        tests = {name.removeprefix("test_") for name in dir(self) if name.startswith("test_")}
        self.assertEqual(names, tests - {"every_transcript_is_played"})


class Others(Case):
    """Commands that print what differs from one run to the next."""

    def shown(self, command, *expected):
        text = answer(command)
        self.assertNotRegex(text, r"\[(ends|breaks off) with")
        for each in expected:
            self.assertIn(each, text)

    def test_central_instances(self):
        self.shown("profile centralinsts", "JW_IndicationService", "JW_JobService", "CIM_WBEMServer")

    def test_statistics(self):
        self.shown("statistics server-show", "EnumerateInstances")

    def test_what_is_subscribed_to(self):
        self.shown("subscription add-destination other --listener-url http://127.0.0.1:9")
        query = "SELECT * FROM CIM_InstDeletion WHERE SourceInstance ISA CIM_Job"
        self.shown(f'subscription add-filter other --query "{query}" --query-language DMTF:CQL --source-namespaces root/cimv2')
        self.shown("subscription add-subscription other other")
        self.shown("subscription list-destinations", "http://127.0.0.1:9")
        self.shown("subscription list-subscriptions", "other(owned)", "CIM_InstDeletion")
        self.shown("subscription remove-subscription other other", "Removed")
        self.shown("subscription remove-filter other", "Removed")
        self.shown("subscription remove-destination other", "Removed")


def add(name):
    setattr(Transcripts, f"test_{name}", lambda self: self.check(name))


for transcript in sorted(FIXTURES.glob("*.txt")):
    add(transcript.stem)


if __name__ == "__main__":
    unittest.main()
