# signet token list|init
load common
load expect

setup_file() {
    start_in_own_folder
    umask 077
    echo officers-pin >pin/officer
    echo users-pin >pin/user
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

@test "token init makes a token that others can use" {
    ok signet token init --profile softhsm --label first --so-pin file:pin/officer --pin file:pin/user
    says "first" "pkcs11:token=first;serial=" "PIN    set"
    softhsm2-util --show-slots | grep -q "Label: *first"
    ok signet key create "pkcs11:token=first;object=k" --profile softhsm --pin file:pin/user
}

@test "token list shows tokens, and the slot that waits for one" {
    ok signet token list --profile softhsm
    says "first" "(empty slot" "signet token init"
    ok signet token list --module "$softhsm_module" --json
    json '[.[] | select(.initialized)] | length' 1
    json '.[] | select(.initialized) | .label' first
    json '.[] | select(.initialized) | .pin_initialized' true
    json '.[] | select(.initialized) | .serial_number | length' 16
}

@test "a token is never initialised again" {
    before=$(find tokens -type f | sort | xargs sha256sum)
    fails 4 "first" -- signet token init --profile softhsm --label first --so-pin file:pin/officer --pin file:pin/user
    [ "$before" = "$(find tokens -type f | sort | xargs sha256sum)" ]
    ok signet key show "pkcs11:token=first;object=k" --profile softhsm --pin file:pin/user
}

@test "token init --json" {
    ok signet token init --profile softhsm --label second --so-pin file:pin/officer --pin file:pin/user --json
    json '.[0].label' second
}

@test "what is missing or wrong" {
    fails 2 "--profile NAME or --module PATH" -- signet token list
    fails 2 "--profile NAME or --module PATH" -- \
        signet token list --profile softhsm --module "$softhsm_module"
    fails 2 "--label" -- signet token init --profile softhsm --so-pin file:pin/officer --pin file:pin/user
    fails 4 "no-such-module.so" -- signet token list --module /nowhere/no-such-module.so
    echo text >module.so
    fails 4 "module.so" -- signet token list --module "$PWD/module.so"
    fails 4 "libc.so.6" -- signet token list --module "$(find /lib /usr/lib -name libc.so.6 -print -quit)"
    fails 1 "no-such-model" "PKCS#11 module" -- signet token list --profile no-such-model
    fails 2 "file:" "prompt" -- signet token init --profile softhsm --label x --so-pin 1234 --pin file:pin/user
    [ "$(find tokens -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ]
}

@test "a label that no token can have" {
    fails 2 "label" "32" -- signet token init --profile softhsm \
        --label "123456789012345678901234567890123" --so-pin file:pin/officer --pin file:pin/user
    fails 2 "label" -- signet token init --profile softhsm --label "" --so-pin file:pin/officer --pin file:pin/user
}

@test "a token whose file was emptied: said, and brought back by a copy" {
    make_token lost
    signet key create "pkcs11:token=lost;object=k" --profile softhsm --pin file:pin/lost
    local file
    file=$(grep -l lost tokens/*/token.object)
    cp "$file" token.copy
    : >"$file"
    fails 4 "no token matches" "token.object" "back-up" -- \
        signet key list pkcs11:token=lost --profile softhsm --pin file:pin/lost
    cp token.copy "$file"
    ok signet key show "pkcs11:token=lost;object=k" --profile softhsm --pin file:pin/lost
}
