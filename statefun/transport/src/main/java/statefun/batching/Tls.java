package statefun.batching;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.apache.flink.shaded.netty4.io.netty.buffer.ByteBufAllocator;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslContext;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslContextBuilder;
import org.apache.flink.shaded.netty4.io.netty.handler.ssl.SslHandler;
import org.apache.flink.statefun.flink.common.ResourceLocator;

/** TLS to function servers, mutual where a client certificate is given. A server's certificate must be for the host's name. */
final class Tls {
  private final SslContext context;
  private final Target target;

  /** @throws IllegalArgumentException when a file is missing or unreadable */
  Tls(Target target, BatchingSpec spec) {
    this.target = target;
    SslContextBuilder builder = SslContextBuilder.forClient();
    try {
      if (spec.trustCaCerts != null) {
        try (InputStream certificates = open(spec.trustCaCerts)) {
          builder.trustManager(certificates);
        }
      }
      if (spec.clientCert != null) {
        try (InputStream certificate = open(spec.clientCert);
            InputStream key = open(spec.clientKey)) {
          builder.keyManager(certificate, key, password(spec));
        }
      }
      this.context = builder.build();
    } catch (IOException | IllegalArgumentException cause) {
      throw new IllegalArgumentException("spec.transport: TLS to " + target + " cannot be set up: " + cause.getMessage(), cause);
    }
  }

  SslHandler newHandler(ByteBufAllocator allocator) {
    SslHandler handler = context.newHandler(allocator, target.host, target.port);
    SSLEngine engine = handler.engine();
    SSLParameters parameters = engine.getSSLParameters();
    // Without this, any certificate from the same authority would do, whatever host it was issued for.
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    engine.setSSLParameters(parameters);
    return handler;
  }

  private static String password(BatchingSpec spec) throws IOException {
    if (spec.clientKeyPassword == null) return null;
    try (InputStream password = open(spec.clientKeyPassword)) {
      return new String(password.readAllBytes(), StandardCharsets.UTF_8).trim();
    }
  }

  private static InputStream open(String name) throws IOException {
    URL url = ResourceLocator.findNamedResource(name);
    if (url == null) throw new FileNotFoundException("there is no " + name);
    return url.openStream();
  }
}
