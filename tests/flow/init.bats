# signet init
load common
load expect

setup_file() {
    start_in_own_folder
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

SOFT=(--profile softhsm --pin file:pin --token pkcs11:token=example)

@test "init makes a home without touching a token, and says what is next" {
    ok signet init ca "${SOFT[@]}"
    says "ca/signet.yaml" "ca/policies" "signet -C ca key create ca"
    [ -d tokens ] && [ -z "$(ls -A tokens)" ]
    [ -s ca/signet.yaml ] && [ -s ca/signet.db ]
    for policy in root-ca issuing-ca device-mtls ocsp-responder; do
        [ -s "ca/policies/$policy.yaml" ]
    done
}

@test "init tells where the PIN is read, and notes what is not there yet" {
    ok signet init early "${SOFT[@]}"
    says "Its PIN is read from early/pin."
    [[ $stderr == *"note: there is no PIN file early/pin yet"*"begins in early"* ]]
    [[ $stderr == *"note: the token can't be used yet: "*example* ]]
    make_token present
    ok signet init ready --profile softhsm --token pkcs11:token=present --pin file:../pin/present
    says "Its PIN is read from ready/../pin/present."
    [ -z "$stderr" ]
    ok signet -C ready key create ready
    ok signet init absolute --profile softhsm --token pkcs11:token=present --pin "file:$PWD/pin/none"
    [[ $stderr == "signet: note: there is no PIN file $PWD/pin/none yet"* ]]
    ok signet init asking --profile softhsm --token pkcs11:token=present
    says_not "PIN"
    [ -z "$stderr" ]
    ok signet init elsewhere --module /no/such/module.so --token pkcs11:token=present --pin env:PIN
    [[ $stderr == "signet: note: the token can't be used yet: "*"/no/such/module.so"* ]]
}

@test "a new home is a good one: its configuration loads and its policies' examples hold" {
    ok signet init good "${SOFT[@]}"
    ok signet -C good policy test
    says "0 not as expected"
    ok signet -C good issuer list
    says "good" "active" "no certificate yet"
    ok signet -C good list
    [ -z "$output" ]
    [[ $stderr == "no certificates" ]]
}

@test "init writes what the options say" {
    ok signet init full --ca "Example Device CA" --issuer issuing-2026 --signature ecdsa-sha384 \
        --crl-url http://pki.example.com/a.crl --ocsp-url http://pki.example.com/ocsp \
        --ca-issuers-url http://pki.example.com/a.cer --token pkcs11:token=example \
        --module "$softhsm_module" --pin env:CA_PIN
    grep -q "Example Device CA" full/signet.yaml
    grep -q "ecdsa-sha384" full/signet.yaml
    for url in a.crl ocsp a.cer; do
        grep -q "http://pki.example.com/$url" full/signet.yaml
    done
    grep -q "$softhsm_module" full/signet.yaml
    ok signet -C full issuer list
    says "issuing-2026"
}

@test "init --json tells the home and the issuer" {
    ok signet init 'a "quoted" home' --issuer one "${SOFT[@]}" --json
    json .home 'a "quoted" home'
    json .issuer one
}

@test "an empty folder can become a home" {
    mkdir empty
    ok signet init empty "${SOFT[@]}"
    [ -s empty/signet.yaml ]
}

@test "a folder that holds something is left alone" {
    mkdir taken
    echo mine >taken/file
    fails 1 "taken" -- signet init taken "${SOFT[@]}"
    [ "$(ls -A taken)" = file ]
    ok signet init twice "${SOFT[@]}"
    untouched twice fails 1 "twice" -- signet init twice "${SOFT[@]}"
}

@test "init says what is missing or wrong, and makes nothing" {
    fails 2 "--token" -- signet init new --profile softhsm
    fails 2 "--profile NAME or --module PATH" -- signet init new --token pkcs11:token=x
    fails 2 "no signature scheme" "ecdsa-sha256" -- signet init new "${SOFT[@]}" --signature md5
    fails 2 "PIN does not belong into a URI" -- \
        signet init new --profile softhsm --token "pkcs11:token=x?pin-value=1234"
    fails 2 "pkcs11:token=LABEL" -- signet init new --profile softhsm --token example
    fails 2 "http://" -- signet init new "${SOFT[@]}" --crl-url ftp://pki.example.com/a.crl
    fails 2 "letters, digits" -- signet init new "${SOFT[@]}" --issuer ../escape
    fails 2 "file:" "prompt" -- signet init new --profile softhsm --token pkcs11:token=x --pin 1234
    fails 1 "nowhere" -- signet init nowhere/new "${SOFT[@]}"
    expect_absent new nowhere
}
