"""What strangers send to signetd. Usage: hostile.py framing|chunk|reading|front WHERE; ends with 0 when it held."""
import re
import socket
import ssl
import struct
import sys
import time
import urllib.request

INNER = b"GET /within HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(INNER), INNER)
LEN = b"%d" % len(INNER)

# Each is one request to some and two to others: name, method, headers, what follows.
UNCLEAR = [
    ("the body of a HEAD", b"HEAD", b"Content-Length: " + LEN, INNER),
    ("a chunked body of a HEAD", b"HEAD", b"Transfer-Encoding: chunked", CHUNKED),
    ("a space before the colon", b"POST", b"Content-Length : " + LEN, INNER),
    ("a tab before the colon", b"POST", b"Content-Length\t: " + LEN, INNER),
    ("two lengths", b"POST", b"Content-Length: 0\r\nContent-Length: " + LEN, INNER),
    ("the same length twice", b"POST", b"Content-Length: %s\r\nContent-Length: %s" % (LEN, LEN), INNER),
    ("a length with a sign", b"POST", b"Content-Length: +" + LEN, INNER),
    ("a length in hex", b"POST", b"Content-Length: 0x20", INNER),
    ("lengths in a list", b"POST", b"Content-Length: %s, %s" % (LEN, LEN), INNER),
    ("a negative length", b"POST", b"Content-Length: -1", INNER),
    ("a length and chunks", b"POST", b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + INNER),
    ("chunks and a length", b"POST", b"Transfer-Encoding: chunked\r\nContent-Length: " + LEN, CHUNKED),
    ("two codings", b"POST", b"Transfer-Encoding: gzip, chunked", CHUNKED),
    ("two codings in two lines", b"POST", b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", CHUNKED),
    ("a coding that is none", b"POST", b"Transfer-Encoding: xchunked", CHUNKED),
    ("a control character in a name", b"POST", b"X\x01: y\r\nContent-Length: 0", INNER),
]
# And these are clear: so many replies, with one to a last request behind them.
CLEAR = [
    ("a length", b"POST", b"Content-Length: " + LEN, INNER + INNER, 3),
    ("chunks", b"POST", b"Transfer-Encoding: Chunked", CHUNKED + INNER, 3),
    ("a HEAD of nothing", b"HEAD", b"Content-Length: 0", INNER, 3),
    ("a GET with a body", b"GET", b"Content-Length: " + LEN, INNER, 2),
]


def replies_to(port, octets):
    """The status of each reply, with that to a last request, unless the server closes before."""
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(octets + b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = b""
        try:
            while more := client.recv(65536):
                said += more
        except ConnectionError:
            pass
    return [int(status) for status in re.findall(rb"^HTTP/1.1 (\d+)", said, re.MULTILINE)]


def framing(port):
    bad = 0
    for name, method, headers, rest in UNCLEAR:
        head = method + b" /nothing HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n"
        found = replies_to(int(port), head + rest)
        if found != [400]:
            print(f"{name}: {found} and not 400 alone")
            bad += 1
    for name, method, headers, rest, num in CLEAR:
        head = method + b" /nothing HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n"
        found = replies_to(int(port), head + rest)
        if found != [404] * num:
            print(f"{name}: {found} and not {num} times 404")
            bad += 1
    return bad


def visit(number, receive=None):
    """A connection to a port, with TLS if it ends with an s; receive: octets that the kernel keeps for us."""
    client = socket.socket()
    if receive:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    client.settimeout(60)
    client.connect(("127.0.0.1", int(number.rstrip("s"))))
    if not number.endswith("s"):
        return client
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(client)


def chunk(port):
    """The line with a chunk's size does not end; with TLS on a port that says so."""
    most = 16 << 20
    bad = 0
    for number in port.split(","):
        client = visit(number)
        client.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        try:
            while sent < most:
                sent += client.send(b"0" * 65536)
        except (ConnectionError, ssl.SSLError):
            continue
        print(f"port {number} took {sent} octets")
        bad += 1
    return bad


def figure(port, name):
    """One of the service's metrics, with its labels; 0 while it is not told."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        found = re.search("^" + re.escape(name) + r" (\d+)$", answer.read().decode(), re.MULTILINE)
    return int(found[1]) if found else 0


def reading(where):
    """Many requests at once, whose replies are more than a kernel keeps."""
    *ports, metrics = where.split(",")
    served, slow = 'signet_http_requests_total{route="document",status="2xx"}', "signet_slow_clients_total"
    num, bad = 7000, 0
    ask = b"GET /crl/dev.crl HTTP/1.1\r\nHost: x\r\n\r\n"
    for number in ports:
        served_before, slow_before = figure(metrics, served), figure(metrics, slow)
        client = visit(number, 4096)
        client.sendall(ask * num)
        until = time.monotonic() + 30
        while figure(metrics, slow) == slow_before and time.monotonic() < until:
            client.recv(1)
            time.sleep(0.1)
        if figure(metrics, slow) != slow_before + 1:
            print(f"port {number}: who reads ten octets a second is not closed")
            bad += 1
        if figure(metrics, served) - served_before >= num:
            print(f"port {number}: all {num} were served to who does not read")
            bad += 1
        client.close()

        client = visit(number)
        client.sendall(ask * (num - 1) + ask.replace(b"Host", b"Connection: close\r\nHost"))
        begun, said = time.monotonic(), bytearray()
        while more := client.recv(16384):
            said += more
            if time.monotonic() < begun + 4:  # the kernel tells that there is room when a third is free
                time.sleep(0.005)
        if said.count(b"HTTP/1.1 200 ") != num:
            print(f"port {number}: {said.count(b'HTTP/1.1 200 ')} of {num} replies to who reads on")
            bad += 1
    return bad


def field(number, value):
    return struct.pack(">BI", number, len(value)) + value


def message(kind, fields=b"", number=0, version=1, length=None):
    return struct.pack(">BBHIQ", version, kind, 0, len(fields) if length is None else length, number) + fields


HELLO, ENROLL, HEALTH, ANSWER, OCSP = 1, 5, 7, 9, 10
GREETING = message(HELLO, field(1, b"x\0"))
PEER, BODY = field(2, b"p\0"), field(6, b"b")
LIES = [
    ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("another version", message(HELLO, field(1, b"x\0"), version=2)),
    ("no greeting", message(HEALTH, number=1)),
    ("two greetings", GREETING + GREETING),
    ("no such message", GREETING + message(99, number=1)),
    ("a message of the issuer's", GREETING + message(ANSWER, field(7, bytes(8)), number=1)),
    ("all the octets there are", GREETING + message(OCSP, number=1, length=0xFFFFFFFF)),
    ("more than such a message has", GREETING + message(HEALTH, number=1, length=1)),
    ("an id for a greeting", message(HELLO, field(1, b"x\0"), number=1)),
    ("a field beyond the end", GREETING + message(OCSP, struct.pack(">BI", 6, 1000) + b"b", 1)),
    ("a field of all octets", GREETING + message(OCSP, struct.pack(">BI", 6, 0xFFFFFFFF), 1)),
    ("half a field", GREETING + message(OCSP, b"\6\0\0", 1)),
    ("a field twice", GREETING + message(OCSP, BODY + BODY, 1)),
    ("fields out of order", GREETING + message(ENROLL, BODY + PEER, 1)),
    ("a field that is missing", GREETING + message(ENROLL, BODY, 1)),
    ("a field that it can't have", GREETING + message(HEALTH, b"", 1) + message(OCSP, PEER + BODY, 1)),
    ("field 0", GREETING + message(OCSP, field(0, b"") + BODY, 1)),
    ("field 255", GREETING + message(OCSP, BODY + field(255, b""), 1)),
    ("a text without an end", GREETING + message(ENROLL, field(2, b"p") + BODY, 1)),
    ("a text with an end in it", GREETING + message(ENROLL, field(2, b"p\0q\0") + BODY, 1)),
    ("a text that is none", GREETING + message(ENROLL, field(2, b"\xff\n\0") + BODY, 1)),
    ("a text that is too long", GREETING + message(ENROLL, field(2, b"p" * 200 + b"\0") + BODY, 1)),
]


def meet(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(60)
    client.connect(path)
    return client


def is_ended(client):
    """The issuer closes; what it says before does not matter."""
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def keeps_asking(path):
    """Asks on and on, and reads no answer: at some point it is not listened to. Returns what it got rid of."""
    most = 64 << 20
    client = meet(path)
    client.sendall(GREETING)
    client.settimeout(5)
    sent = 0
    try:
        while sent < most:
            sent += client.send(message(HEALTH, number=1) * 4096)
    except TimeoutError:
        pass
    # Whoever reads again is heard again.
    client.settimeout(60)
    said = 0
    while said < sent and (more := client.recv(65536)):
        said += len(more)
    return sent < most and said >= sent


def front(path):
    bad = 0
    for name, octets in LIES:
        client = meet(path)
        client.sendall(octets)
        if not is_ended(client):
            print(f"{name}: it is still listened to")
            bad += 1
    # Cut anywhere, a message waits for its rest, and its end is the end.
    whole = GREETING + message(ENROLL, PEER + BODY, 1)
    for at in range(len(whole)):
        client = meet(path)
        client.sendall(whole[:at])
        client.shutdown(socket.SHUT_WR)
        if not is_ended(client):
            print(f"cut at {at}: it is still listened to")
            bad += 1
    if not keeps_asking(path):
        print("whoever reads no answers can ask without end")
        bad += 1
    return bad


sys.exit(min(1, {"framing": framing, "chunk": chunk, "reading": reading, "front": front}[sys.argv[1]](sys.argv[2])))
