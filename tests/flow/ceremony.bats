# Ceremonies as people hold them: planned, rehearsed, run at a terminal, and proved.
load common
load expect
load ceremony

setup_file() {
    start_in_own_folder
    # One that is over, for the tests that only look.
    make_ceremony whole
    make_plan whole
    run_ceremony whole >whole/screen
    sign_record whole
    signet ceremony bundle whole/run -o whole/bundle.tar
    cp whole/plan.json whole/kept.json
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    DIGEST=$(sha256sum <whole/plan.json | cut -d ' ' -f 1)
    export DIGEST
}

@test "root, issuing CA and CRLs: run, signed, bundled, proved" {
    ok prove whole
    says "ok  files" "by Ada Example, Dora Example" "ok  plan" "ok  record" "6 acts in their order" \
        "2 made on tokens that say they never left" "6: as planned byte for byte" "proved: whole/bundle.tar"
    [ "${#lines[@]}" -eq 11 ]
    ok prove whole whole/bundle.tar --json
    json '.checks | length' 10
    json .plan "$DIGEST"
}

@test "what it made is good to other programs" {
    cd whole/run/out
    local when
    when=$(date +%s)
    openssl verify -x509_strict -CAfile root.pem root.pem
    openssl verify -x509_strict -CAfile root.pem issuing.pem
    certtool --verify --load-ca-certificate root.pem --infile issuing.pem
    openssl crl -inform DER -in root-10.crl -CAfile root.pem -noout 2>&1 | grep -q "verify OK"
    openssl crl -inform DER -in root-10.crl -out crl.pem
    openssl verify -x509_strict -crl_check -CAfile root.pem -CRLfile crl.pem issuing.pem
    rm crl.pem
    certtool --crl-info --inder --infile root-40.crl | grep -qi "CRL Number.*: 28"
    [ "$(openssl x509 -in root.pem -noout -startdate | cut -d= -f2 | xargs -0 date +%s -d)" -le "$when" ]
}

@test "the screens fit 80 columns and 24 lines, and no PIN is on them" {
    [ "$(wc -L <whole/screen)" -le 80 ]
    # What stands between two answers is on the screen at once.
    awk '/Enter for more --$|(: |\? )[^ ]*$/ { since = 0 } { if (++since > 24) exit 1 }' whole/screen
    not grep -qE "PIN of .*Example\): ?[^ ]" whole/screen
    not grep -rq "75318642" whole/run
}

@test "other programs read archive and manifest" {
    mkdir -p by-tar by-python
    tar -xf whole/bundle.tar -C by-tar
    python3 -c 'import sys, tarfile; tarfile.open("whole/bundle.tar").extractall("by-python")' 2>/dev/null
    diff -r by-tar whole/run
    diff -r by-python whole/run
    (cd by-tar && sha256sum --quiet -c MANIFEST)
    [ "$(tar -tf whole/bundle.tar)" = "$(tar -tf whole/bundle.tar | LC_ALL=C sort)" ]
}

