# This repository's own services. `servers` has what the function server, the intake and the web app import, and nothing that starts or tries them;
# `commands` has the rest too: the generator, and what sets up topics.
ARG NODE_IMAGE=node:20.20.2-bookworm-slim
ARG JDK_IMAGE=eclipse-temurin:17.0.15_6-jdk
ARG STATEFUN_IMAGE=apache/flink-statefun:3.3.0-java11

# The batching transport, against the jars that it will run with, and for the Java of their image.
FROM ${STATEFUN_IMAGE} AS flink

FROM ${JDK_IMAGE} AS transport
# Its plugins may hold Flink's Prometheus reporter, which the jar's own builds on, so that both must be on the class path.
COPY --from=flink /opt/flink /flink
COPY statefun/transport/pom.xml /
COPY statefun/transport/src/main /transport
# With the options that Maven's pom.xml lists.
RUN mkdir /classes \
 && javac $(sed -n 's|.*<maven.compiler.release>\(.*\)</.*|--release \1|p; s|.*<arg>\(.*\)</arg>.*|\1|p' /pom.xml) -cp '/flink/lib/*:/flink/plugins/metrics-prometheus/*' -d /classes $(find /transport/java -name '*.java') \
 && mkdir /jars \
 && jar --create --file /jars/statefun-batching.jar -C /classes . -C /transport/resources . \
 && cp $(find /flink/lib /flink/plugins -name 'flink-metrics-prometheus*.jar' | head -n 1) /jars/flink-metrics-prometheus.jar

# What git has checked out, whatever its settings and the umask made of it: text as on Linux, and for every user to read.
FROM ${NODE_IMAGE} AS sources
WORKDIR /app
COPY . .
RUN grep -rlIZ "$(printf '\r')" . | xargs -0 -r sed -i 's/\r$//'; chmod -R u=rwX,go=rX .

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY --from=sources /app/package.json /app/package-lock.json /app/buf.gen.yaml /app/buf.yaml ./
COPY --from=sources /app/protos protos
COPY --from=sources /app/statefun/package.json /app/statefun/buf.gen.yaml statefun/
COPY --from=sources /app/run.mjs ./
# The same first steps as everywhere: npm packages, and code for the messages; then without what only building needs.
RUN node run.mjs --prepare-runtime

FROM ${NODE_IMAGE} AS servers
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/protos protos
COPY --from=sources /app/package.json /app/package-lock.json /app/buf.gen.yaml /app/run.mjs ./
# The rooms that rooms.js lets them import; a spec compares.
COPY --from=sources /app/contract contract
COPY --from=sources /app/dashboards dashboards
COPY --from=sources /app/flink flink
COPY --from=sources /app/functions functions
COPY --from=sources /app/http http
COPY --from=sources /app/intake intake
COPY --from=sources /app/java java
COPY --from=sources /app/kafka kafka
COPY --from=sources /app/models models
COPY --from=sources /app/money money
COPY --from=sources /app/process process
COPY --from=sources /app/rejected rejected
COPY --from=sources /app/statefun statefun
COPY --from=build /app/statefun/gen statefun/gen
COPY --from=sources /app/terminal terminal
COPY --from=sources /app/tools tools
COPY --from=sources /app/trace trace
COPY --from=sources /app/verifier verifier
USER node
CMD ["node", "--import", "tsx", "functions/server.ts"]

FROM servers AS commands
USER root
# A named volume that is first mounted here belongs to this image's user: so MinIO needs no root.
RUN mkdir -p /volumes/keys /volumes/minio /volumes/prometheus-login /volumes/transport \
 && chown node:node /volumes/keys /volumes/minio /volumes/prometheus-login /volumes/transport
COPY --from=transport /jars /jars
COPY --from=sources /app .
USER node
CMD ["node", "run.mjs", "generate", "--help"]
