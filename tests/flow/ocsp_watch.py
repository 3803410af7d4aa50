#!/usr/bin/env python3
"""Asks the URL of an OCSP answer all the time, while NUM times the two commands change what it says.

usage: ocsp_watch.py URL NUM COMMAND... -- COMMAND...

What is asked 5 ms after a command has ended, or later, must not be answered as before it; nor must an
earlier answer come back.
"""
import http.client
import subprocess
import sys
import threading
import time
import urllib.parse

KEPT_S = 0.005

url = urllib.parse.urlsplit(sys.argv[1])
end = sys.argv.index("--")
commands = [sys.argv[3:end], sys.argv[end + 1:]]
answers = []  # each change: the octets, and when they were asked for last
stop = False


def ask_and_ask():
    connection = http.client.HTTPConnection(url.hostname, url.port)
    while not stop:
        asked = time.monotonic()
        connection.request("GET", url.path)
        reply = connection.getresponse()
        octets = reply.read()
        if reply.status != 200:
            sys.exit(f"status {reply.status}")
        if not answers or answers[-1][0] != octets:
            answers.append([octets, asked])
        answers[-1][1] = asked


def wait_for_change(num):
    until = time.monotonic() + 5
    while len(answers) < num and time.monotonic() < until:
        time.sleep(0.001)
    if len(answers) != num:
        sys.exit(f"{len(answers)} different answers one after the other, and not {num}")


thread = threading.Thread(target=ask_and_ask, daemon=True)
thread.start()
wait_for_change(1)
for turn in range(2 * int(sys.argv[2])):
    subprocess.run(commands[turn % 2], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = time.monotonic()
    wait_for_change(turn + 2)
    late = answers[turn][1] - done
    if late > KEPT_S:
        sys.exit(f"answered as before {1000 * late:.1f} ms after the change")
stop = True
thread.join(5)
if len({octets for octets, asked in answers}) != len(answers):
    sys.exit("an earlier answer came back")
