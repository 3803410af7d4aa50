# signet provision: from a production line's requests to their certificates
load common
load expect

setup_file() {
    start_in_own_folder
    make_root_home root
    make_issuing_home ca root
    write_line_policy
    make_requests
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    out=out$BATS_TEST_NUMBER
}

# The line's own policy: the operator brings devices that no registry holds.
write_line_policy() {
    local line=('who={any: [operator], unknown_device: register}' 'unique=device')
    make_policy ca line "${line[@]}"
    make_policy ca typed "${line[@]}" \
        "extensions=[{oid: 1.3.6.1.4.1.32473.1.1, utf8: '\${device.type}'}]"
}

# csrs/device-LN01.csr to LN12.csr, and one more, other.csr, by another key for LN01.
make_requests() {
    local n
    mkdir csrs
    for n in 01 02 03 04 05 06 07 08 09 10 11 12; do
        make_request "csrs/device-LN$n.csr" "device-LN$n"
    done
    make_request other.csr device-LN01
}

# provision OPTION... INPUT OUTPUT, under the policy `line`.
provision() {
    signet -C ca provision -p line "$@"
}

# manifest_of DEVICE...: as JSON lines, each with the request in csrs/DEVICE.csr.
manifest_of() {
    local device
    for device in "$@"; do
        jq -nc --arg id "$device" --rawfile csr "csrs/$device.csr" '{id: $id, csr: $csr}'
    done
}

@test "a folder into a folder: each with its chain, and a report" {
    ok provision --report report.csv csrs "$out"
    [[ $stderr == *"12 requests in csrs"*"issuer ca ends at"*"token main: there"*"disk of the store"* ]]
    [[ $stderr == *"12 requests in"*"12 issued"* ]]
    [ "$(ls -A "$out" | wc -l)" -eq 12 ]
    openssl verify -x509_strict -purpose sslclient -CAfile root.pem -untrusted "$out/device-LN07.pem" \
        "$out/device-LN07.pem"
    [ "$(grep -c BEGIN "$out/device-LN07.pem")" -eq 2 ]
    [ "$(openssl x509 -in "$out/device-LN07.pem" -noout -pubkey)" = \
        "$(openssl req -in csrs/device-LN07.csr -noout -pubkey)" ]
    [ "$(wc -l <report.csv)" -eq 13 ]
    [ "$(sed -n 8p report.csv | tr -d '\r')" = \
        "7,\"device-LN07.csr\",\"device-LN07\",\"issued\",\"$(serial_of "$out/device-LN07.pem")\",\"\",\"\"" ]
    signet -C ca device list --json | jq -e 'map(.id) | index("device-LN12")' >/dev/null
}

@test "the same again hands out the same, and repairs what is missing or torn" {
    ok provision csrs "$out"
    [[ $stderr == *"12 already there"* ]]
    cp -r "$out" before
    rm "$out/device-LN03.pem"
    truncate -s 100 "$out/device-LN04.pem"
    head -c 700 /dev/zero >"$out/device-LN05.pem"
    echo half >"$out/.device-LN06.pem.tmp"
    ok provision csrs "$out"
    diff -r -x '.*' before "$out"
    [ "$(count_certificates ca --policy line)" -eq 12 ]
}

@test "a file that holds something else stays, and is named" {
    mkdir "$out"
    echo mine >"$out/device-LN02.pem"
    ends 1 "$out/device-LN02.pem holds something else" "--force" -- provision csrs "$out"
    [ "$(cat "$out/device-LN02.pem")" = mine ]
    ok provision --force csrs "$out"
    openssl x509 -in "$out/device-LN02.pem" -noout -subject | grep -q device-LN02
}