# pack DIR BUNDLE: whatever is in DIR, as the archive that a bundle is. (tar and Python leave fields
# that say nothing of a plain file empty in one version and fill them in another.)
pack() {
    (cd "$1" && find . -type f -printf '%P\n' | LC_ALL=C sort | python3 -c '
import sys
def field(text, size):
    return text.encode().ljust(size, b"\0")
def header(name, size, checksum):
    return (field(name, 100) + field("0000644", 8) + field("0000000", 8) * 2 + field("%011o" % size, 12)
        + field("0" * 11, 12) + checksum + b"0" + field("", 100) + b"ustar\x0000" + field("", 64)
        + field("0000000", 8) * 2 + field("", 167))
whole = b""
for name in sys.stdin.read().split():
    data = open(name, "rb").read()
    checksum = b"%06o\0 " % sum(header(name, len(data), b" " * 8))
    whole += header(name, len(data), checksum) + data + b"\0" * (-len(data) % 512)
whole += b"\0" * 1024
sys.stdout.buffer.write(whole + b"\0" * (-len(whole) % 10240))
') >"$2"
}

@test "every file changed, removed or added is found" {
    local file num=0
    mkdir -p unpacked
    tar -xf whole/bundle.tar -C unpacked
    pack unpacked again.tar
    ok prove whole again.tar
    for file in $(tar -tf whole/bundle.tar); do
        num=$((num + 1))
        cp "unpacked/$file" kept
        printf x >>"unpacked/$file"
        pack unpacked changed.tar
        run prove whole changed.tar
        [ "$status" -ne 0 ] || fail "$file could be changed"
        rm "unpacked/$file"
        pack unpacked changed.tar
        run prove whole changed.tar
        [ "$status" -ne 0 ] || fail "$file could be removed"
        cp kept "unpacked/$file"
    done
    [ "$num" -eq 12 ]
    for file in note out/more.pem signatures/eve; do
        echo x >"unpacked/$file"
        pack unpacked changed.tar
        run prove whole changed.tar
        [ "$status" -ne 0 ] || fail "$file could be added"
        rm "unpacked/$file"
    done
    pack unpacked again.tar
    ok prove whole again.tar
}

@test "the proof wants the right digest and signers from outside" {
    ends 3 "plan" "not the one that was given" -- signet ceremony prove whole/bundle.tar \
        --plan-digest "$(sha256sum </dev/null | cut -d ' ' -f 1)" --signers whole/signers
    sed '/Dora/,$d' whole/signers >one
    ends 3 "signatures" -- signet ceremony prove whole/bundle.tar --plan-digest "$DIGEST" --signers one
    sed 's/Ada Example/Eve Example/' whole/signers >eve
    ends 3 "Eve Example has not signed" -- signet ceremony prove whole/bundle.tar --plan-digest "$DIGEST" \
        --signers eve
    ends 2 "64 digits" -- signet ceremony prove whole/bundle.tar --plan-digest 00 --signers whole/signers
    ends 2 "signers" -- signet ceremony prove whole/bundle.tar --plan-digest "$DIGEST"
    ends 3 "bundle" -- signet ceremony prove whole/signers --plan-digest "$DIGEST" --signers whole/signers
}

@test "a proof needs no token and no module" {
    SOFTHSM2_CONF=/dev/null SIGNET_DATA=/nonexistent ok prove whole
}

@test "the record is also signed by openssl" {
    openssl pkeyutl -sign -rawin -inkey whole/ada.key -in whole/run/MANIFEST -out by-openssl
    cmp by-openssl whole/run/signatures/ada-example
}

@test "a plan is printed again, as text and with boxes, and its digest is the file's" {
    ok signet ceremony plan whole/plan.json
    [ "$output" = "$(cat whole/plan.txt)" ]
    says "SHA-256 of the plan:"$'\n'"    $DIGEST"
    ok signet ceremony plan whole/plan.json --markdown
    says "| time | Dora Example |" "### 6. Sign 4 CRLs of root, numbers 10 to 40"
    says_not "PIN: 1"
}

@test "what comes of it is what the plan says" {
    local known
    known=$(jq -r '.acts[2].outputs[0].known' whole/plan.json)
    openssl x509 -in whole/run/out/root.pem -outform DER -out root.der
    [[ $(od -An -v -tx1 root.der | tr -d ' \n') =~ ^308[12].{2,6}$known ]]
}

@test "a plan that was changed is no plan" {
    sed 's/CN=Example Root CA 2027/CN=Example Boot CA 2027/' whole/plan.json >changed.json
    fails 1 "changed.json: it does not say what follows from its own parts" -- signet ceremony plan changed.json
    echo no >no.json
    fails 1 "no.json: it is no JSON" -- signet ceremony plan no.json
    echo '{}' >empty.json
    fails 1 "empty.json" "signet ceremony plan FILE -o PLAN" -- signet ceremony plan empty.json
}

@test "a ceremony.yaml that is wrong: where and what" {
    sed 's/type: P-384/type: P-385/' whole/ceremony.yaml >whole/bad.yaml
    fails 1 "whole/bad.yaml:37:" "P-385" -- signet ceremony plan whole/bad.yaml
    sed 's/policy: root-ca .*/policy: rot-ca/' whole/ceremony.yaml >whole/bad.yaml
    fails 1 "whole/bad.yaml:" "rot-ca.yaml" -- signet ceremony plan whole/bad.yaml
    [ ! -e whole/other.json ]
    fails 1 "exists" -- signet ceremony plan whole/ceremony.yaml -o whole/plan.json
    fails 2 ".json" -- signet ceremony plan whole/ceremony.yaml -o whole/plan
}

@test "every template makes a plan" {
    cp whole/run/out/root.pem whole/root.pem
    cp whole/run/out/issuing.pem whole/old-issuing.pem
    for kind in root root-and-issuing yearly restore-drill; do
        signet ceremony template $kind >whole/$kind.yaml
        sed -i 's/2027-11-03T12/2027-01-11T08/' whole/$kind.yaml
        ok signet ceremony plan whole/$kind.yaml
        [[ $stderr == *"this plan was not kept"* ]]
    done
    fails 2 "there is no template 'tree'" -- signet ceremony template tree
}

@test "a rehearsal by itself compares with the plan, and wants no token" {
    SOFTHSM2_CONF=/dev/null ok signet ceremony rehearse whole/plan.json -o rehearsal --by-itself
    says "This is a rehearsal" "The rehearsal is over" "6: as planned byte for byte"
    for file in root.pem issuing.pem root-10.crl; do [ -s "rehearsal/out/$file" ]; done
    grep -q '\*\*Initials:\*\* DE (Dora Example)' rehearsal/script.md
    fails 1 "has taken place" -- signet ceremony rehearse whole/plan.json -o rehearsal --by-itself
    ends 3 "record" "this was a rehearsal" -- signet ceremony sign rehearsal --name "Ada Example" --key whole/ada.key
}

@test "a rehearsal at a terminal" {
    local part=('part 1=1234' 'part 2=1234' 'PIN of the token issuing=1234')
    ok play "${part[@]}" -- "$SIGNET" ceremony rehearse whole/plan.json -o at-terminal
    says "Every part of a PIN is 1234" "ok  outputs"
}

@test "fingerprints as QR codes, each on a page of its own, which another program reads" {
    local part=('part 1=1234' 'part 2=1234' 'PIN of the token issuing=1234') wanted
    ok play "${part[@]}" -- "$SIGNET" ceremony rehearse whole/plan.json -o with-qr --qr
    wanted=$(openssl x509 -in with-qr/out/root.pem -outform DER | sha256sum | cut -c 1-64 | tr a-f A-F)
    # The second code; a dark module is one that is not drawn.
    python3 -c '
import re, sys
lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in sys.stdin.read().splitlines()]
codes, code = [], []
for line in lines + [""]:
    if line and set(line) <= set("█▀▄ ") and "█" in line:
        code.append(line)
    elif code:
        codes.append(code)
        code = []
assert len(codes) == 8, len(codes)
assert all(len(code) <= 22 for code in codes)
code = codes[1]
rows = []
for line in code:
    rows.append("".join("0" if c in "█▀" else "1" for c in line))
    rows.append("".join("0" if c in "█▄" else "1" for c in line))
scale = 4
print("P1", len(rows[0]) * scale, len(rows) * scale)
for row in rows:
    for _ in range(scale):
        print("".join(c * scale for c in row))
' <<<"$output" >qr.pbm
    [ "$(zbarimg -q --raw qr.pbm 2>/dev/null)" = "$wanted" ]
}

