#!/usr/bin/env bash
# zoo.cfg from the official image's ZOO_ variables, unless one is there.
set -euo pipefail
config=$ZOO_CONF_DIR/zoo.cfg
if [[ ! -f $config ]]; then
  {
    printf '%s=%s\n' dataDir "$ZOO_DATA_DIR" dataLogDir "$ZOO_DATA_LOG_DIR" tickTime "$ZOO_TICK_TIME" initLimit "$ZOO_INIT_LIMIT" syncLimit "$ZOO_SYNC_LIMIT" \
      autopurge.snapRetainCount "$ZOO_AUTOPURGE_SNAPRETAINCOUNT" autopurge.purgeInterval "$ZOO_AUTOPURGE_PURGEINTERVAL" maxClientCnxns "$ZOO_MAX_CLIENT_CNXNS" \
      standaloneEnabled "$ZOO_STANDALONE_ENABLED" admin.enableServer "$ZOO_ADMINSERVER_ENABLED"
    for server in ${ZOO_SERVERS:-server.1=localhost:2888:3888;2181}; do echo "$server"; done
    [[ -z ${ZOO_4LW_COMMANDS_WHITELIST:-} ]] || echo "4lw.commands.whitelist=$ZOO_4LW_COMMANDS_WHITELIST"
    for extra in ${ZOO_CFG_EXTRA:-}; do echo "$extra"; done
  } >"$config"
fi
[[ -f $ZOO_DATA_DIR/myid ]] || echo "${ZOO_MY_ID:-1}" >"$ZOO_DATA_DIR/myid"
exec "$@"