@test "another key for the same device is refused by name; --replace revokes the former" {
    mkdir again
    cp other.csr again/device-LN01.csr
    cp csrs/device-LN02.csr again
    old=$(signet -C ca list --json --device device-LN01 | jq -r '.[0].serial')
    ends 3 "1 of 2 requests were refused" -- provision --report replace.jsonl again "$out"
    output=$(cat replace.jsonl)
    json 'select(.number == 1) | .outcome, .device, .rule' $'refused\ndevice-LN01\npolicy line: unique'
    [[ $output == *"$old"* ]]
    [ "$(ls "$out")" = device-LN02.pem ]
    fails 2 "--reason" -- provision --replace again "$out"
    fails 2 "on hold" -- provision --replace --reason certificateHold again "$out"
    ok provision --replace --reason keyCompromise again "$out"
    ok signet -C ca list --json --device device-LN01
    json '[.[] | [.status, .reason]] | tojson' '[["revoked","keyCompromise"],["valid",null]]'
    # The same again replaces nothing.
    ok provision --replace --reason keyCompromise again "$out"
    [ "$(count_certificates ca --device device-LN01)" -eq 2 ]
}

@test "a CSV manifest: in line, by path, in quotes over several lines" {
    {
        echo "id,type,csr,csr_file"
        echo "device-LN02,leo,\"$(cat csrs/device-LN02.csr)\","
        echo "device-LN03,leo,$(openssl req -in csrs/device-LN03.csr -outform DER | base64 -w0),"
        echo "device-LN04,leo,,csrs/device-LN04.csr"
    } >typed.csv
    # The registry knows them by the CN alone: the manifest does not agree.
    ends 3 "3 of 3" -- signet -C ca provision -p typed --report typed.jsonl typed.csv "$out"
    output=$(head -1 typed.jsonl)
    json .rule "registry device.type"
    sed -i 's/^id,type,/id,region,/; s/leo//' typed.csv
    ok provision typed.csv "$out"
    [ "$(ls "$out" | tr '\n' ' ')" = "device-LN02.pem device-LN03.pem device-LN04.pem " ]
}

@test "a CSV manifest brings devices to the registry" {
    {
        echo "type,csr_file,id"
        for n in 1 2; do
            make_request "typed$n.csr" "device-TYP$n"
            echo "leo,typed$n.csr,device-TYP$n"
        done
    } >new.csv
    ok signet -C ca provision -p typed new.csv "$out"
    openssl x509 -in "$out/device-TYP1.pem" -noout -text | grep -q leo
    ok signet -C ca device list --json
    json '.[] | select(.id == "device-TYP2") | .type' leo
}

@test "a manifest with a broken line, a wrong request, a duplicate: each told, the others served" {
    {
        manifest_of device-LN02
        echo '{"id": "device-LN03", "csr": '
        jq -nc --rawfile csr csrs/device-LN04.csr '{id: "device-LN05", csr: $csr}'
        manifest_of device-LN06 device-LN02
        echo '{"id": "device-LN07"}'
        echo '{"id": "toaster", "csr_file": "csrs/device-LN08.csr"}'
        echo '{"id": "device-LN08", "csr_file": "csrs/none.csr"}'
        manifest_of device-LN09
    } >bad.jsonl
    ends 3 "6 of 9 requests were refused" -- provision --report bad-report.jsonl bad.jsonl "$out"
    [ "$(ls "$out" | tr '\n' ' ')" = "device-LN02.pem device-LN06.pem device-LN09.pem " ]
    output=$(jq -s . bad-report.jsonl)
    json '[.[].number] | tojson' '[1,2,3,4,5,6,7,8,9]'
    json '.[1] | .outcome, .input' $'refused\nbad.jsonl:2'
    says "bad.jsonl:2: not JSON at column"
    json '.[2].rule' "policy line: subject.CN"
    json '.[4] | .device, .rule, .message' \
        $'device-LN02\ntwice\ndevice device-LN02 is in this input twice: the first is on line 1'
    json '.[5].message' "neither csr (PEM or base64) nor csr_file (a path)"
    json '.[6].rule' "registry device.id"
    says "csrs/none.csr"
}

