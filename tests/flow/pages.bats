# docs/policies/: each shipped policy has a page, the certificate on it is the one that Signet makes,
# and its commands work as they stand. SIGNET_WRITE_PAGES=1 writes the certificates anew.
load common
load expect

# Policies whose first example the home below can't issue: CAs of their own kind, and what only
# such a CA issues.
OTHER_ISSUERS="root-ca matter-paa matter-pai matter-dac"
# Pages whose commands need nothing but a CA's home called ca.
PLAYED="mobile-app user-client service-account smime vpn tls-server operator smartcard-logon piv-auth piv-card-auth
    idevid ldevid line-statement"

pages() {
    python3 "$SIGNET_DATA/tests/flow/pages.py" "$@"
}

# A home whose certificates are those of the pages.
make_example_home() {
    make_token issuing
    signet init issuing --ca "Example CA" --token pkcs11:token=issuing --pin file:../pin/issuing \
        --crl-url http://pki.example.com/issuing.crl --ocsp-url http://pki.example.com/ocsp \
        --ca-issuers-url http://pki.example.com/issuing.cer "${token_module[@]}"
    sed -i '/^registry:/,$d' issuing/signet.yaml
    pages registry "$SIGNET_DATA" >>issuing/signet.yaml
    signet -C issuing key create issuing
    # It is older than what it issues: nothing begins before its issuer.
    sed 's/^policy: .*/policy: old-root/; s/^validity: .*/validity: {for: 20y, backdate: 30d}/; /^examples/,$d' \
        issuing/policies/root-ca.yaml >issuing/policies/old-root.yaml
    signet -C issuing issuer self-sign issuing -p old-root --subject "CN=Example Issuing CA,O=Example GmbH"
}

setup_file() {
    start_in_own_folder
    make_example_home
    make_root_home ca --ocsp-url http://pki.example.com/ocsp --ca-issuers-url http://pki.example.com/ca.cer
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# shipped: the names of all policies
shipped() {
    basename -s .yaml -a "$SIGNET_DATA"/policies/*.yaml
}

# show_first POLICY: POLICY.shown, what `signet show` says of a certificate for its first example
show_first() {
    local policy=$1 example holder=()
    mapfile -t example < <(pages first "$SIGNET_DATA" "$policy")
    [ ${#example[@]} -ge 1 ]
    # Several policies are about the same person or device, with other fields.
    rm -rf one && cp -r issuing one
    if [ ${#example[@]} -ge 3 ]; then
        holder=("--${example[1]}" "${example[2]}")
        signet -C one "${example[1]}" add "${example[2]}" "${example[@]:3}"
    fi
    signet -C one issue -p "$policy" "${holder[@]}" -o "one/$policy.pem" "${example[0]}"
    signet show "one/$policy.pem" >"$policy.shown"
}

@test "the certificate on each page is the one that signet makes" {
    local policy page verb=compare num=0
    [ -z "${SIGNET_WRITE_PAGES:-}" ] || verb=write
    for policy in $(shipped); do
        page=$SIGNET_DATA/docs/policies/$policy.md
        [[ " $OTHER_ISSUERS " != *" $policy "* ]] || continue
        show_first "$policy"
        pages $verb "$page" "$policy.shown"
        num=$((num + 1))
    done
    [ $num -ge 7 ]
}

@test "the check above can fail" {
    show_first mobile-app
    sed 's/digitalSignature/keyAgreement/' "$SIGNET_DATA/docs/policies/mobile-app.md" >wrong.md
    not pages compare wrong.md mobile-app.shown
    sed 's/device-APP1/device-APP2/' "$SIGNET_DATA/docs/policies/mobile-app.md" >wrong.md
    not pages compare wrong.md mobile-app.shown
    sed '/^ *not after /s/20[0-9][0-9]/2099/' "$SIGNET_DATA/docs/policies/mobile-app.md" >wrong.md
    not pages compare wrong.md mobile-app.shown
    pages compare "$SIGNET_DATA/docs/policies/mobile-app.md" mobile-app.shown
}

@test "the commands of the pages, run in their order in a new home" {
    local policy line num=0
    printf 'correct horse\n' >pin/passphrase
    for policy in $PLAYED; do
        mkdir "$policy" && cp -r ca "$policy/ca" && cp pin/passphrase "$policy/passphrase"
        sed -n 's/^    //p' "$SIGNET_DATA/docs/policies/$policy.md" | sed -e :a -e '/\\$/{N;s/\\\n *//;ba' -e '}' |
            grep '^\(signet\|openssl\) ' >"$policy/steps"
        [ "$(wc -l <"$policy/steps")" -ge 3 ] || fail "$policy shows no commands"
        # The copy is one folder further down than the home that knows where its PIN is.
        sed -i 's,file:\.\./pin,file:../../pin,' "$policy/ca/signet.yaml"
        while read -r line; do
            ok bash -c "cd $policy; signet() { \"\$SIGNET\" \"\$@\"; }; $line" </dev/null
            num=$((num + 1))
        done <"$policy/steps"
    done
    [ $num -ge 25 ]
}

@test "the commands of the roots' pages, run in an empty folder" {
    local policy line
    for policy in root-ca matter-paa; do
        mkdir "empty-$policy"
        while read -r line; do
            ok bash -c "cd empty-$policy; signet() { \"\$SIGNET\" \"\$@\"; }; $line" </dev/null
            [[ $stderr != *note:* ]] || fail "$line: $stderr"
        done < <(sed -n '/^## Try it/,/^## A certificate/s/^    //p' "$SIGNET_DATA/docs/policies/$policy.md")
    done
    openssl x509 -in empty-root-ca/root.pem -noout -subject | grep -q "Example Root 2026"
    openssl x509 -in empty-matter-paa/paa.pem -noout -subject | grep -q "Example Matter PAA"
}

@test "the index tells of every page, and of every policy" {
    local name index=$SIGNET_DATA/docs/policies/README.md
    for name in $(shipped) $(basename -s .md -a "$SIGNET_DATA"/docs/policies/*.md | grep -v README); do
        grep -q "\[$name\]($name.md)" "$index" || fail "the index has no $name"
    done
}

@test "what policies refer to is in a new home's registry" {
    local policy noun field num=0
    for policy in $(shipped); do
        for field in $(grep -v '^ *#' "$SIGNET_DATA/policies/$policy.yaml" |
            grep -o '\${\(device\|user\)[.][a-z_]*}' | tr -d '${}' | sort -u); do
            noun=${field%.*}
            sed -n "/^  $noun:/,/^  [a-z]/p" ca/signet.yaml | grep -q "^    ${field#*.}: " ||
                fail "$policy: a new home's registry has no $field"
            num=$((num + 1))
        done
    done
    [ $num -ge 15 ]
}
