#!/usr/bin/env bash
# What master and workers start with: hands Flink the cluster's key, before its own scripts. Flink reads its settings from one file, and the key's
# password must be in no process' arguments; so that file is a copy, in memory, which only Flink's user reads.
set -euo pipefail

key=/volumes/flink-key
[[ -r $key/password ]] || { echo "error: Flink has no key in the volume flink-key. Make it: docker compose up" >&2; exit 1; }
password=$(<"$key/password")
export FLINK_CONF_DIR=/dev/shm/flink-conf
rm -rf "$FLINK_CONF_DIR"
mkdir -m 700 "$FLINK_CONF_DIR"
cp -R "$FLINK_HOME/conf/." "$FLINK_CONF_DIR"
rm "$FLINK_CONF_DIR/flink-conf.yaml"
{
  cat "$FLINK_HOME/conf/flink-conf.yaml"
  printf '\nsecurity.ssl.internal.%s' "enabled: true" "keystore: $key/flink-key.p12" "truststore: $key/flink-key.p12" \
    "keystore-password: $password" "key-password: $password" "truststore-password: $password"
  echo
} >"$FLINK_CONF_DIR/flink-conf.yaml"

if [[ $ROLE != master ]]; then exec /docker-entry-point.sh; fi
source <(tr -d '\r' </opt/fraud/master.sh)