@test "a CSV whose header or end is wrong" {
    printf 'id,colour,csr\nx,red,y\n' >header.csv
    fails 1 "header.csv:1" "colour" -- provision header.csv "$out"
    printf 'csr\n' >noid.csv
    fails 1 "noid.csv:1" "does not name id" -- provision noid.csv "$out"
    : >empty.csv
    fails 1 "empty.csv is empty" -- provision empty.csv "$out"
    printf 'id,csr\ndevice-LN02,"abc\n' >quote.csv
    ends 3 "1 of 1" -- provision --report quote.jsonl quote.csv "$out"
    grep -q "never closed" quote.jsonl
}

@test "a tar into a tar" {
    tar cf line.tar --exclude device-LN01.csr csrs
    ok provision line.tar "$out.tar"
    [ "$(tar tf "$out.tar" | wc -l)" -eq 11 ]
    tar xOf "$out.tar" device-LN04.pem | openssl x509 -noout -subject | grep -q LN04
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall("python")' "$out.tar"
    ok provision line.tar "$out"
    diff -r python "$out"
    fails 1 "$out.tar exists" "--force" -- provision line.tar "$out.tar"
    ok provision --force line.tar "$out.tar"
}

@test "a tar in each format, with names of any length" {
    local long format
    long=$(printf 'n%.0s' {1..120})
    mkdir -p "deep/$long/$long"
    cp csrs/device-LN02.csr "deep/$long/$long/$long.csr"
    cp csrs/device-LN03.csr deep/short.csr
    cp csrs/device-LN04.csr deep/note.txt
    for format in gnu oldgnu posix; do
        tar cf "$format.tar" --format "$format" deep
    done
    python3 -c '
import tarfile
for name, format in ("python-gnu", tarfile.GNU_FORMAT), ("python-pax", tarfile.PAX_FORMAT):
    with tarfile.open(name + ".tar", "w", format=format) as tar:
        tar.add("deep")'
    for format in gnu oldgnu posix python-gnu python-pax; do
        ok provision --report formats.jsonl --force "$format.tar" "$out"
        [ "$(ls "$out" | tr '\n' ' ')" = "$long.pem short.pem " ]
        [ "$(jq -r .input formats.jsonl | sort | head -1)" = "deep/$long/$long/$long.csr" ]
    done
    for format in v7 ustar; do
        tar cf "$format.tar" --format "$format" deep/short.csr
        ok provision "$format.tar" "$out"
    done
    # A certificate's name is its request's, and a tar's header holds 100 bytes.
    ends 3 "1 of 2" -- provision --report formats.jsonl gnu.tar "$out.tar"
    grep -q "can't be a file's name" formats.jsonl
}

@test "a tar that loses nothing in silence: links, a cut, a second one behind it, compression" {
    mkdir links
    cp csrs/device-LN02.csr links/a.csr
    ln links/a.csr links/b.csr
    cp csrs/device-LN03.csr links/c.csr
    ln -s c.csr links/d.csr
    tar cf links.tar --sort name links
    ends 3 "2 of 4" -- provision --report links.jsonl links.tar "$out"
    [ "$(jq -r 'select(.outcome == "refused") | .input' links.jsonl | tr '\n' ' ')" = \
        "links/b.csr links/d.csr " ]
    grep -q -- "--hard-dereference" links.jsonl
    head -c 2000 line.tar >cut.tar
    fails 1 "cut.tar" "it is cut off" -- provision cut.tar "$out-cut.tar"
    cat line.tar line.tar >twice.tar
    fails 1 "something stands behind its end" -- provision twice.tar "$out-cut.tar"
    gzip <line.tar >line.tar.gz
    fails 2 "line.tar.gz is compressed: unpack it by gunzip" -- provision line.tar.gz "$out-cut.tar"
    tar cf bare.tar ca/signet.yaml
    fails 1 "bare.tar has no requests" -- provision bare.tar "$out-cut.tar"
    expect_absent "$out-cut.tar"
    mkdir -p two/a two/b
    cp csrs/device-LN02.csr two/a/x.csr
    cp csrs/device-LN03.csr two/b/x.csr
    tar cf two.tar two
    ends 3 "1 of 2" -- provision --report two.jsonl two.tar "$out-two"
    grep -q "output name x is in this input twice" two.jsonl
}

