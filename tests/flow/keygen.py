"""What tests of serverkeygen need of DER and of memory, that no tool of the system does."""
import base64
import os
import subprocess
import sys
import time


def header(tag, length):
    if length < 128:
        return bytes([tag, length])
    size = length.to_bytes((length.bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(size)]) + size


def inside(der):
    """The octets within one value."""
    if der[1] < 128:
        return der[2:2 + der[1]]
    size = der[1] & 0x7f
    length = int.from_bytes(der[2:2 + size], 'big')
    return der[2 + size:2 + size + length]


def wrap(source, target):
    """SignedData into a ContentInfo."""
    signed = open(source, 'rb').read()
    oid = bytes.fromhex('06092a864886f70d010702')
    content = oid + header(0xa0, len(signed)) + signed
    open(target, 'wb').write(header(0x30, len(content)) + content)


def first(source, target):
    """The one element of a SEQUENCE."""
    open(target, 'wb').write(inside(open(source, 'rb').read()))


def replace(source, target, old, new):
    """Octets of a request by as many others; its signature does not matter then."""
    text = open(source).read()
    der = base64.b64decode(''.join(l for l in text.splitlines() if not l.startswith('-')))
    if der.count(bytes.fromhex(old)) != 1:
        sys.exit(f'{old} is not there exactly once')
    der = der.replace(bytes.fromhex(old), bytes.fromhex(new))
    body = base64.encodebytes(der).decode()
    open(target, 'w').write(f'-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n')


def damage(source, target):
    """One octet of the encrypted key in an answer."""
    head, key, rest = open(source, 'rb').read().split(b'\r\n\r\n', 2)
    end = key.index(b'\r\n')
    der = bytearray(base64.b64decode(key[:end]))
    der[-20] ^= 1
    key = base64.b64encode(der) + key[end:]
    open(target, 'wb').write(b'\r\n\r\n'.join([head, key, rest]))


def needles(pkcs8, hash_file, ticket, target):
    """What nobody may find, one a line: a name and octets."""
    der = open(pkcs8, 'rb').read()
    at = der.index(bytes.fromhex('0201010420')) + 5
    scalar = der[at:at + 32]
    digits = open(hash_file).read().strip()
    basic = base64.b64encode(f'{ticket}:{digits}'.encode())
    lines = [('scalar', scalar), ('scalar-reversed', scalar[::-1]), ('pkcs8', der),
             ('pin-hash', bytes.fromhex(digits)), ('pin-hash-digits', digits.encode()), ('basic', basic)]
    open(target, 'w').write(''.join(f'{name} {value.hex()}\n' for name, value in lines))


def read_needles(path):
    return [(name, bytes.fromhex(value)) for name, value in map(str.split, open(path))]


# A sanitizer's shadow of the whole address space has no octets of the program's.
LARGEST = 1 << 33


def regions(pid):
    for line in open(f'/proc/{pid}/maps'):
        span, rights, *rest = line.split()
        begin, end = (int(x, 16) for x in span.split('-'))
        name = rest[3] if len(rest) > 3 else ''
        if rights.startswith('r') and end - begin < LARGEST and name not in ('[vvar]', '[vsyscall]'):
            yield begin, end, name


def is_there(pagemap, begin, end):
    """Has any page of the span been written to, or swapped out?"""
    entries = os.pread(pagemap, (end - begin) // 4096 * 8, begin // 4096 * 8)
    return any(top & 0xc0 for top in entries[7::8])


def pages(pagemap, memory, begin, end):
    """The octets of a region, without long stretches that nobody has used."""
    chunk, overlap = 1 << 20, 4096
    tail = b''
    for at in range(begin, end, chunk):
        try:
            there = is_there(pagemap, at, min(at + chunk, end))
            data = os.pread(memory, min(chunk, end - at), at) if there else b''
        except OSError:
            data = b''
        if not data:
            tail = b''
            continue
        yield at - len(tail), tail + data
        tail = data[-overlap:]


def count(path, pid):
    """How many of them are in a process's memory."""
    wanted, found, total = read_needles(path), 0, 0
    memory = os.open(f'/proc/{pid}/mem', os.O_RDONLY)
    pagemap = os.open(f'/proc/{pid}/pagemap', os.O_RDONLY)
    for begin, end, name in regions(pid):
        for at, data in pages(pagemap, memory, begin, end):
            total += len(data)
            for what, value in wanted:
                place = data.find(value)
                if place >= 0:
                    found += 1
                    print(f'{what} in process {pid} at {at + place:x} {name}')
    os.close(memory)
    os.close(pagemap)
    if total < 1 << 20:
        sys.exit(f'process {pid} has only {total} octets that can be read')
    return found


def search(path, *pids):
    """Fails when there is any of them in a process's memory."""
    sys.exit(1 if sum(count(path, pid) for pid in pids) else 0)


def plant(path, pid):
    """All of them at the far end of the process's stack, where it never comes."""
    begin = next(begin for begin, _, name in regions(pid) if name == '[stack]')
    memory = os.open(f'/proc/{pid}/mem', os.O_RDWR)
    os.pwrite(memory, b'\0'.join(value for _, value in read_needles(path)), begin)
    os.close(memory)


def full_pipe():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while os.write(writer, b' '):
            pass
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer


def wait_until_still(pid):
    """Until it sleeps, and has used no processor for a second."""
    still, before = 0, None
    while still < 20:
        fields = open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()
        now = fields[11:13]
        still = still + 1 if fields[0] == 'S' and now == before else 0
        before = now
        time.sleep(0.05)


def hold(path, *command):
    """Looks into a command when it is about to say what it has done, which it can't; then it may."""
    reader, writer = full_pipe()
    process = subprocess.Popen(command, stderr=writer)
    os.close(writer)
    wait_until_still(process.pid)
    found = count(path, process.pid)
    plant(path, process.pid)
    if count(path, process.pid) < len(read_needles(path)):
        sys.exit('what was planted is not found')
    print(open(reader, encoding='utf-8').read().strip())
    sys.exit(1 if found else process.wait())


if __name__ == '__main__':
    {'wrap': wrap, 'first': first, 'replace': replace, 'damage': damage, 'needles': needles,
     'search': search, 'plant': plant, 'hold': hold}[sys.argv[1]](*sys.argv[2:])