@test "killed at every act, it goes on" {
    local act
    make_ceremony killed
    make_plan killed
    for act in 1 2 3 4 5 6; do
        # At the question before the act, and at the initials after it.
        run run_ceremony killed 'Type go=KILL'
        [ "$status" -eq 137 ]
        run run_ceremony killed 'Initials of the witness=KILL'
        [ "$status" -eq 137 ]
        ok run_ceremony killed 'Type go=go|stop' || true
        [ "$act" -eq 6 ] || { [ "$status" -eq 3 ] && says "stopped before act $((act + 1))"; }
    done
    [ "$status" -eq 0 ]
    says "The ceremony is over"
    expect_proved killed
    says "17 interruptions" "6, as planned; at most 0 more"
}

@test "a wrong digest is not run" {
    make_ceremony digest
    make_plan digest
    DIGEST=00 run run_ceremony digest
    [ "$status" -eq 3 ]
    says "approval" "this plan is not the one that was approved"
    not test -e digest/run/out/root.pem
    # Typed in groups, and in capitals, it is the same.
    DIGEST=$(sed 's/..../& /g' <<<"${DIGEST^^}") ok run_ceremony digest
}

@test "too few signatures" {
    make_ceremony few
    echo "approval: {signatures: 2}" >>few/ceremony.yaml
    make_plan few
    for who in ada dora; do
        signet ceremony sign few/plan.json --name "${who^} Example" --key few/$who.key -o few/$who.sig
    done
    fails 2 "not the key that the plan has" -- signet ceremony sign few/plan.json --name "Ada Example" \
        --key few/dora.key -o few/x.sig
    run play "${pins[@]}" -- "$SIGNET" ceremony run few/plan.json -o few/run --approval few/ada.sig
    [ "$status" -eq 3 ]
    says "the plan wants 2 signatures, and there are 1"
    run play "${pins[@]}" -- "$SIGNET" ceremony run few/plan.json -o few/run --approval few/ada.sig --approval few/ada.sig
    [ "$status" -eq 3 ]
    ok play "${pins[@]}" -- "$SIGNET" ceremony run few/plan.json -o few/run --approval few/ada.sig --approval few/dora.sig
    expect_proved few
}

