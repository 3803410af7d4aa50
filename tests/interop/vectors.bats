# vectors: every request in Debian's python3-cryptography-vectors, and the sample of an encyclopedia,
# gets the verdict of its row.
load ../flow/common
load ../flow/expect

TABLE=$BATS_TEST_DIRNAME/writers/vectors.table
VECTORS=/usr/lib/python3/dist-packages/cryptography_vectors/x509/requests

setup_file() {
    start_in_own_folder
    make_root_home ca
    make_policy ca vectors 'request={subject: ignore, san: ignore, extensions: ignore}' \
        'keys=[{ec: [P-256, P-384], key_usage: [digitalSignature]}, {rsa: 2048..4096, key_usage: [digitalSignature]}]'
    add_device ca device-AB12
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

need_vectors() {
    [ -d "$VECTORS" ] || skip "python3-cryptography-vectors is missing"
}

# rows: FILE|VERDICT|WHY
rows() {
    grep -v '^#' "$TABLE" | sed 's/ *| */|/g'
}

# gets FILE VERDICT: for one device, as several files are by the same key.
gets() {
    local file=$1 verdict=$2
    echo "$file should be: $verdict" # seen when it is not
    rm -f vector.pem
    if [ "$verdict" = accepted ]; then
        ok signet show "$file" &&
            ok signet -C ca issue -p vectors -d device-AB12 -o vector.pem "$file" &&
            openssl verify -x509_strict -purpose sslclient -CAfile ca.pem vector.pem
    else
        untouched ca fails 3 "refused: $verdict: " -- \
            signet -C ca issue -p vectors -d device-AB12 -o vector.pem "$file" && expect_absent vector.pem
    fi
}

@test "each request of the vectors gets its verdict" {
    need_vectors
    local file name verdict why num=0
    for file in "$VECTORS"/*.pem "$VECTORS"/*.der; do
        IFS='|' read -r name verdict why < <(rows | grep "^$(basename "$file")|" || true) || true
        [ -n "${why:-}" ] || fail "$(basename "$file") has no row in $(basename "$TABLE")"
        gets "$file" "$verdict"
        num=$((num + 1))
    done
    [ "$num" -ge 25 ]
}

@test "nothing else is in the vectors, and every row has its file" {
    need_vectors
    local name
    for name in "$VECTORS"/*; do
        [[ $name == *.pem || $name == *.der ]] || fail "$name is not looked at"
    done
    while IFS='|' read -r name _; do
        [ -e "$VECTORS/$name" ] || fail "there is no $name"
    done < <(rows)
}

@test "the sample of an encyclopedia is refused for its digest" {
    openssl req -in "$BATS_TEST_DIRNAME/writers/encyclopedia.csr" -noout -subject |
        grep -q 'CN *= *\*\.wikipedia\.org'
    gets "$BATS_TEST_DIRNAME/writers/encyclopedia.csr" "RFC 6151: MD5"
}

@test "the tables are not taken on trust: another verdict fails" {
    run gets "$BATS_TEST_DIRNAME/writers/encyclopedia.csr" accepted
    [ "$status" -ne 0 ]
    run gets "$BATS_TEST_DIRNAME/writers/encyclopedia.csr" "RFC 6150: MD4"
    [ "$status" -ne 0 ]
}
