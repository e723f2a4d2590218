package statefun.guard;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Properties;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/**
 * In Flink's settings {@code metrics.reporter.<name>.factory.class} names this class, and {@code .host} and {@code .port} say where
 * it listens, {@code .names} by which names it may be asked besides loopback's and its address, separated by commas. It needs Flink's Prometheus reporter on the same class path, not as a plugin.
 */
public final class BoundPrometheusReporterFactory implements MetricReporterFactory {
  @Override
  public MetricReporter createMetricReporter(Properties properties) {
    String host = properties.getProperty("host", "127.0.0.1");
    int port = Integer.parseInt(properties.getProperty("port", "9249"));
    String names = properties.getProperty("names", "");
    try {
      return new BoundPrometheusReporter(host, port, List.of(names.split(",")));
    } catch (IOException error) {
      throw new UncheckedIOException("metrics can't be served at " + host + ":" + port, error);
    }
  }
}