@test "a stream of JSON lines: one flushed answer for each request" {
    coproc LINE { "$SIGNET" -C ca provision -p line - - 2>stream.log; }
    pid=$LINE_PID
    exec 7>&"${LINE[1]}" 8<&"${LINE[0]}"
    eval "exec ${LINE[1]}>&-"
    for n in 10 11; do
        manifest_of "device-LN$n" >&7
        read -r -t 60 output <&8
        json '.device, (.certificate != null)' "device-LN$n"$'\ntrue'
    done
    echo '{"id": "device-LN12"}' >&7
    read -r -t 60 output <&8
    json .outcome refused
    exec 7>&-
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 3 ]
    grep -q "3 requests in" stream.log
}

@test "without a terminal: a line every five seconds" {
    {
        cat csrs/device-LN02.csr
        sleep 5.5
        cat csrs/device-LN03.csr
    } | "$SIGNET" -C ca provision -p line - "$out" 2>plain.log
    grep -qE '^2 done, 0 refused, [0-9]+/s$' plain.log
    not grep -q $'\r' plain.log
}

@test "a stream of PEM" {
    cat csrs/device-LN0[2-4].csr >stream.pem
    ok bash -c '"$SIGNET" -C ca provision -p line - - <stream.pem'
    [ "$(wc -l <<<"$output")" -eq 3 ]
    [ "$(jq -r .device <<<"$output" | tr '\n' ' ')" = "device-LN02 device-LN03 device-LN04 " ]
    [ "$(jq -r .input <<<"$output" | head -1)" = "standard input:1" ]
    jq -r .chain <<<"$output" | head -20 | openssl x509 -noout -subject | grep -q "Test CA ca"
    ends 3 "1 of 1" -- bash -c 'echo rubbish | "$SIGNET" -C ca provision -p line - -'
    [[ $output == *"neither PEM nor a JSON object"* ]]
}

@test "--dry-run checks and writes nothing, --limit takes the first" {
    mkdir fresh
    make_request fresh/device-DRY1.csr device-DRY1
    make_request fresh/device-DRY2.csr toaster
    untouched ca ends 3 "1 of 2" -- provision --dry-run --report dry.jsonl fresh
    output=$(jq -s . dry.jsonl)
    json '[.[].outcome] | join(", ")' "would be issued, refused"
    fails 2 "no output" -- provision --dry-run fresh "$out"
    fails 2 "where the certificates go" -- provision fresh
    ok provision --limit 1 --json fresh "$out"
    json '[.requests, .issued] | tojson' '[1,1]'
    [ "$(ls "$out")" = device-DRY1.pem ]
}

@test "a report is replaced by the next, another file is not" {
    echo mine >mine.csv
    fails 1 "mine.csv exists" -- provision --limit 1 --report mine.csv fresh "$out"
    ok provision --limit 1 --report r.csv fresh "$out"
    ok provision --limit 1 --report r.csv fresh "$out"
    fails 2 ".csv or a .jsonl" -- provision --limit 1 --report r.txt fresh "$out"
}

@test "who asks: a folder needs somebody who vouches" {
    fails 2 "--device-from-cn" -- signet -C ca provision -p device-mtls csrs "$out"
    expect_absent "$out"
    make_device ca device-MTLS1
    mkdir mtls
    mv device-MTLS1.csr mtls
    ok signet -C ca provision -p device-mtls --device-from-cn mtls "$out"
    make_policy ca many
    fails 2 "--replace has no meaning" -- \
        signet -C ca provision -p many --device-from-cn --replace --reason superseded mtls "$out-2"
}

