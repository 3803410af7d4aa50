"""policy_sentences.py SOURCE: every sentence of docs/policy.md that says must or refused, and every
error that it lists, has a case in the tests.

policy_sentences.table says which: a line in quotes begins as the sentence (or, in a list of errors or
refusals, the part up to the next semicolon) does, and the lines below it name a file and some text of
the case in it; or, after "none:", why there is none.
"""
import os
import re
import sys

source = sys.argv[1]
SAYS = re.compile(r"\bmust\b|\b[Rr]efuse[sd]?\b|\bhas to match\b|\bhave to agree\b|^Errors?:")


def read(path):
    with open(os.path.join(source, path), encoding="utf-8") as file:
        return file.read()


def sentences(text):
    """The sentences of the document, a row of a table being one; lists after a colon are taken apart."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(    |#).*$", "", text, flags=re.MULTILINE)
    for block in re.split(r"\n\s*\n|\n(?=- |\|)", text):
        for sentence in re.split(r"(?<=[.]) (?=[A-Z`])", " ".join(block.split())):
            if not SAYS.search(sentence):
                continue
            if re.match(r"(Errors|Refused)\b", sentence):
                yield from re.split(r"; (?![^(]*\))", sentence)
            else:
                yield sentence


def table():
    wanted, cases = None, {}
    for line in read("tests/unit/policy_sentences.table").splitlines():
        if line.startswith('"'):
            wanted = line.strip('"')
            cases[wanted] = []
        elif line and not line.startswith("#"):
            cases[wanted].append(line.strip())
    return cases


def problems():
    cases, used = table(), set()
    for sentence in sentences(read("docs/policy.md")):
        begins = [begin for begin in cases if sentence.startswith(begin)]
        used.update(begins)
        if not begins:
            yield f"no case for: {sentence}"
    for begin, lines in cases.items():
        if begin not in used:
            yield f"docs/policy.md has no such sentence: {begin}"
        if not lines:
            yield f"nothing below: {begin}"
        for line in lines:
            file, text = line.split(": ", 1)
            if file != "none" and text not in read(os.path.join("tests", file)):
                yield f"{file} has no case with: {text}"


found = list(problems())
print("1..1")
for problem in found:
    print(f"# {problem}")
print("not ok 1 every sentence has its case" if found else "ok 1 every sentence has its case")
sys.exit(1 if found else 0)