# ssh_signature DIR PERSON FILE [NAMESPACE]: by the person's SSH key, in DIR/PERSON.sig.
ssh_signature() {
    ssh-keygen -q -Y sign -n "${4:-signet-ceremony}" -f "$1/$2" <"$3" >"$1/$2.sig" 2>/dev/null
}

@test "SSH keys approve the plan and sign the record" {
    command -v ssh-keygen >/dev/null || skip "openssh-client is missing"
    make_ceremony ssh
    rm ssh/ada.* ssh/dora.*
    ssh-keygen -q -t ed25519 -N '' -C 'ada at home' -f ssh/ada
    ssh-keygen -q -t rsa -b 3072 -N '' -C dora -f ssh/dora
    ssh-keygen -q -t ecdsa -N '' -C eve -f ssh/eve
    echo "approval: {signatures: 2}" >>ssh/ceremony.yaml
    make_plan ssh
    (echo 'Ada Example' && cat ssh/ada.pub && echo 'Dora Example' && cat ssh/dora.pub) >ssh/signers

    ssh_signature ssh ada ssh/plan.json
    ssh_signature ssh eve ssh/plan.json
    ssh_signature ssh dora ssh/plan.json file
    run play "${pins[@]}" -- "$SIGNET" ceremony run ssh/plan.json -o ssh/run --approval ssh/ada.sig --approval ssh/dora.sig
    [ "$status" -eq 3 ]
    says "ssh/dora.sig: it was not made for the namespace signet-ceremony"
    run play "${pins[@]}" -- "$SIGNET" ceremony run ssh/plan.json -o ssh/run --approval ssh/ada.sig --approval ssh/eve.sig
    [ "$status" -eq 3 ]
    says "ssh/eve.sig is no signature over this plan"
    ssh_signature ssh dora ssh/plan.json
    ok play "${pins[@]}" -- "$SIGNET" ceremony run ssh/plan.json -o ssh/run --approval ssh/ada.sig --approval ssh/dora.sig

    ok signet ceremony sign ssh/run --name 'Ada Example'
    says "ok  outputs" "ssh-keygen -Y sign -n signet-ceremony -f KEY ssh/run/MANIFEST"
    not test -e ssh/run/signatures
    ends 3 "ssh/ada.sig is no signature of Ada Example over MANIFEST" -- \
        signet ceremony sign ssh/run --name 'Ada Example' --signature ssh/ada.sig
    ssh_signature ssh eve ssh/run/MANIFEST
    ends 3 "ssh/eve.sig is no signature of Ada" -- signet ceremony sign ssh/run --name 'Ada Example' --signature ssh/eve.sig
    ends 2 "either --key or --signature" -- \
        signet ceremony sign ssh/run --name 'Ada Example' --signature ssh/ada.sig --key ssh/ada
    ends 2 "--approval" -- signet ceremony sign ssh/plan.json --name 'Ada Example' --signature ssh/ada.sig
    for who in ada dora; do
        ssh_signature ssh $who ssh/run/MANIFEST
    done
    ok signet ceremony sign ssh/run --name 'Ada Example' --signature ssh/ada.sig
    ok signet ceremony sign ssh/run --name 'Dora Example' --signature ssh/dora.sig
    signet ceremony bundle ssh/run -o ssh/bundle.tar
    ok prove ssh
    says "over MANIFEST, by Ada Example, Dora Example" "proved: ssh/bundle.tar"
    # As OpenSSH sees it.
    sed -n 's/^/ada@example /; 1p' ssh/ada.pub >allowed
    ssh-keygen -q -Y verify -f allowed -I ada@example -n signet-ceremony -s ssh/run/signatures/ada-example <ssh/run/MANIFEST
    sed -i 's/^Dora Example$/Bob Example/' ssh/signers
    run prove ssh
    [ "$status" -eq 3 ]
}