@test "inputs that are none" {
    fails 1 "nothing-there" -- provision nothing-there "$out"
    fails 2 "an input is a folder" -- provision ca/signet.yaml "$out"
    mkdir -p bare
    fails 1 "bare has no requests" -- provision bare "$out"
    fails 2 "--limit x" -- provision --limit x csrs "$out"
    fails 2 "--max-refused 101" -- provision --max-refused 101 csrs "$out"
}

@test "an issuer that ends before its certificates would" {
    make_policy ca long 'validity={for: 9y, past_issuer: refuse}'
    make_policy ca longer 'validity={for: 11y, past_issuer: refuse}'
    ends 3 "before what policy longer would issue" -- \
        signet -C ca provision -p longer --device-from-cn csrs "$out"
    ok signet -C ca provision -p long --device-from-cn --dry-run csrs
    [[ $stderr == *"policy long issues under it until"* ]]
}

@test "more refusals than a line in order makes stop the run" {
    for n in $(seq 1 130); do echo "{\"id\": \"device-R$n\"}"; done >refused.jsonl
    ends 1 "max-refused" "more than 10 of a hundred" "run the same again" -- provision refused.jsonl "$out"
    ends 3 "130 of 130" -- provision --max-refused 100 refused.jsonl "$out"
}

@test "two runs into one folder" {
    mkfifo hold
    mkdir -p "$out"
    "$SIGNET" -C ca provision -p line - "$out" <hold 2>hold.log &
    first=$!
    exec 6>hold
    until grep -q "disk of the output" hold.log; do sleep 0.1; done
    fails 1 "another run is writing" -- provision csrs "$out"
    exec 6>&-
    wait "$first"
}

@test "^C finishes what is under way, and the same again goes on" {
    mkfifo pipe
    "$SIGNET" -C ca provision -p line --report int.jsonl - "$out" <pipe 2>int.log &
    process=$!
    exec 6>pipe
    manifest_of device-LN02 device-LN03 >&6
    until [ -e "$out/device-LN03.pem" ]; do sleep 0.1; done
    kill -INT "$process"
    status=0
    wait "$process" || status=$?
    exec 6>&-
    [ "$status" -eq 1 ]
    grep -q "interrupted after 2 requests.*run the same again" int.log
    [ "$(wc -l <int.jsonl)" -eq 2 ]
    manifest_of device-LN02 device-LN03 device-LN04 >int-in.jsonl
    ok provision --report int.jsonl int-in.jsonl "$out"
    [ "$(ls "$out" | wc -l)" -eq 3 ]
}

@test "a quota is told before the run, and ends it where it has to" {
    make_policy ca few 'who={any: [operator], unknown_device: register}' 'quota={certificates: 3, per: policy}'
    mkdir four
    for n in 1 2 3 4; do make_request "four/device-QT0$n.csr" "device-QT0$n"; done
    says_check() { ok signet -C ca check -p few --device-from-cn four/device-QT04.csr; says "$1"; }
    says_check "3 of 3 are left"
    ends 3 "warning: quota of policy few: 3 of 3 certificates left" "3 issued, 1 refused" -- \
        signet -C ca provision -p few --jobs 1 --report few.jsonl four "$out"
    [ "$(jq -r 'select(.outcome == "refused").rule' few.jsonl)" = "policy few: quota" ]
    # what was issued is there again
    ends 3 "0 of 3 certificates left" "3 already there, 1 refused" -- \
        signet -C ca provision -p few four "$out"
    ends 3 "" -- signet -C ca check -p few --device-from-cn four/device-QT04.csr
    says "REFUSE  quota" "good for 3 certificates, and so many have been claimed"
    ok signet -C ca check -p few --device-from-cn four/device-QT01.csr
    says "pass    quota                none is left, and none is taken"
}

