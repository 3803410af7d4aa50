#!/usr/bin/python3
"""Holds calls of the API that a test has made against docs/openapi.yaml.

    api_check.py OPENAPI CALLS

CALLS has a JSON object a line: method, path (with the query, without /api/v1), status, type, sent and
got (texts). Each answer has to be one that the document describes, as it describes it; each
request that was served has to be one that it allows; and each status of each operation has to have
been seen.
"""
import json
import re
import sys
from urllib.parse import parse_qsl, unquote

import yaml
from jsonschema import Draft202012Validator

# what holds for all operations, and stands under `default` in each
EVERYWHERE = {"400", "405", "413", "414", "415", "422", "431", "500", "503"}


class Document:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = yaml.safe_load(file)
        self.templates = [
            (re.compile("/" + "/".join("([^/]+)" if part.startswith("{") else re.escape(part)
                                       for part in path[1:].split("/")) + "$"), path)
            for path in sorted(self.root["paths"], key=lambda path: path.count("{"))
        ]

    def follow(self, node):
        while "$ref" in node:
            path = node["$ref"].removeprefix("#/").split("/")
            node = self.root
            for part in path:
                node = node[part]
        return node

    def find(self, path):
        for pattern, template in self.templates:
            if pattern.match(path):
                return template
        return None

    def complaints(self, schema, value):
        validator = Draft202012Validator({**schema, "components": self.root["components"]})
        return [f"{'/'.join(map(str, error.path))}: {error.message}"
                for error in validator.iter_errors(value)]


def check_parameters(document, operation, template, call, say):
    path, _, query = call["path"].partition("?")
    values = dict(parse_qsl(query, keep_blank_values=True))
    names = re.findall(r"{(\w+)}", template)
    parts = [part for part, whole in zip(path.split("/"), template.split("/"))
             if whole.startswith("{")]
    known = {}
    for node in operation.get("parameters", []):
        parameter = document.follow(node)
        known[parameter["name"], parameter["in"]] = parameter["schema"]
    for name, part in zip(names, parts):
        if (name, "path") not in known:
            say(f"{{{name}}} is not described")
        elif document.complaints(known[name, "path"], unquote(part)):
            say(f"{{{name}}} can't be {part}")
    for name, value in values.items():
        schema = known.get((name, "query"))
        if schema is None:
            say(f"?{name} is not described")
        elif document.complaints(schema, int(value) if schema.get("type") == "integer" else value):
            say(f"?{name} can't be {value}")


def check_served(document, operation, template, call, say):
    check_parameters(document, operation, template, call, say)
    body = operation.get("requestBody")
    if body is None:
        if call["sent"]:
            say("a body was taken that is not described")
    elif call["sent"]:
        schema = body["content"]["application/json"]["schema"]
        for complaint in document.complaints(schema, json.loads(call["sent"])):
            say(f"a request was served that is not allowed: {complaint}")
    elif body.get("required"):
        say("a request was served without its body")


def check_answer(document, response, call, say):
    content = document.follow(response).get("content")
    kind = call["type"]
    if call["method"] == "HEAD":
        return
    if content is None:
        if call["got"]:
            say("there is a body")
        return
    if kind not in content:
        say(f"the content type is {kind}")
        return
    for complaint in document.complaints(content[kind]["schema"], json.loads(call["got"])):
        say(complaint)


def main():
    document = Document(sys.argv[1])
    failures, seen = [], set()
    with open(sys.argv[2], encoding="utf-8") as file:
        calls = [json.loads(line) for line in file]
    for call in calls:
        def say(what, call=call):
            failures.append(f"{call['method']} {call['path']} -> {call['status']}: {what}")
        status = str(call["status"])
        template = document.find(call["path"].partition("?")[0])
        method = "get" if call["method"] == "HEAD" else call["method"].lower()
        if template is None or method not in document.root["paths"][template]:
            if template is None and status not in ("400", "404", "414"):
                say("this URL is not described")
            elif template is not None and status != "405":
                say("this method is not described")
            continue
        operation = document.root["paths"][template][method]
        seen.add((template, method, status))
        if status not in operation["responses"] and status not in EVERYWHERE:
            say("this status is not described")
            continue
        check_answer(document, operation["responses"].get(status, operation["responses"]["default"]),
                     call, say)
        if status.startswith("2"):
            check_served(document, operation, template, call, say)
    for template, item in document.root["paths"].items():
        for method, operation in item.items():
            for status in operation["responses"]:
                if status != "default" and (template, method, status) not in seen:
                    failures.append(f"{method.upper()} {template} was never answered {status}")
    print("\n".join(failures), file=sys.stderr)
    print(f"{len(calls)} calls, {len(seen)} of them different, {len(failures)} failures")
    return 1 if failures or not calls else 0


sys.exit(main())