@test "a token with another serial number" {
    make_ceremony serial
    sed -i "s/serial: $(serial_of_token serial-root)/serial: 0000000000000000/" serial/ceremony.yaml
    make_plan serial
    run run_ceremony serial
    [ "$status" -eq 4 ]
    says "and the plan wants 0000000000000000"
}

@test "a label that is there" {
    make_ceremony label
    make_plan label
    signet key create "pkcs11:token=label-root;object=root-2027" --profile softhsm --pin file:pin/label-root
    run run_ceremony label
    [ "$status" -eq 4 ]
    says "act 1" "has a private key 'root-2027' already"
    not test -e label/run/out/root.pem
}

# make_yearly DIR: a ceremony at the root that is in whole/.
make_yearly() {
    mkdir -p "$1"
    cp whole/run/out/root.pem whole/*.pub whole/signers "$1"
    cp whole/run/out/issuing.pem "$1/old-issuing.pem"
    sed -e "s/token=example-/token=whole-/" -e "s/0123456789abcdef/$(serial_of_token whole-root)/" \
        -e "s/^begins: [0-9TZ:-]*/begins: $(date -u -d '1 minute ago' +%FT%TZ)/" \
        -e "s/2027-11-03T12:00:00Z/$(date -u -d '5 minutes ago' +%FT%TZ)/" \
        -e "s/pin: \[Bob Example\]/pin: [Bob Example, Ada Example]/" \
        <(signet ceremony template yearly) >"$1/ceremony.yaml"
}

yearly() { # DIR
    play 'bag of the token example-root=A1234590' "${pins[@]}" -- "$SIGNET" ceremony run "$1/plan.json" -o "$1/run"
}

@test "next year: the old root's CRLs, with what was revoked" {
    make_yearly next
    make_plan next
    ok signet ceremony rehearse next/plan.json -o next/rehearsal --by-itself
    ok yearly next
    openssl crl -inform DER -in next/run/out/root-50.crl -CAfile next/root.pem -noout 2>&1 | grep -q "verify OK"
    openssl crl -inform DER -in next/run/out/root-50.crl -noout -text | grep -q Superseded
    openssl crl -inform DER -in next/run/out/root-50.crl -out next/crl.pem
    run openssl verify -crl_check -CAfile next/root.pem -CRLfile next/crl.pem next/old-issuing.pem
    says "certificate revoked"
    cp whole/ada.key whole/dora.key next
    sign_record next
    signet ceremony bundle next/run -o next/bundle.tar
    ok prove next
}

@test "revoking what the root did not issue" {
    make_yearly stranger
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x \
        -out stranger/old-issuing.pem 2>/dev/null
    fails 1 "old-issuing.pem was not issued by root" -- signet ceremony plan stranger/ceremony.yaml
}

@test "two keys alike" {
    make_yearly alike
    make_plan alike
    openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-384 -out twin.pem
    softhsm2-util --import twin.pem --token whole-root --label root-2027 --id 77 --pin 75318642
    run yearly alike
    [ "$status" -eq 4 ]
    says "act 1" "root-2027"
    not test -e alike/run/out/root-50.crl
}

