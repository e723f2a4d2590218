#!/usr/bin/env bash
# What the official image's entry point promises: a worker takes no arguments, a master hands them on.
case "${ROLE:-worker}" in
  worker) exec "$FLINK_HOME/bin/taskmanager.sh" start-foreground "-Djobmanager.rpc.address=${MASTER_HOST:-localhost}" ;;
  master) exec "$FLINK_HOME/bin/standalone-job.sh" start-foreground "-Djobmanager.rpc.address=${MASTER_HOST:-localhost}" "$@" ;;
  *) echo "unknown role $ROLE" && exit 1 ;;
esac
