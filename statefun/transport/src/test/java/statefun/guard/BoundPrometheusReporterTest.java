package statefun.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Gauge;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.flink.metrics.MetricConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class BoundPrometheusReporterTest {
  private BoundPrometheusReporter reporter;
  private Gauge gauge;

  @BeforeEach
  void open() {
    Properties properties = new Properties();
    properties.setProperty("host", "127.0.0.1");
    properties.setProperty("port", "0");
    properties.setProperty("names", "master,Other");
    reporter = (BoundPrometheusReporter) new BoundPrometheusReporterFactory().createMetricReporter(properties);
    reporter.open(new MetricConfig());
    gauge = Gauge.build("taken", "For this test.").register();
    gauge.set(7);
  }

  @AfterEach
  void close() {
    CollectorRegistry.defaultRegistry.unregister(gauge);
    reporter.close();
  }

  private String ask(String head) throws IOException {
    return ask(reporter, head);
  }

  private static String ask(BoundPrometheusReporter asked, String head) throws IOException {
    try (Socket socket = new Socket(asked.address().getAddress(), asked.address().getPort())) {
      socket.setSoTimeout(60_000);
      socket.getOutputStream().write((head + "connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))
          .lines()
          .collect(Collectors.joining("\n"));
    }
  }

  @Test
  void listensAtItsAddressAlone() {
    assertEquals("127.0.0.1", reporter.address().getAddress().getHostAddress());
  }

  @Test
  void tellsTheMetrics() throws IOException {
    String answer = ask("GET /metrics HTTP/1.1\r\nhost: 127.0.0.1:9249\r\n");
    assertTrue(answer.startsWith("HTTP/1.1 200"), answer);
    assertTrue(answer.contains("taken 7.0"), answer);
  }

  @Test
  void answersToItsNamesAndToTheAddressThatWasAsked() throws IOException {
    for (String host : new String[] {"master:9249", "other", "127.0.0.1:1", "localhost"}) {
      String answer = ask("GET /metrics HTTP/1.1\r\nhost: " + host + "\r\n");
      assertTrue(answer.startsWith("HTTP/1.1 200"), answer);
    }
    Properties properties = new Properties();
    properties.setProperty("host", "127.0.0.2");
    properties.setProperty("port", "0");
    BoundPrometheusReporter elsewhere =
        (BoundPrometheusReporter) new BoundPrometheusReporterFactory().createMetricReporter(properties);
    try {
      assertTrue(ask(elsewhere, "GET /healthz HTTP/1.1\r\nhost: 127.0.0.2:9250\r\n").startsWith("HTTP/1.1 200"));
      assertTrue(ask(elsewhere, "GET /healthz HTTP/1.1\r\nhost: 127.0.0.3:9250\r\n").startsWith("HTTP/1.1 403"));
      assertTrue(ask(elsewhere, "GET /healthz HTTP/1.1\r\nhost: master\r\n").startsWith("HTTP/1.1 403"));
    } finally {
      elsewhere.close();
      // It has emptied the registry of the whole process.
      CollectorRegistry.defaultRegistry.register(gauge);
    }
  }

  @Test
  void saysThatItLivesWithoutTheMetrics() throws IOException {
    String answer = ask("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:9249\r\n");
    assertTrue(answer.startsWith("HTTP/1.1 200"), answer);
    assertTrue(answer.endsWith("\nok"), answer);
  }

  @Test
  void answersNoForeignNameAndNoPage() throws IOException {
    for (String headers :
        new String[] {
          "host: evil.example:9249\r\n",
          "host: 127.0.0.1:9249\r\norigin: http://evil.example\r\n",
          "host: 127.0.0.1:9249\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors\r\n"
        }) {
      String answer = ask("GET /metrics HTTP/1.1\r\n" + headers);
      assertTrue(answer.startsWith("HTTP/1.1 403"), answer);
      assertTrue(!answer.contains("taken"), answer);
    }
  }

  @Test
  void answersNobodyWhoNamesItsHostTwice() throws IOException {
    for (String hosts :
        new String[] {
          "host: 127.0.0.1:9249\r\nhost: evil.example:9249\r\n",
          "Host: evil.example:9249\r\nhost: 127.0.0.1:9249\r\n",
          "host: 127.0.0.1:9249\r\nHOST: 127.0.0.1:9249\r\n"
        }) {
      String answer = ask("GET /metrics HTTP/1.1\r\n" + hosts);
      assertTrue(answer.startsWith("HTTP/1.1 400"), answer);
      assertTrue(!answer.contains("taken"), answer);
    }
  }

  /** A supervisor that hears nothing takes the process for one that hangs. */
  @Test
  void answersHoweverManyHaveSentHalfARequest() throws IOException {
    List<Socket> halves = new ArrayList<>();
    try {
      for (int i = 0; i < 100; i++) {
        Socket half = new Socket(reporter.address().getAddress(), reporter.address().getPort());
        halves.add(half);
        half.getOutputStream().write("GET /metrics HTTP/1.1\r\nhost: 127".getBytes(StandardCharsets.US_ASCII));
      }
      assertTrue(isAnsweredInTheEnd("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:9249\r\n"));
    } finally {
      for (Socket half : halves) half.close();
    }
  }

  /** On a machine that stands still for seconds a request of which all was sent is given up, too: its client repeats it. */
  private boolean isAnsweredInTheEnd(String head) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    do {
      try {
        if (ask(head).startsWith("HTTP/1.1 200")) return true;
      } catch (UncheckedIOException | SocketException reset) {
        // Again.
      }
    } while (System.nanoTime() < end);
    return false;
  }
}
