package statefun.guard;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.exporter.common.TextFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.flink.metrics.prometheus.AbstractPrometheusReporter;

/**
 * Flink's metrics for Prometheus, at one address of this machine and closed to pages in a browser: Flink's own reporter
 * listens at every address, and answers anyone. A separate path says that the process is alive.
 */
final class BoundPrometheusReporter extends AbstractPrometheusReporter {
  private static final int THREADS = 2;

  /** Says that the process lives; it gathers no metrics for that, which costs it a while. */
  private static final String HEALTH = "/healthz";

  private final HttpServer server;
  private final ExecutorService threads;

  /**
   * @throws IOException when it cannot listen there
   */
  BoundPrometheusReporter(String host, int port, Collection<String> names) throws IOException {
    RequestRules rules = RequestRules.of(names);
    server = HttpServer.create(new InetSocketAddress(host, port), 0);
    threads =
        Executors.newFixedThreadPool(
            THREADS,
            work -> {
              Thread thread = new Thread(work, "metrics-at-" + port);
              thread.setDaemon(true);
              return thread;
            });
    server.setExecutor(threads);
    server.createContext("/", exchange -> answer(exchange, rules));
    server.start();
  }

  InetSocketAddress address() {
    return server.getAddress();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    super.close();
  }

  private static void answer(HttpExchange exchange, RequestRules rules) throws IOException {
    try {
      Optional<String> refusal =
          rules.refusal(
              exchange.getRequestMethod(),
              exchange.getRequestURI().toString(),
              name -> exchange.getRequestHeaders().getFirst(name),
              exchange.getLocalAddress().getAddress().getHostAddress());
      if (refusal.isPresent()) {
        send(exchange, 403, "text/plain; charset=utf-8", (refusal.get() + "\n").getBytes(StandardCharsets.UTF_8));
        return;
      }
      if (exchange.getRequestURI().getPath().equals(HEALTH)) {
        send(exchange, 200, "text/plain; charset=utf-8", "ok\n".getBytes(StandardCharsets.UTF_8));
        return;
      }
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      try (Writer writer = new OutputStreamWriter(text, StandardCharsets.UTF_8)) {
        TextFormat.write004(writer, CollectorRegistry.defaultRegistry.metricFamilySamples());
      }
      send(exchange, 200, TextFormat.CONTENT_TYPE_004, text.toByteArray());
    } finally {
      exchange.close();
    }
  }

  private static void send(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
    exchange.getResponseHeaders().set("content-type", type);
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
  }
}
