# ocsp: what other people's programs ask of `signet ocsp`, and what they read in its answers. openssl and
# GnuTLS are in tests/flow/ocsp.bats.
load ../flow/common
load ../flow/expect

programs=$SIGNET_DATA/tests/interop/ocsp

setup_file() {
    start_in_own_folder
    make_root_home ca
    signet key create 'pkcs11:token=ca;object=ocsp' --pin file:pin/ca "${token_module[@]}"
    sed -i "s|^    crl: {next_update: 7d}|&\n    ocsp: {key: 'pkcs11:object=ocsp'}|" ca/signet.yaml
    for n in 1 2 3; do
        make_device ca "device-DEV$n"
        signet -C ca issue -p device-mtls -d "device-DEV$n" -o "dev$n.pem" "device-DEV$n.csr"
    done
    signet -C ca revoke dev2.pem -r keyCompromise
    signet -C ca revoke dev3.pem --hold
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

@test "pyca/cryptography: its requests, SHA-1 and SHA-256, and what it reads in the answers" {
    command -v python3 >/dev/null && python3 -c 'import cryptography' 2>/dev/null || skip "no python3-cryptography"
    local wanted=([1]='good None' [2]='revoked ReasonFlags.key_compromise' [3]='revoked ReasonFlags.certificate_hold')
    for n in 1 2 3; do
        for digest in sha1 sha256; do
            rm -f py.res
            python3 "$programs/ocsp.py" ca.pem "dev$n.pem" $digest py.res py.req
            ok signet -C ca ocsp py.req -o py.res --force
            ok python3 "$programs/ocsp.py" ca.pem "dev$n.pem" $digest py.res py.req
            [ "$output" = "${wanted[n]/ / $digest }" ] || complain "not ${wanted[n]}"
        done
    done
}

@test "Java: a certificate is judged by the answer alone" {
    command -v java >/dev/null && command -v javac >/dev/null || skip "no Java compiler"
    local wanted=([1]='good' [2]='REVOKED: *KEY_COMPROMISE*' [3]='REVOKED: *CERTIFICATE_HOLD*')
    javac -d . "$programs/Ocsp.java"
    for n in 1 2 3; do
        # Java looks for a CertID by SHA-1
        openssl ocsp -issuer ca.pem -cert "dev$n.pem" -no_nonce -reqout java.req
        ok signet -C ca ocsp java.req -o java.res --force
        ok java -cp . Ocsp ca.pem "dev$n.pem" java.res
        # shellcheck disable=SC2053
        [[ $output == ${wanted[n]} ]] || complain "not ${wanted[n]}"
    done
    # an answer about another certificate is none
    ok java -cp . Ocsp ca.pem dev1.pem java.res
    [[ $output != good ]] || complain "another's answer does for it"
}
