#!/bin/sh
# Makes the certificate authority and the server certificate of the tests.
# Needs openssl. What lies beside this script was made by it; run it again only
# if the tests need other names.
set -eu
cd "$(dirname "$0")"

days=36500
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

openssl ecparam -name prime256v1 -genkey -noout -out "$work/ca"
openssl pkcs8 -topk8 -nocrypt -in "$work/ca" -out test-ca.key
openssl req -x509 -new -key test-ca.key -sha256 -days "$days" -out test-ca.pem \
    -subj "/CN=Provost TEST CA - its key is public - never trust it" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
    -addext "keyUsage=critical,keyCertSign,cRLSign"

openssl ecparam -name prime256v1 -genkey -noout -out "$work/server"
openssl pkcs8 -topk8 -nocrypt -in "$work/server" -out test-server.key
openssl req -new -key test-server.key -subj "/CN=acs.example.net" -out "$work/request"
cat >"$work/extensions" <<'EOF'
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:acs.example.net, DNS:localhost, IP:127.0.0.1, IP:::1
authorityKeyIdentifier = keyid
EOF
openssl x509 -req -in "$work/request" -CA test-ca.pem -CAkey test-ca.key -CAcreateserial \
    -CAserial "$work/serial" -sha256 -days "$days" -extfile "$work/extensions" -out test-server.pem
openssl verify -CAfile test-ca.pem test-server.pem
