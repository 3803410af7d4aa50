# tools/quickstart: what a newcomer sees, and what it leaves behind.
load common
load expect

setup_file() {
    start_in_own_folder
    # The script builds into SOURCE/build. Here it finds a program that is built already: the source
    # folder's own shape, by links, around the one under test.
    mkdir -p source/build/src/cli source/bin
    for name in tools tokens policies; do ln -s "$SIGNET_DATA/$name" source/$name; done
    rm source/tools
    cp -r "$SIGNET_DATA/tools" source/tools
    mkdir -p source/build/src/daemon
    ln -s "$SIGNET" source/build/src/cli/signet
    ln -s "$SIGNETD" source/build/src/daemon/signetd
    touch source/build/build.ninja
    printf '#!/bin/sh\nexit 0\n' >source/bin/ninja
    chmod +x source/bin/ninja
    export PATH=$PWD/source/bin:$PATH
    source/tools/quickstart --no-install trial >said 2>&1 || {
        cat said trial/quickstart.log >&2
        return 1
    }
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

@test "its output can be followed: at most 40 lines, a step a line, nothing wider than a screen" {
    [ "$(wc -l <said)" -le 40 ]
    [ "$(wc -L <said)" -le 170 ]
    for text in "root.pem" "issuing.pem" "device.csr" "device.pem: OK" "accepted" "serverAuth" \
        "revoked" ". $PWD/trial/env"; do
        grep -qF -- "$text" said || fail "not said: $text: $(cat said)"
    done
    grep -q "refused: policy device-mtls: request.extensions" said
    grep -q "refused: certificate revoked" said
}

@test "what it leaves" {
    for file in root.pem issuing.pem device.csr device.pem issuing.crl.pem env root/signet.yaml \
        issuing/signet.yaml; do
        [ -s "trial/$file" ] || fail "there is no $file"
    done
    openssl verify -x509_strict -purpose sslclient -CAfile trial/root.pem -untrusted trial/issuing.pem \
        trial/device.pem
    openssl req -in trial/device.csr -verify -noout
    openssl x509 -in trial/root.pem -noout -text | grep -q "NIST CURVE: P-384"
    openssl x509 -in trial/issuing.pem -noout -text | grep -q "NIST CURVE: P-256"
    openssl crl -in trial/issuing.crl.pem -noout -text | grep -q "Serial Number: $(serial_of trial/device.pem | tr a-f A-F)"
    run openssl verify -crl_check -CAfile trial/root.pem -untrusted trial/issuing.pem \
        -CRLfile trial/issuing.crl.pem trial/device.pem
    [[ $output == *"certificate revoked"* ]]
    [ "$(find trial/tokens -mindepth 1 -maxdepth 1 | wc -l)" -eq 3 ]
}

@test "its PINs are nobody else's to read, and in no log" {
    [ -z "$(find trial/pin -type f -perm /077)" ]
    for pin in trial/pin/*; do
        not grep -qF "$(cat "$pin")" trial/quickstart.log said
    done
}

@test "env lets a shell go on by hand" {
    ok env -i HOME="$HOME" PATH=/usr/bin:/bin ASAN_OPTIONS="${ASAN_OPTIONS:-}" bash -c '. trial/env && signet list'
    says "revoked" "CN=device-AB12" "keyCompromise"
    ok env -i HOME="$HOME" PATH=/usr/bin:/bin ASAN_OPTIONS="${ASAN_OPTIONS:-}" bash -c '. trial/env && signet device list'
    says "device-AB12  type=leo  region=us-east" || says "device-AB12" "type=leo"
}

@test "run again it says what is there and stops" {
    before=$(find trial -type f | sort | xargs sha256sum)
    ok source/tools/quickstart --no-install trial
    says "trial" "root.pem" "device.pem" ". trial/env" "--force"
    [ "${#lines[@]}" -le 5 ]
    [ "$before" = "$(find trial -type f | sort | xargs sha256sum)" ]
}

@test "--force starts over" {
    before=$(sha256sum <trial/root.pem)
    ok source/tools/quickstart --no-install --force trial
    [ "$before" != "$(sha256sum <trial/root.pem)" ]
    openssl verify -CAfile trial/root.pem -untrusted trial/issuing.pem trial/device.pem
}

@test "--force throws away nothing that is not its own" {
    mkdir -p mine
    echo mine >mine/file
    run source/tools/quickstart --no-install --force mine
    [ "$status" -eq 1 ]
    says "not made by quickstart"
    [ "$(cat mine/file)" = mine ]
    echo mine >trial/notes
    rm trial/env
    run source/tools/quickstart --no-install trial
    [ "$status" -eq 1 ]
    says "--force"
}

@test "--ceremony plays a root ceremony and proves it" {
    ok source/tools/quickstart --ceremony --no-install held
    [ "${#lines[@]}" -le 40 ]
    says "SHA-256 $(cut -d ' ' -f 1 held/plan.sha256)" "6. Sign 4 CRLs of root" "proved: bundle.tar" \
        "refused: files"
    (cd held && sha256sum -c plan.sha256)
    ok signet ceremony prove held/bundle.tar --plan-digest "$(cut -d ' ' -f 1 held/plan.sha256)" --signers held/signers
    openssl verify -x509_strict -CAfile held/run/out/root.pem held/run/out/issuing.pem
    [ ! -e held/ada.key ] || fail "a private key was left"
    ok source/tools/quickstart --ceremony --no-install held
    says "held holds a finished demo: bundle.tar plan.sha256 signers"
    ok source/tools/quickstart --ceremony --no-install --force held
    says "proved: bundle.tar"
}

@test "--service plays a card's story on loopback" {
    ok source/tools/quickstart --service --no-install served
    [ "${#lines[@]}" -le 40 ]
    says '"has_pin":false' "'Unauthorized: PIN'" "which was there" "read back and compared" \
        "the same certificate" "serverkeygen" "the key is on card, signs there" "sdk.pem is good" \
        "card.pem and sdk.pem are revoked" "'Unauthorized: renewal'" "the service is stopped"
    openssl verify -x509_strict -purpose sslclient -CAfile served/root.pem -untrusted served/issuing.pem \
        served/card.pem served/sdk.pem
    [ -z "$(find served/pin -type f -perm /077)" ]
    for pin in served/pin/*; do
        not grep -qF "$(cat "$pin")" served/quickstart.log served/service.log
    done
    [ ! -e served/ticket ] || fail "a ticket was left"
    not grep -rlF -e 'PRIVATE KEY' --exclude=tls.key --exclude=token-service.key served
    expect_equal valid 0 "$(signet -C served/issuing list --json | jq '[.[] | select(.token == "card-1" and .status == "valid")] | length')"
    printf '%s\n' "${lines[@]}" | sed '1,/^All of it/d; s/^ *//' >by-hand
}

@test "and the store knows whose the card's certificates are, on which device and which card" {
    # two keys of the card's own, one of the service's making, and the renewal
    signet -C served/issuing list --json | jq -e '[.[] | select(.policy != "tls-server" and .user != null)] |
        length == 4 and all(.user == "Ada Lovelace" and .device == "device-PHONE1" and .token == "card-1")'
    signet -C served/issuing show served/card.pem --json |
        jq -e '.. | objects | select(.token == "card-1") | .user == "Ada Lovelace" and .device == "device-PHONE1"'
    ok signet -C served/issuing show served/card.pem
    says "for device device-PHONE1 for user Ada Lovelace on card card-1"
}

# As they are printed, in a shell of their own; then the service ends.
@test "and the commands that it prints start the service again, and enrol" {
    expect_equal lines 6 "$(wc -l <by-hand)"
    { echo 'set -e' && cat by-hand && echo 'kill %1 && wait %1'; } >by-hand.sh
    ok env -i HOME="$HOME" PATH=/usr/bin:/bin ASAN_OPTIONS="${ASAN_OPTIONS:-}" XDG_STATE_HOME="$XDG_STATE_HOME" \
        bash by-hand.sh
    [[ $stderr == *"'second' on token card, made there"*"read back and compared"* ]]
    ok source/tools/quickstart --service --no-install served
    says "served holds a finished demo" "tools/quickstart --service --force"
}

@test "usage" {
    ok source/tools/quickstart --help
    says "usage: tools/quickstart [--ceremony | --service] [--force] [--no-install] [DIR]"
    run source/tools/quickstart --nonsense
    [ "$status" -eq 2 ]
    run source/tools/quickstart a b
    [ "$status" -eq 2 ]
    run source/tools/quickstart --service --ceremony
    [ "$status" -eq 2 ]
}