@test "^C before it begins ends at once" {
    mkfifo nobody.jsonl
    "$SIGNET" -C ca provision -p line nobody.jsonl "$out" 2>nobody.log &
    process=$!
    # A shell's background processes ignore ^C, until they are programs that wait for it.
    until [ "$(cat "/proc/$process/comm")" = signet ] &&
        ((0x$(sed -n 's/^SigBlk:\t//p' "/proc/$process/status") & 2)); do sleep 0.1; done
    kill -INT "$process"
    status=0
    wait "$process" || status=$?
    [ "$status" -eq 130 ]
    expect_absent "$out"
}

@test "signet revoke --devices: returns, one a line" {
    printf 'device-LN02\r\n\n device-LN03 \n' >returns.txt
    ok signet -C ca revoke --devices returns.txt --reason cessationOfOperation
    for n in 02 03; do
        ok signet -C ca list --json --device "device-LN$n" --status revoked
        json '[.[].reason] | unique | tojson' '["cessationOfOperation"]'
        [ "$(count_certificates ca --device "device-LN$n" --status valid)" -eq 0 ]
    done
    ok signet -C ca revoke --devices returns.txt --json
    json '[.revoked, .revoked_before, .without_certificate] | tojson' '[0,2,0]'
    printf 'device-NONE\ndevice-LN04' >returns.txt
    ends 3 "device-NONE has no certificate" "1 of 2 devices" -- \
        signet -C ca revoke --devices returns.txt
    [ "$(count_certificates ca --device device-LN04 --status valid)" -eq 0 ]
    printf 'device-LN05\nde\033vice\n' >returns.txt
    untouched ca fails 1 "returns.txt:2" -- signet -C ca revoke --devices returns.txt
    : >returns.txt
    fails 1 "names no device" -- signet -C ca revoke --devices returns.txt
    fails 2 "say which" -- signet -C ca revoke --devices returns.txt --device device-LN05
}

# make_statement_key NAME: a key on the CA's token that may sign statements; its certificate is NAME.pem.
make_statement_key() {
    signet key create "pkcs11:token=ca;object=$1" "${token_module[@]}" --pin file:pin/ca --type P-256
    signet csr --key "pkcs11:token=ca;object=$1" "${token_module[@]}" --pin file:pin/ca \
        --subject "CN=Line 4,O=Example GmbH" -o "$1.csr"
    signet -C ca issue -p line-statement -o "$1.pem" "$1.csr"
}

# state OPTION... OUTPUT: provisions csrs with a statement, line.statement.
state() {
    provision --statement line.statement --statement-key pkcs11:object=line4 \
        --statement-certificate line4.pem "$@"
}

verify() {
    signet line verify --ca root.pem "$@"
}

@test "a statement: signed by its own key, and a folder that agrees with it" {
    make_statement_key line4
    mkdir batch
    for n in 1 2 3 4 5; do make_request "batch/device-BATCH$n.csr" "device-BATCH$n"; done
    ok state batch "$out"
    ln -s "$out" batch-out
    ok verify line.statement batch-out
    json .certificates 5
    json .policy line
    json .first_serial "$(serial_of batch-out/device-BATCH1.pem)"
    json .last_serial "$(serial_of batch-out/device-BATCH5.pem)"
    # Somebody else's program reads it, too.
    openssl cms -verify -inform PEM -in line.statement -CAfile root.pem -purpose any -out said.json
    jq -e '.certificates == 5' said.json
    leaf=$({ printf '\0'; openssl x509 -in batch-out/device-BATCH3.pem -outform DER; } | sha256sum | cut -c 1-64)
    grep -qx "$leaf device-BATCH3.pem" line.statement
    # Those that were there before are in the next statement as well.
    fails 1 "line.statement exists" -- state batch "$out-again"
    ok state --force batch "$out-again"
    ok verify line.statement "$out-again" --json
    json '.statement.certificates, (.faults | length)' $'5\n0'
}

