#!/usr/bin/env bash
. "$(dirname "$0")/flink-process.sh"
run GET_TM_RESOURCE_PARAMS env.java.opts.taskmanager org.apache.flink.runtime.taskexecutor.TaskManagerRunner "$@"
