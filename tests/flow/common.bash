# common: what tests that run the command share. A test file loads it and calls
# `start_in_own_folder` in setup_file; everything it makes is in that folder.
#
# Given by the build: SIGNET, the program; SIGNET_DATA, the source folder with tokens/ and policies/;
# SIGNET_WRAP (fault suite only), the module that stands between Signet and SoftHSM.
bats_require_minimum_version 1.5.0

# How tokens are reached: an array, for `signet … "${token_module[@]}"`.
token_module=(--profile softhsm)
[ -z "${SIGNET_WRAP:-}" ] || token_module=(--module "$SIGNET_WRAP")

# How a home's token signs: an array, for `signet init`. SIGNET_TEST_SIGNER is engine or direct; without
# it the homes say nothing.
home_signer=()
[ -z "${SIGNET_TEST_SIGNER:-}" ] || home_signer=(--signer "$SIGNET_TEST_SIGNER")

# Where the homes' stores are: with SIGNET_TEST_POSTGRES (tests/postgres/private) each home has a database
# there; without it a file. ask_store and copy_home know the difference.

signet() {
    "$SIGNET" "$@"
}

# --- verdicts ------------------------------------------------------------------------------------

fail() {
    echo "$*" >&2
    return 1
}

# not COMMAND…: it does not succeed. (A plain `!` would not end a test.) What could not be run, or a grep
# that could not read, has said nothing about it.
not() {
    local ended=0
    "$@" || ended=$?
    [ "$ended" -ne 0 ] || fail "this should not be so: $*" || return
    [ "$ended" -lt 126 ] && [[ $1 != grep || $ended -eq 1 ]] || fail "exit status $ended: $*"
}

# expect_status N: the exit status of the last `run`.
expect_status() {
    [ "$status" -eq "$1" ] || fail "exit status $status instead of $1; it said: $output ${stderr:-}"
}

# expect_said TEXT…: the last `run` said each of them, on standard output or standard error.
expect_said() {
    local text
    for text in "$@"; do
        [[ "$output ${stderr:-}" == *"$text"* ]] || fail "it did not say '$text' but: $output ${stderr:-}" ||
            return
    done
}

# expect_equal WHAT WANTED FOUND
expect_equal() {
    [ "$2" = "$3" ] || fail "$1: $3 instead of $2"
}

# expect_absent PATH…: not there, and no half-written neighbour of that name either.
expect_absent() {
    local path left
    for path in "$@"; do
        left=$(find "$(dirname "$path")" -maxdepth 1 \
            \( -name "*$(basename "$path")*" -o -name '.signet-*' \) 2>/dev/null || true)
        [ -z "$left" ] || fail "there should be no $left" || return
    done
}

# --- tokens and homes ----------------------------------------------------------------------------

# start_in_own_folder: a folder for this test file, with an empty SoftHSM of its own; goes there.
start_in_own_folder() {
    cd "$BATS_FILE_TMPDIR" || return 1
    umask 077
    mkdir -p pin
    eval "$("$SIGNET_DATA/tokens/softhsm/setup" "$PWD")"
    export XDG_STATE_HOME=$PWD/state
    unset SIGNET_HOME
}

# make_token LABEL: a token; its PIN is in pin/LABEL.
make_token() {
    printf '%s' "$(openssl rand -hex 8)" >"pin/$1"
    printf '%s' "$(openssl rand -hex 8)" >"pin/$1-so"
    signet token init --label "$1" --so-pin "file:pin/$1-so" --pin "file:pin/$1" "${token_module[@]}"
}

# make_store NAME: sets home_store to what `signet init` needs for a home's store.
make_store() {
    home_store=()
    [ -z "${SIGNET_TEST_POSTGRES:-}" ] ||
        home_store=(--store "$("$SIGNET_TEST_SERVER" database "$(basename "$1")")")
}

# store_of HOME: where its store is.
store_of() {
    sed -n "s/^store: *['\"]\{0,1\}\([^'\"]*\).*/\1/p" "$1/signet.yaml"
}

# ask_store HOME SQL: what the store answers, values with | between them.
ask_store() {
    case $(store_of "$1") in
    sqlite:*) sqlite3 "$1/signet.db" "$2" ;;
    *) psql -X -q -A -t -v ON_ERROR_STOP=1 "$(store_of "$1")" -c "$2" ;;
    esac
}

# dump_store HOME: all that is in it, as lines of SQL.
dump_store() {
    case $(store_of "$1") in
    sqlite:*) sqlite3 "$1/signet.db" .dump ;;
    # what is around the rows is not the same each time
    *) pg_dump --data-only --rows-per-insert=1 "$(store_of "$1")" |
        sed -n -e 's/^INSERT INTO public\./INSERT INTO /' -e '/^INSERT INTO writer /d' -e '/^INSERT/p' ;;
    esac
}

# copy_home FROM TO: with a store of its own.
copy_home() {
    cp -r "$1" "$2"
    [ -n "${SIGNET_TEST_POSTGRES:-}" ] || return 0
    local database
    database=$("$SIGNET_TEST_SERVER" database "$(basename "$2")" "$(store_of "$1")")
    sed -i "s|^store: .*|store: $database|" "$2/signet.yaml"
}

# make_home NAME [INIT-OPTION…]: a token and a CA home of that name, its key made, no certificate yet.
make_home() {
    local name=$1
    shift
    make_token "$name"
    make_store "$name"
    signet init "$name" --ca "Test CA $name" --token "pkcs11:token=$name" --pin "file:../pin/$name" \
        --crl-url "http://pki.example.com/$name.crl" "${token_module[@]}" "${home_signer[@]}" \
        "${home_store[@]}" "$@"
    signet -C "$name" key create "$name" --type "${KEY_TYPE:-P-256}"
}

# make_root_home NAME [INIT-OPTION…]: the same, as a root; its certificate is also in NAME.pem.
make_root_home() {
    make_home "$@"
    signet -C "$1" issuer self-sign "$1" --subject "CN=Test CA $1,O=Example GmbH" -o "$1.pem"
}

# make_issuing_home NAME ROOT [INIT-OPTION…]: the same, certified by the home ROOT.
make_issuing_home() {
    local name=$1 root=$2
    shift 2
    make_home "$name" "$@"
    signet -C "$name" issuer csr "$name" --subject "CN=Test CA $name,O=Example GmbH" -o "$name.csr"
    signet -C "$root" issue -p issuing-ca -o "$name.pem" "$name.csr"
    signet -C "$name" issuer import "$name" "$name.pem" --chain "$root.pem"
}

# make_request FILE.csr CN: a request with a fresh P-256 key, which is not kept.
make_request() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null \
        -subj "/CN=$2" -out "$1" 2>/dev/null
}

# make_device HOME ID: a registered device, with a request in ID.csr.
make_device() {
    signet -C "$1" device add "$2" type=leo region=us-east
    make_request "$2.csr" "$2"
}

# count_certificates HOME [LIST-OPTION…]
count_certificates() {
    local home=$1
    shift
    signet -C "$home" list --json "$@" | jq length
}