@test "a folder that does not agree: each certificate named" {
    cp -rL batch-out "$out"
    rm "$out/device-BATCH2.pem"
    cp "$out/device-BATCH3.pem" "$out/device-BATCH4.pem"
    cp "$out/device-BATCH3.pem" "$out/stray.pem"
    echo rubbish >"$out/device-BATCH5.pem"
    ends 3 "of 5 certificates 1 are missing and 2 changed; 1 are there" -- verify line.statement "$out"
    says "missing  device-BATCH2.pem" "changed  device-BATCH4.pem" "changed  device-BATCH5.pem" "extra  stray.pem"
    says_not "device-BATCH1" "device-BATCH3.pem"
    run --separate-stderr verify --json line.statement "$out"
    [ "$status" -eq 3 ]
    json '[.faults[].fault] | sort | join(" ")' "changed changed extra missing"
}

@test "a statement that was changed, or that another key signed" {
    sed '2d' line.statement >shorter
    fails 3 "its list is not the one that was signed" -- verify shorter batch-out
    sed '1s/^./x/' line.statement >odd
    fails 3 "not a hash" -- verify odd batch-out
    sed '1{h;d};2{G}' line.statement >swapped
    fails 3 "its list is not" -- verify swapped batch-out
    sed '/BEGIN CMS/,$d' line.statement >unsigned
    fails 3 "no signature" -- verify unsigned batch-out
    sed '/BEGIN CMS/{n;s/M/N/}' line.statement >damaged
    fails 3 "damaged" -- verify damaged batch-out
    make_root_home stranger
    fails 3 "the signature does not hold" -- signet line verify --ca stranger.pem line.statement batch-out
    # A device's key under the same root signs no statement.
    make_key_and_request forger.csr /CN=device-FORGER
    ok provision --limit 1 - forged <forger.csr
    sed '/BEGIN CMS/,$d' line.statement >forged.statement
    sed '1,/END/d' forged/device-FORGER.pem >forger-chain.pem
    openssl cms -sign -binary -nodetach -in said.json -signer forged/device-FORGER.pem -inkey forger.key \
        -certfile forger-chain.pem -outform PEM >>forged.statement
    fails 3 "documentSigning" -- verify forged.statement batch-out
}

@test "who may sign a statement" {
    fails 2 "belong together" -- provision --statement new.statement batch "$out"
    fails 3 "documentSigning" -- provision --statement new.statement --statement-key pkcs11:object=line4 \
        --statement-certificate batch-out/device-BATCH1.pem batch "$out"
    make_statement_key line5
    fails 2 "line5.pem is not the certificate of pkcs11:object=line4" -- provision --statement new.statement \
        --statement-key pkcs11:object=line4 --statement-certificate line5.pem batch "$out"
    fails 2 "dry run" -- state --dry-run batch
    expect_absent new.statement "$out"
}

# make_transport NAME USAGE GENPKEY-OPTION...: somebody to encrypt keys to, NAME.pem and NAME.key.
make_transport() {
    local name=$1 usage=$2
    shift 2
    openssl req -x509 -newkey "$@" -nodes -keyout "$name.key" -subj "/CN=Line 4" -days 30 \
        -addext "keyUsage=critical,$usage" -out "$name.pem" 2>/dev/null
}

# open_key NAME FILE.key: the private key in it, on standard output.
open_key() {
    openssl cms -decrypt -inform PEM -in "$2" -recip "$1.pem" -inkey "$1.key"
}

