# zlint: its lints of RFCs find no error in a certificate of any shipped policy, nor in the CRLs, nor in
# what ceremonies sign.
# Every request that a policy's examples accept is issued: roots certify themselves, CAs are certified
# by the roots, everything else by whichever CA its policy takes.
load ../flow/common
load ../flow/expect

POLICIES=$SIGNET_DATA/policies

setup_file() {
    start_in_own_folder
    if ! ZLINT=$("$SIGNET_DATA/tools/zlint" "$SIGNET_BUILD/zlint" 2>missing) || ! find_yaml 2>missing; then
        return 0
    fi
    rm missing
    export ZLINT
    "$python" "$BATS_TEST_DIRNAME/accepted_examples.py" "$POLICIES" examples >examples
    "$python" "$BATS_TEST_DIRNAME/accepted_examples.py" "$POLICIES" registry >registry
    "$ZLINT" -list-lints-json | jq -s '[.[] | select(.source | startswith("RFC")) | .name]' >lints
    mkdir certificates crls
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e missing ] || skip "$(cat missing)"
}

find_yaml() {
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import yaml' 2>/dev/null; then
            return 0
        fi
    done
    fail "python3-yaml is missing"
}

# rows KIND: the examples' lines for roots, CAs or leaves.
rows() {
    awk -F '\t' -v kind="$1" '$2 == kind' examples
}

# open_home NAME REQUEST: its token and a key of the request's kind, a registry that lets everybody in,
# and URLs for all that can be published.
open_home() {
    KEY_TYPE=$(signet show --json "$2" | jq -r .key) make_home "$1" --ocsp-url http://pki.example.com/ocsp \
        --ca-issuers-url "http://pki.example.com/$1.cer" >/dev/null
    sed -i '/^registry:/,$d' "$1/signet.yaml"
    cat registry >>"$1/signet.yaml"
}

# subject_of REQUEST: as signet's options take it.
subject_of() {
    signet show --json "$1" | jq -r .subject
}

# issue HOME OUTPUT POLICY KIND CSR HOLDER [ID [NAME=VALUE…]]: by a copy of the home, as one key may
# be for several holders in the examples.
issue() {
    local home=$1 output=$2 policy=$3 csr=$5 holder=$6
    shift 6
    rm -rf copy
    cp -a "$home" copy
    case $holder in
    -) set -- ;;
    *) signet -C copy "$holder" add "$@" && set -- "--$holder" "$1" ;;
    esac
    signet -C copy issue -p "$policy" -o "$output" "$@" "$POLICIES/$csr"
}

# name_of POLICY CSR: of the certificate's file.
name_of() {
    echo "certificates/$1-$(basename "$2" .csr).pem"
}

@test "roots certify themselves" {
    local policy kind csr rest
    while IFS=$'\t' read -r policy kind csr rest <&9; do
        [ ! -d "root-$policy" ] || continue
        open_home "root-$policy" "$POLICIES/$csr"
        signet -C "root-$policy" issuer self-sign "root-$policy" --policy "$policy" \
            --subject "$(subject_of "$POLICIES/$csr")" -o "$(name_of "$policy" "$csr")"
    done 9< <(rows root)
    [ "$(ls -d root-* | wc -l)" -ge 1 ]
}

