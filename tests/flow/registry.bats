# signet device|user add|set|import|list|disable|enable
load common
load expect

setup_file() {
    start_in_own_folder
    signet init ca --profile softhsm --token pkcs11:token=none --pin file:pin/none
    # users too, with a field that has to be there
    sed -i '/^ *user:/,$d; /^ *# people/d' ca/signet.yaml
    cat >>ca/signet.yaml <<'EOT'
  user:
    name: '.{1,64}'
    email: '[^@ ]+@[^@ ]+'
    sid: {match: 'S-1-5-[0-9-]+', optional: true}
EOT
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

@test "a device is added, and listed" {
    ok signet -C ca device list
    [ -z "$output" ]
    ok signet -C ca device add device-AB12 type=leo region=us-east
    [[ $stderr == *"device-AB12"*registered* ]]
    ok signet -C ca device list
    says "device-AB12" "type=leo" "region=us-east"
    ok signet -C ca device list --json
    json length 1
    json '.[0] | [.id, .type, .region, .enabled] | join(" ")' "device-AB12 leo us-east true"
}

@test "what may be left out may be left out" {
    ok signet -C ca device add device-BARE
    ok signet -C ca user add "Jörg Müller" email=joerg@example.com
    ok signet -C ca user list
    says "Jörg Müller" "email=joerg@example.com"
}

@test "a device is added once" {
    untouched ca fails 3 "device-AB12" "already" -- signet -C ca device add device-AB12 type=leo
}

@test "a record that is not as signet.yaml says is refused, with the field and its pattern" {
    untouched ca fails 3 "registry device.id" "device-ab12" "device-[A-Z0-9]{4,32}" -- \
        signet -C ca device add device-ab12
    untouched ca fails 3 "registry device.region" "US East" -- \
        signet -C ca device add device-CD34 "region=US East"
    untouched ca fails 3 "registry device.colour" "id, type, region" -- \
        signet -C ca device add device-CD34 colour=red
    untouched ca fails 3 "registry user.email" "missing" -- signet -C ca user add Someone
    untouched ca fails 3 "registry user.email" -- signet -C ca user add Someone email=a@b@c
    untouched ca fails 3 "region is empty" -- signet -C ca device add device-CD34 region=
    untouched ca fails 3 "line break" -- signet -C ca user add $'Some\none' email=a@example.com
}

@test "a record is changed, and the rest of it stays" {
    ok signet -C ca user add "Grace Hopper" email=grace@example.com
    ok signet -C ca user set "Grace Hopper" sid=S-1-5-21-7
    [[ $stderr == *"user Grace Hopper is changed; its certificates stay"* ]]
    ok signet -C ca user list --json
    json '.[] | select(.name == "Grace Hopper" or .id == "Grace Hopper") | [.email, .sid] | join(" ")' \
        "grace@example.com S-1-5-21-7"
    ok signet -C ca user set "Grace Hopper" email=hopper@example.com sid=
    ok signet -C ca user list --json
    json '.[] | select(.id == "Grace Hopper") | [.email, has("sid"), .enabled] | join(" ")' \
        "hopper@example.com false true"
    ok signet -C ca device add device-SET1 type=leo region=us-east
    ok signet -C ca device disable device-SET1
    ok signet -C ca device set device-SET1 region=eu-west
    ok signet -C ca device list --json
    json '.[] | select(.id == "device-SET1") | [.type, .region, .enabled] | join(" ")' \
        "leo eu-west false"
    ok signet -C ca device enable device-SET1
}

@test "a change that does not fit the registry is refused, and changes nothing" {
    ok signet -C ca user add Ritchie email=r@example.com
    untouched ca fails 3 "not in the registry" -- signet -C ca user set Nobody email=a@example.com
    untouched ca fails 3 "registry user.email" "missing" -- signet -C ca user set Ritchie email=
    untouched ca fails 3 "registry user.email" -- signet -C ca user set Ritchie sid=S-1-5-1 email=a@b@c
    untouched ca fails 3 "a user has no bagde here" "email" -- signet -C ca user set Ritchie bagde=
    untouched ca fails 3 "the name of a user stays" -- signet -C ca user set Ritchie name=Dennis
    fails 2 "email is given twice" -- signet -C ca user set Ritchie email=a@b.c email=
    fails 2 "NAME=VALUE" -- signet -C ca user set Ritchie email
    fails 2 "usage" -- signet -C ca user set Ritchie
}

@test "the command line itself" {
    fails 2 "NAME=VALUE" -- signet -C ca device add device-CD34 leo
    fails 2 "NAME=VALUE" -- signet -C ca device add device-CD34 =leo
    fails 2 "type is given twice" -- signet -C ca device add device-CD34 type=leo type=geo
    fails 2 "usage" "ID" -- signet -C ca device add
    fails 2 "no CA home" -- signet device list
}

@test "import from CSV" {
    printf 'id,type,region\ndevice-CSV1,leo,us-east\n"device-CSV2",,"eu-west"\r\n' >devices.csv
    ok signet -C ca device import devices.csv
    [[ $stderr == *"2 devices are registered"* ]]
    ok signet -C ca device list --json
    json '.[] | select(.id == "device-CSV2") | .region' eu-west
    json '.[] | select(.id == "device-CSV2") | has("type")' false
}

@test "import from JSON lines" {
    printf '%s\n' '{"id": "device-JSN1", "type": "leo"}' '' '{"id": "device-JSN2"}' >devices.jsonl
    ok signet -C ca device import devices.jsonl
    cp devices.jsonl devices.txt
    sed -i 's/JSN/JSX/' devices.txt
    ok signet -C ca device import --format jsonl devices.txt
    ok signet -C ca device list
    says device-JSN1 device-JSN2 device-JSX2
}

@test "import of users" {
    printf '%s\n' '{"name": "Ada", "email": "ada@example.com", "sid": "S-1-5-21-1"}' >users.jsonl
    ok signet -C ca user import users.jsonl
    ok signet -C ca user list --json
    json '.[] | select(.id == "Ada") | .sid' S-1-5-21-1
}

# import_fails TEXT... -- LINE...: a CSV file of these lines brings in nothing.
import_fails() {
    local texts=()
    while [ "$1" != -- ]; do
        texts+=("$1")
        shift
    done
    shift
    printf '%s\n' "$@" >bad.csv
    untouched ca fails 1 "${texts[@]}" -- signet -C ca device import bad.csv
}

@test "an import is all or nothing, and says which line is wrong" {
    printf '%s\n' id device-NEW1 device-ab12 >bad.csv
    untouched ca fails 1 "bad.csv:3" "device-ab12" "device-[A-Z0-9]{4,32}" -- signet -C ca device import bad.csv
    printf '%s\n' id device-NEW1 device-AB12 >bad.csv
    untouched ca fails 3 "bad.csv:3: " "device-AB12" "already" -- signet -C ca device import bad.csv
    printf '%s\n' '{"id": "device-NEW1"}' '' '{"id": "device-AB12"}' >bad.jsonl
    untouched ca fails 3 "bad.jsonl:3: " "already" -- signet -C ca device import bad.jsonl
    import_fails "bad.csv:3" "twice" "line 2" -- id device-NEW1 device-NEW1
    import_fails "bad.csv:1" "colour" -- id,colour device-NEW1,red
    import_fails "bad.csv:1" "does not name id" -- type leo
    import_fails "bad.csv:1" "names id twice" -- id,id a,b
    import_fails "bad.csv:2" "2 values" "1 fields" -- id device-NEW1,leo
    import_fails "bad.csv:2" "never closed" -- id '"device-NEW1'
    import_fails "bad.csv:2" "quote" -- id 'dev"ice'
    printf '%s\n' '{"id": "device-NEW1", "type": 7}' >bad.jsonl
    untouched ca fails 1 "bad.jsonl:1" "type is a number" "quotes" -- signet -C ca device import bad.jsonl
    printf '%s\n' '{"id": "device-NEW1"}' '{"id": ' >bad.jsonl
    untouched ca fails 1 "bad.jsonl:2" "not JSON" -- signet -C ca device import bad.jsonl
    printf '%s\n' '["device-NEW1"]' >bad.jsonl
    untouched ca fails 1 "bad.jsonl:1" "object" -- signet -C ca device import bad.jsonl
    : >empty.csv
    untouched ca fails 1 "empty.csv is empty" -- signet -C ca device import empty.csv
    untouched ca fails 1 "no-such.csv" -- signet -C ca device import no-such.csv
    untouched ca fails 2 "--format" -- signet -C ca device import devices.unknown
    untouched ca fails 2 "--format" -- signet -C ca device import --format xml devices.csv
}

@test "disable and enable" {
    ok signet -C ca device disable device-BARE
    [[ $stderr == *"certificates stay valid"* ]]
    ok signet -C ca device list
    says "device-BARE (disabled)"
    ok signet -C ca device list --json
    json '.[] | select(.id == "device-BARE") | .enabled' false
    ok signet -C ca device enable device-BARE
    ok signet -C ca device list
    says_not disabled
    ok signet -C ca user disable Ada
    ok signet -C ca user list
    says "Ada (disabled)"
    fails 3 "device-NONE" "signet device add" -- signet -C ca device disable device-NONE
    fails 3 "Nobody" "signet user add" -- signet -C ca user enable Nobody
}

@test "a home that keeps no users says so" {
    signet init plain --profile softhsm --token pkcs11:token=none --pin file:pin/none
    sed -i '/^ *user:/,$d' plain/signet.yaml
    untouched plain fails 3 "user" "signet.yaml" -- signet -C plain user add Ada
}
