#!/usr/bin/env bash
# Makes the key by which the master and the workers know each other, with a certificate that it signed itself, unless there is one: natively
# cluster/parts/flink-key.ts does. It runs as root, to whom a new volume belongs, and then hands the files to Flink's user, who alone reads them.
set -euo pipefail
umask 077

folder=/volumes/flink-key
if [[ -e $folder/flink-key.p12 && -e $folder/password ]]; then exit; fi
rm -f "$folder"/*
FLINK_KEY_PASSWORD=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
export FLINK_KEY_PASSWORD
keytool -J-Xmx64m -genkeypair -alias flink -dname CN=flink -validity 3650 -keyalg EC -storetype PKCS12 \
  -keystore "$folder/new.p12" -storepass:env FLINK_KEY_PASSWORD
printf %s "$FLINK_KEY_PASSWORD" >"$folder/password"
chown flink: "$folder"/*
# Last: with it the key is complete.
mv "$folder/new.p12" "$folder/flink-key.p12"
