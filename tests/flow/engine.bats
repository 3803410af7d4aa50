# Builds with the engine signer and without it: each says what it is, and only one of them signs.
# SIGNET_HAS_ENGINE is the build's own word ("true" or "false").
load common
load expect

setup_file() {
    start_in_own_folder
    make_home ca
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

has_engine() {
    [ "$SIGNET_HAS_ENGINE" = true ]
}

copy_home() {
    rm -rf "$1" && cp -r ca "$1"
}

@test "--version says which build it is" {
    ok signet --version
    if has_engine; then
        says "with the engine signer"
    else
        says "without the engine signer"
    fi
}

# default_signer: what signs when nothing is said.
default_signer() {
    if has_engine; then echo engine; else echo direct; fi
}

@test "keys are made and listed in both" {
    ok signet -C ca key show ca
    says "P-256"
}

@test "a new home signs with what the build has" {
    grep -q "^    signer: '$(default_signer)'" ca/signet.yaml
    copy_home new
    ok signet -C new issuer self-sign ca --subject CN=x -o new.pem
    openssl verify -CAfile new.pem new.pem
}

@test "so does a home that names no signer, and its many sessions are the direct signer's" {
    copy_home unsaid
    sed -i '/^    signer: /d' unsaid/signet.yaml
    ok signet -C unsaid issuer self-sign ca --subject CN=x -o unsaid.pem
    openssl verify -CAfile unsaid.pem unsaid.pem
    sed -i 's/^    pin: .*/&\n    sessions: 17/' unsaid/signet.yaml
    if has_engine; then
        fails 1 "signer: direct does" -- signet -C unsaid key show ca
    else
        ok signet -C unsaid key show ca
    fi
}

@test "signer: engine" {
    copy_home engine
    sed -i "s/^    signer: .*/    signer: engine/" engine/signet.yaml
    if has_engine; then
        ok signet -C engine issuer self-sign ca --subject CN=x -o engine.pem
        openssl verify -CAfile engine.pem engine.pem
    else
        fails 1 "signet.yaml:" "signer: engine is not in this signet" "use signer: direct" -- \
            signet -C engine issuer self-sign ca --subject CN=x -o engine.pem
        expect_absent engine.pem
    fi
}

@test "key create and csr without --signer; with --signer engine" {
    on=(--profile softhsm --pin file:pin/ca)
    ok signet key create 'pkcs11:token=ca;object=plain' --type P-256 "${on[@]}"
    ok signet csr --key 'pkcs11:token=ca;object=plain' --subject CN=plain -o plain.csr "${on[@]}"
    openssl req -in plain.csr -noout -verify
    if has_engine; then
        ok signet key create 'pkcs11:token=ca;object=by-engine' --type P-256 --signer engine "${on[@]}"
        ok signet csr --key 'pkcs11:token=ca;object=plain' --subject CN=plain -o engine.csr --signer engine "${on[@]}"
    else
        why="the engine signer is not in this signet, which was built without OpenSSL's pkcs11 engine; use direct"
        fails 2 "$why" -- signet key create 'pkcs11:token=ca;object=by-engine' --type P-256 --signer engine "${on[@]}"
        fails 2 "$why" -- signet csr --key 'pkcs11:token=ca;object=plain' --subject CN=plain -o engine.csr \
            --signer engine "${on[@]}"
        fails 2 "$why" -- signet init refused --ca x --token 'pkcs11:token=ca' --profile softhsm \
            --pin file:pin/ca --signer engine
        expect_absent engine.csr
        expect_absent refused
    fi
}

@test "Ed25519 keys are kept off a token that the engine signs on" {
    make_token edwards
    on=(--profile softhsm --pin file:pin/edwards)
    uri='pkcs11:token=edwards;object=ed'
    if has_engine; then
        fails 2 "no Ed25519 key is made on a token that the engine signs on" "signer: direct" "--signer direct" -- \
            signet key create "$uri" --type Ed25519 "${on[@]}"
        fails 2 "no Ed25519 key is made on a token that the engine signs on" -- \
            signet -C ca key create ca --type Ed25519
        ok signet key create "$uri" --type Ed25519 --signer direct "${on[@]}"
        fails 4 "Ed25519" "direct" -- signet csr --key "$uri" --subject CN=card -o ed.csr "${on[@]}"
        expect_absent ed.csr
    else
        ok signet key create "$uri" --type Ed25519 "${on[@]}"
        ok signet csr --key "$uri" --subject CN=card -o ed.csr "${on[@]}"
        openssl req -in ed.csr -noout -verify
    fi
}