# certify_own POLICY CSR ROOT: a home whose issuer has the name of the example's request.
certify_own() {
    local home=issuing-$1
    [ ! -d "$home" ] || return 0
    open_home "$home" "$POLICIES/$2"
    signet -C "$home" issuer csr "$home" --subject "$(subject_of "$POLICIES/$2")" -o own.csr --force
    signet -C "$3" issue -p "$1" -o own.pem --force own.csr
    signet -C "$home" issuer import "$home" own.pem --chain "$(ls certificates/"${3#root-}"-*.pem | head -n 1)"
}

# by_any OUTPUT FIELD… -- HOME…: $issuer is the home that issued.
by_any() {
    local output=$1 fields=()
    shift
    while [ "$1" != -- ]; do
        fields+=("$1")
        shift
    done
    shift
    for issuer in "$@"; do
        if issue "$issuer" "$output" "${fields[@]}" >>said 2>&1; then
            return 0
        fi
    done
    fail "${fields[*]}: no CA issues it: $(cat said)"
}

@test "roots certify CAs" {
    local fields
    while IFS=$'\t' read -ra fields <&9; do
        : >said
        by_any "$(name_of "${fields[0]}" "${fields[2]}")" "${fields[@]}" -- root-*
        certify_own "${fields[0]}" "${fields[2]}" "$issuer"
    done 9< <(rows ca)
    [ "$(ls -d issuing-* | wc -l)" -ge 1 ]
}

@test "CAs certify all the others" {
    local fields
    while IFS=$'\t' read -ra fields <&9; do
        : >said
        by_any "$(name_of "${fields[0]}" "${fields[2]}")" "${fields[@]}" -- issuing-*
    done 9< <(rows leaf)
}

@test "there is a certificate of every policy" {
    local policy
    for policy in "$POLICIES"/*.yaml; do
        ls certificates/"$(basename "$policy" .yaml)"-*.pem
    done
}

@test "every CA makes a CRL without entries, and one with" {
    local home reason
    for home in root-* issuing-*; do
        signet -C "$home" crl -o "crls/$home-empty.pem"
        sed "/^examples/,\$d; s/^policy: .*/policy: brief/" "$POLICIES/ocsp-responder.yaml" >"$home/policies/brief.yaml"
        for reason in unspecified keyCompromise certificateHold; do
            make_request revoked.csr "$reason"
            signet -C "$home" issue -p brief -o revoked.pem --force revoked.csr
            signet -C "$home" revoke revoked.pem --reason $reason
        done
        signet -C "$home" crl -o "crls/$home-full.pem"
    done
}

# found FILE: the errors that lints of RFCs find, as a JSON object. They are picked out here, as zlint's
# own options leave out some of them, and do nothing for CRLs.
found() {
    "$ZLINT" "$1" | jq -c --slurpfile lints lints '
        with_entries(select(.key | IN($lints[0][]))) |
        if length == 0 then error("nothing was looked at") else
            with_entries(select(.value.result | IN("pass", "NA", "NE", "info", "warn") | not)) end'
}

# excepted POLICY: the lints that zlint.exceptions leaves out for it.
excepted() {
    sed -n "s/^$1  *\([a-z_]*\)  *[^ ].*/\1/p" "$BATS_TEST_DIRNAME/zlint.exceptions" | jq -nR '[inputs]'
}

@test "zlint finds no error in the certificates" {
    local policy file num=0
    for policy in $(cut -f 1 examples | sort -u); do
        for file in $(awk -F '\t' -v policy="$policy" '$1 == policy {print $3}' examples); do
            file=$(name_of "$policy" "$file")
            # A self-signed policy has one certificate, whatever the number of its examples.
            [ -e "$file" ] || [ -d "root-$policy" ]
            [ ! -e "$file" ] || found "$file" >errors
            jq -ce --argjson excepted "$(excepted "$policy")" 'del(.[$excepted[]]) == {}' errors ||
                fail "$file: $(cat errors)"
            num=$((num + 1))
        done
    done
    [ "$num" -ge 8 ]
}

@test "every exception is needed" {
    local policy lint
    while read -r policy lint _; do
        [ -e "$POLICIES/$policy.yaml" ] || continue
        for file in certificates/"$policy"-*.pem; do
            found "$file"
        done | grep -q "\"$lint\"" || fail "$policy is without $lint"
    done < <(grep -v '^#' "$BATS_TEST_DIRNAME/zlint.exceptions")
}

@test "zlint finds no error in the CRLs" {
    local file
    for file in crls/*.pem; do
        expect_equal "$file" "{}" "$(found "$file")"
    done
    [ "$(ls crls | wc -l)" -ge 4 ]
}

# write_ceremony TEMPLATE: ceremony.yaml of it, with its persons' keys beside it.
write_ceremony() {
    for person in ada dora; do
        openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkey -pubout -out $person.pub
    done
    signet ceremony template "$1" >ceremony.yaml
}

# hold TEMPLATE DIR: its rehearsal in DIR, which signs what the run would.
hold() {
    write_ceremony "$1"
    signet ceremony plan ceremony.yaml -o "$2.json" >/dev/null
    signet ceremony rehearse "$2.json" -o "$2" --by-itself >/dev/null
}

# expect_clean FOLDER: zlint finds nothing in its certificates and CRLs.
expect_clean() {
    local file
    for file in "$1"/*; do
        case $file in
        *.crl) openssl crl -inform DER -in "$file" -out linted.pem ;;
        *) cp "$file" linted.pem ;;
        esac
        expect_equal "$file" "{}" "$(found linted.pem)"
    done
}

@test "zlint finds no error in what ceremonies sign" {
    mkdir held
    cd held
    hold root-and-issuing first
    cp first/out/root.pem root.pem
    cp first/out/issuing.pem old-issuing.pem
    hold yearly second
    [ "$(ls first/out/*.pem | wc -l)" -eq 2 ]
    [ "$(ls first/out/*.crl second/out/*.crl | wc -l)" -eq 8 ]
    openssl crl -inform DER -in second/out/root-50.crl -noout -text | grep -q "Superseded"
    cp ../lints .
    expect_clean first/out
    expect_clean second/out
}

@test "zlint would find one" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x -days 1 \
        -addext keyUsage=keyCertSign -addext basicConstraints=CA:FALSE -out wrong.pem 2>/dev/null
    run found wrong.pem
    [[ $output == *error* ]]
}