@test "a request with a bad signature, and one for another key" {
    make_ceremony request
    make_key_and_request request/good.csr "/CN=Out/O=Example GmbH"
    sed -i -e '/key: issuing   /s/.*/      request: good.csr/' -e '/make-key: {key: issuing/d' \
        -e '/subject: CN=Example Device/d' request/ceremony.yaml
    ok signet ceremony plan request/ceremony.yaml
    says "for          the key of good.csr" "$(openssl req -in request/good.csr -noout -pubkey |
        openssl pkey -pubin -outform DER | sha256sum | cut -d ' ' -f 1)"
    sed -i 's/request: good.csr/&\n      request_key_sha256: "00"/' request/ceremony.yaml
    ends 1 "is for another key than the one that was announced" -- signet ceremony plan request/ceremony.yaml
    sed -i '/request_key_sha256/d' request/ceremony.yaml
    openssl req -in request/good.csr -outform DER | sed 's/Out/Xut/' >request/bad.csr
    sed -i 's/good.csr/bad.csr/' request/ceremony.yaml
    ends 1 "bad.csr" "RFC 2986 4.2" -- signet ceremony plan request/ceremony.yaml
}

@test "a cross-certificate that would widen rights" {
    make_ceremony cross
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj "/CN=Other CA" \
        -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign \
        -days 9000 -out cross/other.pem 2>/dev/null
    sed -i -e '/make-key: {key: issuing/d' -e '/key: issuing   /s/.*/      cross: other.pem/' \
        -e '/subject: CN=Example Device/d' -e "s/^begins: .*/begins: $(date -u -d '1 minute' +%FT%TZ)/" cross/ceremony.yaml
    ok signet ceremony plan cross/ceremony.yaml
    says "Sign the cross-certificate issuing by root" "CA, path length 0" "the key of other.pem"
    sed -e 's/^ca: {path_length: 0}/ca: {path_length: 1}/' -e '/^examples:/,$d' "$SIGNET_DATA/policies/issuing-ca.yaml" >cross/wide.yaml
    sed -i 's/policy: issuing-ca/policy: wide.yaml/' cross/ceremony.yaml
    ends 1 "cross-certificate: it would have a wider path length than other.pem" -- \
        signet ceremony plan cross/ceremony.yaml
}

@test "a full disk" {
    make_ceremony full
    make_plan full
    mkdir -p small
    mount -t tmpfs -o size=64k signet-test small 2>/dev/null || skip "needs root, to mount a small file system"
    run play "${pins[@]}" -- "$SIGNET" ceremony run full/plan.json -o small/run
    local failed=$status said=$output
    cp -r small/run full/run
    umount small
    [ "$failed" -eq 1 ] || fail "$said"
    [[ $said == *"No space left on device"* ]]
    # With room for it, it goes on.
    ok run_ceremony full
    expect_proved full
}

@test "a clock before the beginning" {
    make_ceremony clock
    sed -i "s/^begins: .*/begins: $(date -u -d tomorrow +%FT%TZ)/" clock/ceremony.yaml
    make_plan clock
    run run_ceremony clock
    [ "$status" -eq 3 ]
    says "clock" "wait, or plan another one"
}

@test "a clock that is wrong, and a time that two people confirm" {
    local typed
    make_ceremony watch
    make_plan watch
    typed=$(date -u -d 'now + 1 day' +%FT%TZ)
    ok run_ceremony watch 'Ada Example, is that right=yes' 'Dora Example, is that right=no|yes' \
        "Ada Example, type the time=$typed"
    says "Then it is ${typed%T*}"
    expect_proved watch
    [[ ! $(jq -r 'select(.event == "end").time' watch/run/transcript.jsonl) < $typed ]]
}

@test "a custodian who types a wrong PIN once" {
    make_ceremony typo
    make_plan typo
    ok run_ceremony typo 'part 2=8643|8642'
    says "refused the PIN"
    expect_proved typo
    grep -q '"event":"wrong-pin"' typo/run/transcript.jsonl
}

@test "an output that is there stays" {
    make_ceremony output
    make_plan output
    mkdir -p output/run/out
    echo mine >output/run/out/root.pem
    run run_ceremony output
    [ "$status" -eq 1 ]
    says "is something else; it stays"
    [ "$(cat output/run/out/root.pem)" = mine ]
}

