package statefun.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.shaded.netty4.io.netty.channel.embedded.EmbeddedChannel;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.DefaultFullHttpRequest;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.FullHttpRequest;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpMethod;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpResponse;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpVersion;
import org.junit.jupiter.api.Test;

class RequestRulesTest {
  private static final Configuration CONFIGURATION = new Configuration();

  static {
    CONFIGURATION.set(JobManagerOptions.ADDRESS, "master");
    CONFIGURATION.set(RequestRules.HOSTS, List.of("flink.example"));
  }

  /** The answer's status; null: the request went on to Flink. */
  private static Integer status(String method, String uri, String... headers) {
    FullHttpRequest request =
        new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.valueOf(method), uri);
    Map<String, String> all = new HashMap<>(Map.of("host", "127.0.0.1:8081"));
    for (int i = 0; i < headers.length; i += 2) all.put(headers[i], headers[i + 1]);
    all.forEach((name, value) -> request.headers().set(name, value));
    if ("".equals(all.get("host"))) request.headers().remove("host");
    EmbeddedChannel channel = new EmbeddedChannel(new BrowserGuard(RequestRules.of(CONFIGURATION), Map.of()));
    channel.writeInbound(request);
    Object passed = channel.readInbound();
    if (passed != null) {
      assertEquals(1, request.refCnt());
      request.release();
      return null;
    }
    assertEquals(0, request.refCnt(), "a refused request's body stays in memory");
    HttpResponse response = channel.readOutbound();
    assertNotNull(response);
    return response.status().code();
  }

  @Test
  void takesWhatPeopleAndProgramsOfThisMachineAskFor() {
    assertNull(status("GET", "/jobs/overview"));
    assertNull(status("POST", "/jobs/0123/stop"));
    assertNull(status("GET", "/jobs/overview", "host", "localhost:8081"));
    assertNull(status("GET", "/jobs/overview", "host", "[::1]:8081"));
    assertNull(status("GET", "/jobs/overview", "host", "master:8081"));
    assertNull(status("GET", "/jobs/overview", "host", "Flink.Example"));
  }

  @Test
  void takesFlinksOwnPageAndALinkToIt() {
    assertNull(status("POST", "/jobs/0123/stop", "origin", "http://127.0.0.1:8081", "sec-fetch-site", "same-origin"));
    assertNull(status("GET", "/", "sec-fetch-site", "none", "sec-fetch-mode", "navigate", "sec-fetch-dest", "document"));
    assertNull(
        status("GET", "/", "sec-fetch-site", "same-site", "sec-fetch-mode", "navigate", "sec-fetch-dest", "document"));
  }

  @Test
  void refusesNamesThatAreNotItsOwn() {
    for (String host : new String[] {"evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example:8081", "", "@127.0.0.1"})
      assertEquals(403, status("GET", "/jobs/overview", "host", host), host);
  }

  @Test
  void refusesPagesOfOtherOrigins() {
    for (String method : new String[] {"GET", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "PUT"}) {
      for (String origin : new String[] {"http://evil.example", "null", "http://127.0.0.1:8090", "http://127.0.0.1"})
        assertEquals(403, status(method, "/jobs/0123", "origin", origin), method + " from " + origin);
      for (String site : new String[] {"cross-site", "same-site"})
        assertEquals(403, status(method, "/jobs/0123", "sec-fetch-site", site, "sec-fetch-mode", "no-cors"), method + " " + site);
    }
    // In a frame the page around it could have people click.
    assertEquals(
        403,
        status("GET", "/", "sec-fetch-site", "cross-site", "sec-fetch-mode", "navigate", "sec-fetch-dest", "iframe"));
  }

  @Test
  void endsNoJobByAGet() {
    for (String path :
        new String[] {
          "/jobs/0123/yarn-cancel", "/v1/jobs/0123/yarn-cancel", "/jobs/0123/yarn-stop", "/jobs/0123/%79arn-cancel",
          "/jobs/0123/yarn-cancel?x=1", "http://127.0.0.1:8081/jobs/0123/yarn-cancel", "/jobs/0123/yarn%2Dcancel"
        }) assertEquals(403, status("GET", path), path);
  }
}
