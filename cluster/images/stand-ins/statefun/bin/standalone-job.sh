#!/usr/bin/env bash
. "$(dirname "$0")/flink-process.sh"
run GET_JM_RESOURCE_PARAMS env.java.opts.jobmanager org.apache.flink.statefun.flink.launcher.StatefulFunctionsClusterEntryPoint "$@"
