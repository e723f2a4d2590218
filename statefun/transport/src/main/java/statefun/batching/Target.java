package statefun.batching;

import java.net.URI;

/** Where a function server is: the parts of {@code urlPathTemplate}'s URL. */
final class Target {
  final String host;
  final int port;
  final boolean tls;
  /** The route for single calls; the one for batches is below it. */
  final String singlePath;
  final String batchPath;
  /** As written in the Host header. */
  final String authority;
  private final URI url;

  /** @throws IllegalArgumentException when the URL is not one of HTTP */
  Target(URI url) {
    String scheme = url.getScheme();
    if (url.getHost() == null || !("http".equalsIgnoreCase(scheme) || "https".equalsIgnoreCase(scheme))) {
      throw new IllegalArgumentException("the batching transport needs an http:// or https:// URL, not " + url);
    }
    this.url = url;
    this.tls = "https".equalsIgnoreCase(scheme);
    // An IPv6 address has brackets only in a URL.
    this.host = url.getHost().replaceAll("^\\[|]$", "");
    this.port = url.getPort() >= 0 ? url.getPort() : tls ? 443 : 80;
    this.authority = url.getPort() >= 0 ? url.getHost() + ":" + url.getPort() : url.getHost();
    String path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
    String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
    this.singlePath = path + query;
    this.batchPath = path.replaceAll("/$", "") + "/batch" + query;
  }

  @Override
  public String toString() {
    return url.toString();
  }
}
