"""accepted_examples.py FOLDER registry|examples: what the shipped policies say they accept.

registry: the part of signet.yaml that lets all their devices and users in.
examples: a line for each, with tabs: POLICY, root|ca|leaf, CSR, device|user|-, then the record as
ID and NAME=VALUE…
"""
import glob
import os
import sys

import yaml

folder, wanted = sys.argv[1:]
examples, attributes = [], {"device": set(), "user": set()}
for path in sorted(glob.glob(os.path.join(folder, "*.yaml"))):
    with open(path, encoding="utf-8") as file:
        policy = yaml.load(file, yaml.BaseLoader)  # every value is text
    ca = policy.get("ca")
    kind = "leaf" if ca is None else "root" if ca.get("self_signed") == "true" else "ca"
    for example in policy.get("examples", []):
        if example["expect"] != "accept":
            continue
        row = [policy["policy"], kind, example["csr"]]
        for holder, key in (("device", "id"), ("user", "name")):
            record = dict(example.get(holder, {}))
            if not record:
                continue
            row += [holder, record.pop(key)] + [f"{name}={value}" for name, value in record.items()]
            attributes[holder].update(record)
        # the same request under another issuer is another example, but the same certificate
        if row[:3] not in (other[:3] for other in examples):
            examples.append(row if len(row) > 3 else row + ["-"])

if wanted == "registry":
    print("registry:")
    for holder, key in (("device", "id"), ("user", "name")):
        print(f"  {holder}:\n    {key}: '.+'")
        for name in sorted(attributes[holder]):
            print(f"    {name}: {{match: '.*', optional: true}}")
else:
    for row in examples:
        print("\t".join(row))
