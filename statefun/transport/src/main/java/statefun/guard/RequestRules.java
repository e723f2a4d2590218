package statefun.guard;

import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.QueryStringDecoder;

/**
 * Which requests Flink's REST interface takes. It has no authentication, and a browser sends whatever a page of any origin asks
 * for. So it answers only to its own names (not to a foreign name that was made to point here), to no page of another origin, and
 * ends no job on a GET. What names its host twice is for nobody (RFC 9112, 3.2).
 */
final class RequestRules {
  /** Names by which it may be asked besides loopback's and Flink's own, such as those of a proxy; without ports. */
  static final ConfigOption<List<String>> HOSTS =
      ConfigOptions.key("guard.rest.hosts").stringType().asList().defaultValues();

  /** A request that is not taken. */
  static final class Refused {
    final int status;
    final String why;

    private Refused(int status, String why) {
      this.status = status;
      this.why = why;
    }
  }

  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

  private final Set<String> hosts;

  private RequestRules(Set<String> hosts) {
    this.hosts = hosts;
  }

  /** @param names by which it may be asked, besides those of loopback */
  static RequestRules of(Collection<String> names) {
    Set<String> hosts = new HashSet<>(LOOPBACK);
    names.forEach(name -> hosts.add(name.toLowerCase(Locale.ROOT)));
    return new RequestRules(hosts);
  }

  static RequestRules of(Configuration configuration) {
    Set<String> hosts = new HashSet<>(LOOPBACK);
    for (String name :
        new String[] {
          configuration.getString(JobManagerOptions.ADDRESS),
          configuration.getString(RestOptions.ADDRESS),
          configuration.getString(RestOptions.BIND_ADDRESS)
        }) if (name != null) hosts.add(name.toLowerCase(Locale.ROOT));
    configuration.get(HOSTS).forEach(name -> hosts.add(name.toLowerCase(Locale.ROOT)));
    return new RequestRules(hosts);
  }

  /**
   * Why a request is refused; empty when it is accepted.
   *
   * @param headers the values of a header by its name; null or none when it was not sent
   */
  Optional<Refused> refusal(String method, String uri, Function<String, List<String>> headers) {
    return refusal(method, uri, headers, null);
  }

  /**
   * As above; also accepts the address at which the request arrived: an address, unlike a name, can't be pointed elsewhere.
   *
   * @param address null when that address counts for nothing
   */
  Optional<Refused> refusal(String method, String uri, Function<String, List<String>> headers, String address) {
    List<String> named = headers.apply("host");
    if (named != null && named.size() > 1)
      return Optional.of(new Refused(400, "the request has more than one header Host: send one"));
    UnaryOperator<String> header =
        name -> {
          List<String> values = headers.apply(name);
          return values == null || values.isEmpty() ? null : values.get(0);
        };
    return foreign(method, uri, header, address).map(why -> new Refused(403, why));
  }

  private Optional<String> foreign(String method, String uri, UnaryOperator<String> header, String address) {
    String host = header.apply("host");
    if (host == null || !(hosts.contains(nameOf(host)) || nameOf(host).equals(address)))
      return Optional.of("this server does not answer to this name (for Flink's REST interface guard.rest.hosts in flink-conf.yaml lists more)");
    String path = new QueryStringDecoder(uri).path();
    if (path.contains("yarn-cancel") || path.contains("yarn-stop"))
      return Optional.of("a GET does not end a job: stop it with a savepoint");
    String origin = header.apply("origin");
    if (origin != null && !origin.equals("http://" + host) && !origin.equals("https://" + host))
      return Optional.of("a page of another origin asks for this");
    String site = header.apply("sec-fetch-site");
    boolean foreign = site != null && !site.equals("same-origin") && !site.equals("none");
    if (foreign && !isNavigation(method, header)) return Optional.of("a page of another origin asks for this");
    return Optional.empty();
  }

  /** A link to this interface: the page that holds it sees nothing of the answer, and no GET changes anything. */
  private static boolean isNavigation(String method, UnaryOperator<String> header) {
    return method.equals("GET")
        && "navigate".equals(header.apply("sec-fetch-mode"))
        && "document".equals(header.apply("sec-fetch-dest"));
  }

  private static String nameOf(String host) {
    return host.replaceFirst(":\\d*$", "").toLowerCase(Locale.ROOT);
  }
}
