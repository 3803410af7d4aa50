# expect: what the tests of commands say about an outcome, and what they make by openssl. Loaded
# after common.bash.

# The module itself, for options that want a path.
softhsm_module=$(find /usr/lib /usr/local/lib -name libsofthsm2.so -print -quit 2>/dev/null)

complain() {
    printf '%s\n' "$*" "status: $status" "stdout: $output" "stderr: $stderr" >&2
    return 1
}

# ok COMMAND...: it succeeds; $output and $stderr are what it said.
ok() {
    run --separate-stderr "$@"
    [ "$status" -eq 0 ] || complain "this failed: $*"
}

# ends STATUS TEXT... -- COMMAND...: it ends with STATUS and says every TEXT on standard error.
ends() {
    local wanted=$1 texts=() text
    shift
    while [ "$1" != -- ]; do
        texts+=("$1")
        shift
    done
    shift
    run --separate-stderr "$@"
    [ "$status" -eq "$wanted" ] || complain "exit status $status, not $wanted: $*" || return
    for text in "${texts[@]}"; do
        [[ $stderr == *"$text"* ]] || complain "not said: $text" || return
    done
}

# fails STATUS TEXT... -- COMMAND...: the same; nothing is on standard output, and the message is
# one line.
fails() {
    ends "$@" || return
    [ -z "$output" ] || complain "standard output is not empty" || return
    [[ $stderr == "signet: "* && $stderr != *$'\n'* ]] || complain "not one line of signet's"
}

# says TEXT... / says_not TEXT...: about $output of the last command.
says() {
    local text
    for text in "$@"; do
        [[ $output == *"$text"* ]] || complain "not said: $text" || return
    done
}

says_not() {
    local text
    for text in "$@"; do
        [[ $output != *"$text"* ]] || complain "said: $text" || return
    done
}

# json FILTER VALUE: jq's answer over $output.
json() {
    local found
    found=$(jq -r "$1" <<<"$output") || complain "not JSON" || return
    [ "$found" = "$2" ] || complain "$1 is '$found', not '$2'"
}

# picture HOME: its files, and what its store holds.
picture() {
    (
        cd "$1"
        find . -type f ! -name 'signet.db*' ! -name refused-pins -exec sha256sum {} + | sort -k 2
        dump_store . | grep -v '^INSERT INTO \(counter\|issuer\|request_intent\) '
    )
}

# untouched HOME COMMAND...: COMMAND, which may be one of the above, leaves HOME as it was.
untouched() {
    local home=$1 before after
    shift
    before=$(picture "$home")
    "$@" || return
    after=$(picture "$home")
    [ "$before" = "$after" ] || complain "$home was changed: $(diff <(echo "$before") <(echo "$after"))"
}

# make_key_and_request FILE.csr SUBJECT [OPENSSL-OPTION...]: by a new P-256 key, which is in FILE.key.
make_key_and_request() {
    local file=$1 subject=$2
    shift 2
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "${file%.*}.key" \
        -subj "$subject" -out "$file" "$@" 2>/dev/null
}

# add_device HOME ID...
add_device() {
    local home=$1 id
    shift
    for id in "$@"; do
        signet -C "$home" device add "$id" type=leo region=us-east
    done
}

# make_policy HOME NAME [KEY=LINE...]: a policy for devices with a P-256 key; KEY=LINE replaces the
# line of that key, or adds it, or takes it away when LINE is empty.
make_policy() {
    local file=$1/policies/$2.yaml line key
    cat >"$file" <<EOT
policy: $2
description: For a test
who: {any: [operator]}
keys: [{ec: [P-256], key_usage: [digitalSignature]}]
subject: [{CN: '\${device.id}'}]
extended_key_usage: [clientAuth]
validity: {for: 30d, past_issuer: refuse}
EOT
    shift 2
    for line in "$@"; do
        key=${line%%=*}
        sed -i "/^$key:/d" "$file"
        [ -z "${line#*=}" ] || echo "$key: ${line#*=}" >>"$file"
    done
}

# take_weak_keys HOME: its policies for CAs take RSA-2048, whose keys are made ten times faster.
take_weak_keys() {
    sed -i 's/rsa: 3072/rsa: 2048/; /^examples/,$d' "$1/policies/root-ca.yaml" "$1/policies/issuing-ca.yaml"
}

# unprivileged PROGRAM...: without root's right to read and write everything.
unprivileged() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --bounding-set -dac_override,-dac_read_search "$@"
    else
        "$@"
    fi
}

# serial_of CERTIFICATE: as signet writes it.
serial_of() {
    openssl x509 -in "$1" -noout -serial | sed 's/^serial=//' | tr A-F a-f
}