@test "closed as failed" {
    make_ceremony failed
    make_plan failed
    run run_ceremony failed 'Type go=go|fail'
    [ "$status" -eq 1 ]
    says "closed as failed at act 2: a reason"
    run run_ceremony failed
    [ "$status" -eq 1 ]
    says "was closed as failed"
    grep -q '"when":"failed"' failed/run/transcript.jsonl
    ends 1 "no ceremony that is over" -- signet ceremony sign failed/run --name "Ada Example" --key failed/ada.key
}

@test "signing and bundling at the wrong time" {
    fails 1 "exists" -- signet ceremony bundle whole/run -o whole/bundle.tar
    ends 1 "exists" -- signet ceremony sign whole/run --name "Ada Example" --key whole/ada.key
    ends 2 "by the plan Bob Example signs nothing" -- signet ceremony sign whole/run --name "Bob Example" --key whole/ada.key
    ends 2 "knows nobody called 'Eve'" -- signet ceremony sign whole/run --name Eve --key whole/ada.key
    cp -r whole/run spoilt
    echo >>spoilt/script.md
    ends 3 "was changed since" -- signet ceremony sign spoilt --name "Ada Example" --key whole/ada.key
}

@test "a copy on a spare token, and the yearly drill that restores from it" {
    make_ceremony copy root
    sed -i -e "/^tokens:/a\  spare: {profile: softhsm, uri: 'pkcs11:token=copy-issuing', serial: '$(serial_of_token copy-issuing)', pin: [Bob Example]}" \
        -e "s/{key: root, method: none}/{key: root, method: wrap, token: spare, copy: spare-root}/" copy/ceremony.yaml
    make_plan copy
    grep -q "Whoever knows the PIN can have this key wrapped out" copy/plan.txt
    not grep -q " NEVER_EXTRACTABLE" <(sed 's/not NEVER_EXTRACTABLE//' copy/plan.txt)
    ok run_ceremony copy 'PIN of the token root=75318642' 'PIN of the token spare=9753'
    says "was copied now"
    echo "$output" >copy/screen
    [ "$(wc -L <copy/screen)" -le 80 ]
    expect_proved copy
    says "0 made on tokens that say they never left; 0 used; 1 made that can leave theirs; 1 copied"

    mkdir -p drill
    printf 1357 >pin/drill
    signet token init --label copy-drill --so-pin file:pin/copy-root-so --pin file:pin/drill --profile softhsm >/dev/null
    cp copy/*.pub copy/*.key copy/signers copy/run/out/root.pem drill
    signet ceremony template restore-drill | sed -e "s/token=example-spare/token=copy-issuing/" \
        -e "s/token=example-drill/token=copy-drill/" -e "s/^begins: [0-9TZ:-]*/begins: $(date -u -d '1 hour ago' +%FT%TZ)/" \
        -e "s/0123456789abcdef/$(serial_of_token copy-issuing)/" \
        -e "s/fedcba9876543210/$(serial_of_token copy-drill)/" >drill/ceremony.yaml
    make_plan drill
    ok signet ceremony rehearse drill/plan.json -o drill/rehearsal --by-itself
    says "1 used; 0 made that can leave theirs; 1 copied"
    ok run_ceremony drill 'PIN of the token spare=9753' 'PIN of the token drill=1357' 'bag of the token example-spare=A1234591'
    says "was copied now" "Done: the key 'root-2027' is on its token no longer"
    expect_proved drill
    ok signet key list pkcs11:token=copy-drill --profile softhsm --pin file:pin/drill --json
    json length 0

    # A key that was not made to leave stays.
    sed -i "s/'pkcs11:token=copy-issuing', serial: '[^']*'/'pkcs11:token=copy-drill', serial: '$(serial_of_token copy-drill)'/" copy/ceremony.yaml
    sed -e "s/- make-key: .*/- use-key: {key: root, token: root, label: issuing-2027, certificate: issuing.pem}/" -e '/self-signed:/,$d' \
        -e "s/'pkcs11:token=copy-issuing'/'pkcs11:token=copy-drill'/" -e "s/token=copy-root/token=whole-issuing/" \
        -e "s/$(serial_of_token copy-root)/$(serial_of_token whole-issuing)/" copy/ceremony.yaml >drill/stays.yaml
    cp whole/run/out/issuing.pem drill
    signet ceremony plan drill/stays.yaml -o drill/stays.json >/dev/null
    DIGEST=$(sha256sum <drill/stays.json | cut -d ' ' -f 1)
    run play 'PIN of the token root=9753' 'PIN of the token spare=1357' -- "$SIGNET" ceremony run drill/stays.json -o drill/stays
    [ "$status" -eq 4 ]
    says "act 2" "was made so that it can't leave it"
}

