#!/usr/bin/env bash
set -euo pipefail
[[ ${1:-} == start-foreground ]] || { echo "only start-foreground is there" >&2; exit 1; }
# shellcheck disable=SC2086
exec java "-Xmx${ZK_SERVER_HEAP:-1000}m" ${SERVER_JVMFLAGS:-} ${JVMFLAGS:-} -cp '/opt/zookeeper/conf:/opt/zookeeper/lib/*' org.apache.zookeeper.server.quorum.QuorumPeerMain "$ZOO_CONF_DIR/zoo.cfg"