@test "keys for devices that can't make their own: encrypted, and kept before they are certified" {
    make_transport bench keyEncipherment rsa:2048
    make_transport curve keyAgreement ec -pkeyopt ec_paramgen_curve:P-256
    {
        echo "id,csr_file"
        echo "device-KEY1,"
        echo "device-KEY2,"
        echo "device-LN02,csrs/device-LN02.csr"
    } >keyless.csv
    ends 3 "2 of 3" -- provision --report keyless.jsonl keyless.csv "$out-none"
    grep -q "neither csr" keyless.jsonl
    before=$(signet key list pkcs11:token=ca "${token_module[@]}" --pin file:pin/ca --json | jq length)
    ok provision --keys-on main --transport-certificate bench.pem keyless.csv "$out"
    [ "$(ls "$out" | tr '\n' ' ')" = \
        "device-KEY1.key device-KEY1.pem device-KEY2.key device-KEY2.pem device-LN02.pem " ]
    for n in 1 2; do
        [ "$(stat -c %a "$out/device-KEY$n.key")" = 600 ]
        not grep -q "PRIVATE KEY" "$out/device-KEY$n.key"
        [ "$(open_key bench "$out/device-KEY$n.key" | openssl pkey -pubout)" = \
            "$(openssl x509 -in "$out/device-KEY$n.pem" -noout -pubkey)" ]
        openssl x509 -in "$out/device-KEY$n.pem" -noout -text | grep -q "NIST CURVE: P-256"
    done
    openssl cms -cmsout -print -inform PEM -in "$out/device-KEY1.key" >printed
    grep -q rsaesOaep printed
    grep -q aes-256-cbc printed
    run open_key curve "$out/device-KEY1.key"
    [ "$status" -ne 0 ]
    # The token has kept nothing.
    [ "$(signet key list pkcs11:token=ca "${token_module[@]}" --pin file:pin/ca --json | jq length)" -eq "$before" ]
    # To a key on a curve, too.
    echo "id" >curve.csv
    echo "device-KEY3" >>curve.csv
    ok provision --keys-on main --transport-certificate curve.pem curve.csv "$out"
    [ "$(open_key curve "$out/device-KEY3.key" | openssl pkey -pubout)" = \
        "$(openssl x509 -in "$out/device-KEY3.pem" -noout -pubkey)" ]
    # The same again: the same keys, and the same certificates.
    cp -r "$out" keyless-before
    rm "$out/device-KEY1.pem"
    ok provision --keys-on main --transport-certificate curve.pem keyless.csv "$out"
    diff -r keyless-before "$out"
    says_not "issued"
}

@test "keys on a token: what does not go" {
    make_transport sealer digitalSignature rsa:2048
    make_transport weak keyEncipherment rsa:1024
    make_transport edwards digitalSignature ed25519
    keys_to() { provision --keys-on main --transport-certificate "$@"; }
    fails 2 "belong together" -- provision --keys-on main keyless.csv "$out"
    fails 2 "a folder as the output" -- keys_to bench.pem keyless.csv "$out.tar"
    fails 2 "a dry run makes no keys" -- keys_to bench.pem --dry-run keyless.csv
    fails 3 "sealer.pem" "keyEncipherment" -- keys_to sealer.pem keyless.csv "$out"
    fails 3 "too weak" -- keys_to weak.pem keyless.csv "$out"
    fails 3 "an RSA or EC key" -- keys_to edwards.pem keyless.csv "$out"
    fails 1 "none.pem" -- keys_to none.pem keyless.csv "$out"
    expect_absent "$out" "$out.tar"
    fails 2 "nowhere" -- provision --keys-on nowhere --transport-certificate bench.pem keyless.csv "$out"
    # A policy that does not take such keys, and a file that is none.
    make_policy ca strong 'who={any: [operator], unknown_device: register}' \
        'keys=[{ec: [P-384], key_usage: [digitalSignature]}]'
    ends 3 "1 of 1" -- signet -C ca provision -p strong --keys-on main \
        --transport-certificate bench.pem --report strong.jsonl curve.csv "$out"
    grep -q "policy strong: keys" strong.jsonl
    [ -z "$(ls "$out")" ]
    echo mine >"$out/device-KEY3.key"
    ends 3 "1 of 1" -- keys_to bench.pem --report strong.jsonl curve.csv "$out"
    grep -q "is no key that a run has kept" strong.jsonl
    [ "$(cat "$out/device-KEY3.key")" = mine ]
}