# plainly: what differs from one ceremony to the next becomes the same.
plainly() {
    sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/([0-9a-f]{4} ){7}[0-9a-f]{4}/FINGERPRINT/g
        s/[0-9a-f]{16,}/HEX/g; s/token=(whole|example)-/token=T-/g; s/ +$//' "$@"
}

@test "every screen that docs/ceremony.md shows is one that was seen" {
    signet ceremony prove whole/bundle.tar --plan-digest "$DIGEST" --signers whole/signers >proof
    cat whole/plan.txt whole/screen copy/screen proof | plainly >seen
    plainly "$SIGNET_DATA/docs/ceremony.md" >told
    python3 - <<'EOT'
import re
seen = open("seen").read()
blocks = re.findall(r"^```text\n(.*?)^```", open("told").read(), re.MULTILINE | re.DOTALL)
assert len(blocks) >= 10, len(blocks)
for block in blocks:
    assert block in seen, "docs/ceremony.md shows what was not seen:\n" + block
EOT
}

@test "every act and key that docs/ceremony.md tells of is one that is read" {
    # A file with an unknown act, or an act with an unknown key, is told the known ones.
    printf 'acts: [{no-such-act: {}}]\n' | cat <(sed '/^acts:/,$d' whole/ceremony.yaml) - >whole/acts.yaml
    run signet ceremony plan whole/acts.yaml
    for act in $(sed -n 's/^| `\([a-z-]*\)` | `.*|.*|$/\1/p' "$SIGNET_DATA/docs/ceremony.md"); do
        [[ $output == *"$act"* ]] || fail "docs/ceremony.md has the act $act"
        printf 'acts: [{%s: {no_such_key: 1}}]\n' "$act" | cat <(sed '/^acts:/,$d' whole/ceremony.yaml) - >whole/keys.yaml
        known=$(signet ceremony plan whole/keys.yaml 2>&1 || true)
        [[ $known == *"unknown key 'no_such_key'"* ]]
        for key in $(sed -n "s/^| \`$act\` | \([^|]*\)|.*/\1/p" "$SIGNET_DATA/docs/ceremony.md" | grep -o '`[a-z_0-9]*' | tr -d '`'); do
            [[ $known == *"$key"* ]] || fail "docs/ceremony.md has $key in $act: $known"
        done
    done
    for act in make-key use-key self-signed certificate crl request backup hand-over change-pin destroy; do
        grep -q "^| \`$act\` |" "$SIGNET_DATA/docs/ceremony.md" || fail "docs/ceremony.md lacks $act"
    done
}

@test "ceremony-root: usage, and nothing is replaced" {
    ok "$SIGNET_DATA/tools/ceremony-root" --help
    says "usage: tools/ceremony-root [--twice] [--mirror URI] DIR"
    run "$SIGNET_DATA/tools/ceremony-root"
    [ "$status" -eq 2 ]
    command -v mmdebstrap >/dev/null || skip "mmdebstrap is missing"
    mkdir -p machine
    touch machine/ceremony-root.tar
    run "$SIGNET_DATA/tools/ceremony-root" machine
    [ "$status" -eq 1 ]
    says "exists, and stays"
}

@test "no network library is linked" {
    local libraries
    libraries=$(ldd "$SIGNET")
    for library in curl event ssl ldap nghttp gnutls xml2 resolv nss; do
        not grep -q "lib$library" <<<"$libraries"
    done
    # None of its own calls either, but for what OpenSSL offers and nobody here takes.
    nm -D --undefined-only "$SIGNET" >symbols
    not grep -wE "socket|connect|getaddrinfo|gethostbyname|BIO_new_connect|BIO_new_ssl_connect" symbols
}
