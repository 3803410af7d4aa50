"""pages: the certificates that docs/policies/*.md show, beside what signet makes.

pages.py registry SOURCE            a registry for every example of the shipped policies
pages.py first SOURCE POLICY        the first request that the policy must accept: its file, and what
                                    the registry has to hold, an argument on each line
pages.py compare PAGE SHOWN         fails unless the page's certificate is the one in SHOWN
pages.py write PAGE SHOWN           puts it there, with the notes that stood beside its lines
"""
import datetime
import difflib
import pathlib
import re
import sys

import yaml

NOTE = "←"
# Values that are others each time.
CHANGING = {"serial", "not before", "not after", "authorityKeyIdentifier", "sha256", "sha1"}


def examples(source):
    for path in sorted(pathlib.Path(source, "policies").glob("*.yaml")):
        policy = yaml.safe_load(path.read_text(encoding="utf-8"))
        for example in policy.get("examples", []):
            yield policy["policy"], example


def registry(source):
    fields = {"device": {"id"}, "user": {"name"}}
    for _, example in examples(source):
        for noun, known in fields.items():
            known.update(example.get(noun, {}))
    print("registry:")
    for noun, first in (("device", "id"), ("user", "name")):
        print(f"  {noun}:\n    {first}: '.*'")
        for field in sorted(fields[noun] - {first}):
            print(f"    {field}: {{match: '.*', optional: true}}")


def first(source, policy):
    for name, example in examples(source):
        if name == policy and example["expect"] == "accept":
            print(pathlib.Path(source, "policies", example["csr"]))
            for noun, key in (("device", "id"), ("user", "name")):
                if noun in example:
                    record = example[noun]
                    print(noun, record[key], *(f"{k}={v}" for k, v in record.items() if k != key), sep="\n")
            return
    sys.exit(f"{policy} has no example that it accepts")


def label(line):
    return re.split(r"  +", line.strip())[0]


def block(page):
    """The lines of the certificate in the page, and which they are."""
    lines = page.read_text(encoding="utf-8").split("\n")
    starts = [i for i, line in enumerate(lines) if line.split(NOTE)[0].strip() == "certificate"]
    if len(starts) != 1:
        sys.exit(f"{page} shows {len(starts)} certificates, not one")
    end = start = starts[0]
    while lines[end].strip() not in ("", "```"):
        end += 1
    return lines, start, end


def words(lines):
    """What has to be equal: everything but notes, spaces and what changes; and how long it is valid."""
    out, moments = [], {}
    for line in lines:
        text = " ".join(line.split(NOTE)[0].split())
        # A second after it was made, a day fewer is left.
        text = re.sub(r"expires in \d+ days", "expires", text)
        if label(line) in CHANGING:
            moments[label(line)] = text.split()[-1]
            text = label(line)
        out.append(text)
    begins, ends = (datetime.datetime.fromisoformat(moments[k].rstrip("Z")) for k in ("not before", "not after"))
    return out + ["valid for ever" if ends.year == 9999 else f"valid for {ends - begins}"]


def compare(page, shown):
    lines, start, end = block(page)
    made = words(shown.read_text(encoding="utf-8").rstrip("\n").split("\n"))
    on_page = words(lines[start:end])
    if made != on_page:
        sys.exit("\n".join(difflib.unified_diff(on_page, made, str(page), "signet show", lineterm="")))


def write(page, shown):
    lines, start, end = block(page)
    notes = {label(line): line.split(NOTE)[1].strip() for line in lines[start:end] if NOTE in line}
    indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    made = [indent + line for line in shown.read_text(encoding="utf-8").rstrip("\n").split("\n")]
    width = max(len(line) for line in made if label(line) in notes) if notes else 0
    lines[start:end] = [
        f"{line.ljust(width)}  {NOTE} {notes[label(line)]}" if label(line) in notes else line for line in made
    ]
    page.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    verb, *words_given = sys.argv[1:]
    {"registry": registry, "first": first, "compare": compare, "write": write}[verb](
        *(pathlib.Path(w) if i < 2 and verb in ("compare", "write") else w for i, w in enumerate(words_given))
    )
