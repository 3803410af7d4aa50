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

@test "--version says which build it is" {
    ok signet --version
    if has_engine; then
        says "with the engine signer"
    else
        says "without the engine signer"
    fi
}

@test "keys are made and listed in both" {
    ok signet -C ca key show ca
    says "P-256"
}

@test "signer: engine" {
    rm -rf engine && cp -r ca engine
    sed -i '/^    signer:/d; s/^    pin: .*/&\n    signer: engine/' engine/signet.yaml
    if has_engine; then
        ok signet -C engine issuer self-sign ca --subject CN=x -o engine.pem
        openssl verify -CAfile engine.pem engine.pem
    else
        fails 1 "signet.yaml:" "signer: engine is not in this signet" "without OpenSSL's pkcs11 engine" -- \
            signet -C engine issuer self-sign ca --subject CN=x -o engine.pem
        expect_absent engine.pem
    fi
}
