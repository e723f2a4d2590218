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
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.flink.metrics.prometheus.AbstractPrometheusReporter;

/**
 * Flink's metrics for Prometheus, at one address of this machine and closed to pages in a browser: Flink's own reporter
 * listens at every address, and answers anyone. A separate path says that the process is alive.
 */
final class BoundPrometheusReporter extends AbstractPrometheusReporter {
  /**
   * So many requests are read at the same time; threads come and go with them. One that has not come after a while is given up by the
   * server itself, once {@code sun.net.httpserver.maxReqTime} says so: a property of the process, which those who start it set.
   */
  private static final int THREADS = 64;

  private static final int KEEP_THREADS_S = 5;

  /** Says that the process lives; it gathers no metrics for that, which costs it a while. */
  private static final String HEALTH = "/healthz";

  private final HttpServer server;
  private final ThreadPoolExecutor threads;

  /**
   * @throws IOException when it cannot listen there
   */
  BoundPrometheusReporter(String host, int port, Collection<String> names) throws IOException {
    RequestRules rules = RequestRules.of(names);
    server = HttpServer.create(new InetSocketAddress(host, port), 0);
    threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            KEEP_THREADS_S,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            work -> {
              Thread thread = new Thread(work, "metrics-at-" + port);
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
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
      Optional<RequestRules.Refused> refused =
          rules.refusal(
              exchange.getRequestMethod(),
              exchange.getRequestURI().toString(),
              exchange.getRequestHeaders()::get,
              exchange.getLocalAddress().getAddress().getHostAddress());
      if (refused.isPresent()) {
        byte[] why = (refused.get().why + "\n").getBytes(StandardCharsets.UTF_8);
        send(exchange, refused.get().status, "text/plain; charset=utf-8", why);
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
