"""What tests of serverkeygen need of DER, that no tool of the system does."""
import base64
import sys


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


if __name__ == '__main__':
    {'wrap': wrap, 'first': first, 'replace': replace, 'damage': damage}[sys.argv[1]](*sys.argv[2:])
