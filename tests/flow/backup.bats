# signet backup, restore and store: what is in a backup, what comes back, and what came after it.
load common
load expect
load service

setup_file() {
    start_in_own_folder
    make_root_home ca
    for id in device-AB12 device-CD34 device-EF56; do
        make_device ca "$id"
        signet -C ca issue -p device-mtls --device "$id" -o "$id.pem" "$id.csr"
    done
    signet -C ca revoke device-AB12.pem --reason superseded
    signet -C ca crl -o first.crl
    signet -C ca backup base.backup
    # after the backup: two revocations, one of what it does not know, and a CRL
    make_device ca device-GH78
    signet -C ca issue -p device-mtls --device device-GH78 -o device-GH78.pem device-GH78.csr
    signet -C ca revoke device-CD34.pem --reason keyCompromise
    signet -C ca revoke device-GH78.pem --reason cessationOfOperation
    signet -C ca crl -o later.crl
}

teardown_file() {
    cd "$BATS_FILE_TMPDIR"
    [ ! -e service.pid ] || kill "$(cat service.pid)"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

# serial_of FILE.pem
serial_of() {
    openssl x509 -noout -serial -in "$1" | sed 's/.*=//' | tr 'A-F' 'a-f'
}

# number_of FILE.crl: its cRLNumber, in decimal
number_of() {
    printf '%d\n' "$(openssl crl -noout -crlnumber -in "$1" | sed 's/.*=//')"
}

# status_in HOME FILE.pem
status_in() {
    signet -C "$1" list --json --serial "$(serial_of "$2")" | jq -r '.[0].status // "none"'
}

@test "a backup is a tar with the store and what signet.yaml needs, and neither key nor PIN" {
    [ "$(stat -c %a base.backup)" = 600 ]
    tar tf base.backup >names
    for name in home/signet.yaml home/policies/device-mtls.yaml home/ca.pem manifest.json; do
        grep -qx "$name" names
    done
    mkdir -p unpacked && tar xf base.backup -C unpacked
    not grep -rqE 'PRIVATE KEY' unpacked
    not grep -rqF -- "$(cat pin/ca)" unpacked
    expect_equal "certificates" 4 "$(wc -l <unpacked/store/certificate.000001)"
    # the manifest's digests are those of sha256sum
    jq -r '.files[] | "\(.sha256)  unpacked/\(.name)"' unpacked/manifest.json | sha256sum -c --quiet
    run signet restore --dry-run base.backup
    expect_status 0
    expect_said "4 certificates, 1 revocations" "$(sha256sum <unpacked/manifest.json | cut -d' ' -f1)"
}

@test "it is never put over a file, unless that is wanted" {
    cp base.backup there.backup
    run signet -C ca backup there.backup
    expect_status 1
    expect_said "--force"
    cmp base.backup there.backup
    signet -C ca backup --force there.backup
    not cmp -s base.backup there.backup
}

@test "a restored home goes on: the same certificates, a CRL with a greater number" {
    run signet -C again restore base.backup
    expect_status 0
    expect_said "NONE WERE GIVEN" "next CRL has number" "OCSP says unknown"
    expect_absent 'again/signet.db.loading' .signet-new
    [ "$(stat -c %a again)" = 700 ]
    [ "$(stat -c %a again/signet.db)" = 600 ]
    diff -r ca/policies again/policies
    expect_equal "status" valid "$(status_in again device-EF56.pem)"
    expect_equal "status" revoked "$(status_in again device-AB12.pem)"
    # the same request gets the same certificate
    signet -C again issue -p device-mtls --device device-EF56 -o same.pem device-EF56.csr
    cmp device-EF56.pem same.pem
    make_device again device-KL90
    signet -C again issue -p device-mtls --device device-KL90 -o kl.pem device-KL90.csr
    signet -C again crl -o again.crl
    [ "$(number_of again.crl)" -gt "$(number_of later.crl)" ]
    [ "$(number_of again.crl)" -lt 100000000000 ]
    signet -C again store show | grep -q 'restored from the backup of '
}

@test "revocations after the backup are kept by the last CRL, also of what the backup does not know" {
    signet -C known restore base.backup --crl later.crl >said
    grep -q 'kept 1 revocations that came later, and 1 of certificates that the backup does not' said
    not grep -q 'NONE WERE GIVEN' said
    expect_equal "status" revoked "$(status_in known device-CD34.pem)"
    expect_equal "status" orphaned "$(status_in known device-GH78.pem)"
    signet -C known crl -o known.crl
    for file in device-AB12 device-CD34 device-GH78; do
        run openssl verify -crl_check -CAfile ca/ca.pem -CRLfile known.crl $file.pem
        [[ $output == *"certificate revoked"* ]]
    done
    openssl verify -crl_check -CAfile ca/ca.pem -CRLfile known.crl device-EF56.pem
    openssl crl -in known.crl -noout -text | grep -A4 -i "$(serial_of device-CD34.pem)" |
        grep -A2 -i "reason code" | grep -q "Key Compromise"
    # the key that was compromised is nobody's any more
    run signet -C known issue -p device-mtls --device device-CD34 device-CD34.csr
    expect_status 3
}

@test "… and by the home that was there before" {
    signet -C merged restore base.backup --old ca >said
    grep -q 'kept 1 revocations that came later, and 1 of certificates' said
    expect_equal "status" revoked "$(status_in merged device-CD34.pem)"
    expect_equal "status" revoked "$(status_in merged device-GH78.pem)"
    # a whole certificate, as the old home had it
    signet -C merged show "$(serial_of device-GH78.pem)" --pem -o gh.pem
    cmp gh.pem device-GH78.pem
}

@test "--crl-number says where numbers go on" {
    signet -C numbered restore base.backup --crl-number 123456789012345 >/dev/null
    signet -C numbered crl -o numbered.crl
    expect_equal "number" 123456789012345 "$(number_of numbered.crl)"
    run signet -C none restore base.backup --crl-number 0x10
    expect_status 2
    [ ! -e none ]
}

@test "a CRL of somebody else's, or a part of one, is refused, and nothing is made" {
    make_root_home stranger
    signet -C stranger crl -o stranger.crl
    run signet -C none restore base.backup --crl stranger.crl
    expect_status 3
    expect_said "none of the home's issuers has signed"
    sed 's/^\(....\)A/\1B/' later.crl >bent.crl
    run signet -C none restore base.backup --crl bent.crl
    [ "$status" -ne 0 ]
    expect_absent none .signet-new
}

@test "a store alone comes back into its home" {
    cp -r ca home
    rm home/signet.db*
    run signet -C home list
    expect_status 5
    signet -C home restore base.backup --crl later.crl >said
    grep -q 'restored the store of the home home' said
    expect_equal "status" revoked "$(status_in home device-CD34.pem)"
    # and never over one
    run signet -C home restore base.backup
    expect_status 5
    expect_said "never replaced"
    expect_equal "status" revoked "$(status_in home device-CD34.pem)"
    # what a killed restore has left is in nobody's way
    rm home/signet.db*
    echo rubbish >home/signet.db.loading
    signet -C home restore base.backup >/dev/null
    [ ! -e home/signet.db.loading ]
    expect_equal "status" valid "$(status_in home device-CD34.pem)"
}

@test "the log of an earlier store is not mixed into the one that comes back" {
    rm -rf home && cp -r ca home
    # as a process leaves it that was killed
    python3 - <<'END'
import os, sqlite3
store = sqlite3.connect("home/signet.db")
store.execute("PRAGMA wal_autocheckpoint=0")
store.execute("INSERT INTO event VALUES (99, 5, 'of the earlier store')")
store.commit()
os._exit(0)
END
    [ -s home/signet.db-wal ]
    mv home/signet.db kept.db
    run signet -C home restore base.backup
    expect_status 5
    expect_said "signet.db-wal, with what an earlier store had not brought into its file"
    [ ! -e home/signet.db ]
    mv home/signet.db-wal kept.db-wal
    signet -C home restore base.backup >/dev/null
    expect_equal "integrity" ok "$(sqlite3 home/signet.db 'pragma integrity_check')"
    not grep -q 'of the earlier store' <<<"$(signet -C home store show)"
}

@test "a store comes back to where its home says, inside or outside of it" {
    mkdir -p beside
    for place in ca..db policies/../x.db policies/x.db policies/device data/y.db ../beside/z.db; do
        rm -rf odd back beside/*
        cp -r ca odd && rm -f odd/signet.db-*
        mkdir -p odd/data
        mv odd/signet.db "odd/$place"
        sed -i "s,^store:.*,store: sqlite:$place," odd/signet.yaml
        signet -C odd backup odd.backup --force >/dev/null
        not grep -qxE "home/$place([-.][a-z]+)?" <<<"$(tar tf odd.backup)"
        rm -rf beside/*
        signet -C back restore odd.backup >/dev/null
        [ -s "back/$place" ]
        cmp odd/policies/device-mtls.yaml back/policies/device-mtls.yaml
        expect_equal "status at $place" revoked "$(status_in back device-CD34.pem)"
        expect_absent back/x.db.loading beside/z.db.loading back/ca..db.loading .signet-new
    done
    # there is no folder for it
    rm -rf back beside
    run signet -C back restore odd.backup
    expect_status 1
    expect_said "cannot find the folder of the store sqlite:../beside/z.db"
    [ ! -e back ]
    expect_absent .signet-new
}

@test "a folder that is not empty is left alone" {
    mkdir -p full && echo mine >full/file
    run signet -C full restore base.backup
    expect_status 1
    expect_said "not empty"
    expect_equal "files" file "$(ls full)"
}

# refuse FILE TEXT: it is no backup to restore; nothing is made.
refuse() {
    run signet -C none restore "$1"
    expect_status 1
    expect_said "$2"
    run signet restore --dry-run "$1"
    expect_status 1
    expect_absent none .signet-new
}

@test "what is cut off, damaged or no backup is refused before anything is made" {
    size=$(stat -c %s base.backup)
    for len in 0 100 512 20000 $((size - 10240)) $((size - 1)); do
        head -c "$len" base.backup >cut.backup
        refuse cut.backup "cut.backup"
    done
    cat base.backup base.backup >twice.backup
    refuse twice.backup "something stands behind its end"
    tar cf foreign.backup ca/policies
    refuse foreign.backup "no backup of Signet's"
    head -c 50000 /dev/urandom >noise.backup
    refuse noise.backup "no backup of Signet's"
    # one bit, anywhere
    for at in 600 $((size / 4)) $((size / 2)) $((size * 3 / 4)); do
        cp base.backup bent.backup
        python3 - "$at" <<'END'
import sys
at = int(sys.argv[1])
with open("bent.backup", "r+b") as f:
    f.seek(at)
    byte = f.read(1)[0]
    f.seek(at)
    f.write(bytes([byte ^ 1]))
END
        refuse bent.backup "bent.backup"
    done
    # a file that tells of eight gigabytes
    python3 - <<'END'
header = bytearray(open("base.backup", "rb").read())
header[124:135] = b"77777777777"
header[148:156] = b" " * 8
header[148:156] = b"%06o\0 " % sum(header[:512])
open("huge.backup", "wb").write(header)
END
    refuse huge.backup "no backup of Signet's"
    run signet -C none restore missing.backup
    expect_status 1
}

# forge PYTHON: base.backup with other files, whole by its own manifest, in forged.backup
forge() {
    python3 - "$1" <<'END'
import hashlib, io, json, sys, tarfile
files = []
with tarfile.open("base.backup") as tar:
    for member in tar:
        files.append((member.name, tar.extractfile(member).read()))
manifest = json.loads(files.pop()[1])
exec(sys.argv[1])
manifest["files"] = [{"name": n, "size": len(b), "sha256": hashlib.sha256(b).hexdigest()} for n, b in files]
files.append(("manifest.json", json.dumps(manifest).encode()))
out = open("forged.backup", "wb")
written = 0
def put(b):
    global written
    out.write(b)
    written += len(b)
for name, data in files:
    h = bytearray(512)
    def field(at, text):
        h[at:at + len(text)] = text
    field(0, name.encode()); field(100, b"0000644\0"); field(108, b"0000000\0"); field(116, b"0000000\0")
    field(124, b"%011o\0" % len(data)); field(136, b"00000000000\0"); field(156, b"0")
    field(257, b"ustar\0"); field(263, b"00"); field(329, b"0000000\0"); field(337, b"0000000\0")
    field(148, b" " * 8)
    field(148, b"%06o\0 " % sum(h))
    put(bytes(h)); put(data); put(b"\0" * (-len(data) % 512))
put(b"\0" * ((written + 1024 + 10239) // 10240 * 10240 - written))
END
}

@test "a forged backup gets nothing past its folder, and no row past the store's rules" {
    forge 'pass'
    signet -C forged restore forged.backup >/dev/null
    forge 'files.insert(0, ("home/../outside", b"x"))'
    run signet -C none restore forged.backup
    expect_status 1
    expect_said "outside of the home"
    [ ! -e outside ]
    forge 'files.insert(0, ("home//etc/outside", b"x"))'
    run signet -C none restore forged.backup
    expect_status 1
    forge 'files.append(("store/song.000001", b"[1]\n"))'
    run signet -C none restore forged.backup
    expect_status 1
    expect_said "no table"
    # a revocation of a claim that is not there
    forge 'files.append(("store/revocation.000009", b"[99,1,0,5,null]\n"))'
    run signet -C none restore forged.backup
    [ "$status" -ne 0 ]
    # a file or rows twice, and rows before those that they refer to
    for change in 'files.append(files[0])' 'files.append([f for f in files if f[0].startswith("store/claim")][0])' 'files.reverse()'; do
        forge "$change"
        run signet -C none restore forged.backup
        [ "$status" -ne 0 ]
        expect_absent none .signet-new
    done
    forge 'manifest["store_version"] = 99'
    run signet -C none restore forged.backup
    expect_status 1
    expect_said "version 99"
    forge 'manifest["made"] = "2100-01-01T00:00:00Z"'
    run signet -C none restore forged.backup
    expect_status 1
    expect_said "yet to come"
    expect_absent none .signet-new
}

@test "a full disk leaves neither a backup nor a home" {
    run bash -c 'ulimit -f 40; trap "" XFSZ; "$SIGNET" -C ca backup full.backup'
    expect_status 1
    expect_absent full.backup
    run bash -c 'ulimit -f 64; trap "" XFSZ; "$SIGNET" -C none restore base.backup'
    [ "$status" -ne 0 ]
    expect_absent none .signet-new
}

@test "killed at any moment, a restore leaves a whole home or none" {
    whole=0 none=0
    for delay in 0.02 0.05 0.1 0.15 0.2 0.3 0.5 5; do
        rm -rf torn .signet-new-*
        timeout -s KILL "$delay" "$SIGNET" -C torn restore base.backup --crl later.crl >/dev/null 2>&1 || true
        if [ -e torn ]; then
            whole=$((whole + 1))
            expect_equal "status" revoked "$(status_in torn device-CD34.pem)"
        else
            none=$((none + 1))
            signet -C torn restore base.backup >/dev/null
            expect_equal "status" valid "$(status_in torn device-EF56.pem)"
        fi
    done
    rm -rf .signet-new-*
    [ "$whole" -ge 1 ] && [ "$none" -ge 1 ]
}

@test "backups while the service issues are each of one moment" {
    add_service ca 'est: {policy: device-mtls}' 'limits: {request: 5s, idle: 5s}'
    ids="device-MN12 device-OP34 device-QR56 device-ST78"
    for id in $ids; do
        make_due ca "$id"
    done
    start_service ca
    (
        for id in $ids; do
            enroll simplereenroll "$id.csr" --cert "$id.pem" --key "$id.key"
            [ "$http_status" = 200 ] && echo "$id" >>served
        done
    ) &
    for i in 1 2 3; do
        signet -C ca backup "during$i.backup" >/dev/null
    done
    wait $!
    expect_equal "served" 4 "$(wc -l <served)"
    stop_service
    signet -C ca backup after.backup >/dev/null
    before=0
    for name in during1 during2 during3 after; do
        signet -C "$name" restore "$name.backup" >/dev/null
        num=$(count_certificates "$name")
        [ "$num" -ge "$before" ]
        before=$num
    done
    expect_equal "certificates" "$(count_certificates ca)" "$before"
    # what is of the service's own key is not there, and said
    run signet -C ca backup --force after.backup
    expect_said "not in it: keys"
    tar tf after.backup >names
    grep -qx home/tls.pem names
    not grep -qx home/tls.key names
}

@test "an older store is brought up by signet store migrate, when somebody says so" {
    cp -r ca older
    sqlite3 older/signet.db 'drop table event; drop table quota; pragma user_version = 5' >/dev/null
    signet -C older list >/dev/null
    run signet -C older crl
    expect_status 5
    expect_said "version 5" "signet store migrate"
    run signet -C older backup older.backup
    expect_status 5
    expect_absent older.backup
    run signet -C older store migrate --dry-run
    expect_status 0
    expect_said "version 6 would bring" "version 7 would bring: certificates by month in PostgreSQL, a smaller index of keys in SQLite"
    signet -C older store show | grep -q 'version 5: `signet store migrate`'
    signet -C older store migrate >steps
    expect_equal "steps" "version 6: version 7: " "$(grep -o '^version [0-9]*: ' steps | tr -d '\n')"
    signet -C older store migrate | grep -q 'nothing to do'
    signet -C older store show --json >shown
    expect_equal "version" 7 "$(jq .version shown)"
    expect_equal "certificates" "$(count_certificates ca)" "$(jq .certificates shown)"
    signet -C older crl -o older.crl
}

@test "the documents' commands for backup and restore, as they stand" {
    mkdir -p backup-drill && cd backup-drill
    cp -r ../ca ../pin .
    sed -i '/^service:/,$d' ca/signet.yaml
    cp ../later.crl issuing.crl
    sed -n '/^## Backup and restore/,/^## /s/^    \(signet .*\)/\1/p' "$SIGNET_DATA/docs/operations.md" >steps
    [ "$(wc -l <steps)" -ge 5 ]
    export SIGNET_HOME=ca
    while read -r line; do
        bash -c "signet() { \"\$SIGNET\" \"\$@\"; }; $line"
    done <steps
}
