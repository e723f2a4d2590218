package statefun.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.runtime.rest.RestServerEndpoint;
import org.apache.flink.runtime.rest.handler.RestHandlerSpecification;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The guard where Flink's own server of its REST interface puts it. */
class BrowserGuardTest {
  private static final String STRANGER = "origin: http://evil.example\r\n";
  private static final String FORM = "content-type: multipart/form-data; boundary=x\r\n";
  private static final String FILE =
      "--x\r\ncontent-disposition: form-data; name=\"jarfile\"; filename=\"left-by-a-page\"\r\n"
          + "content-type: application/octet-stream\r\n\r\n";

  /** Flink's own, with no route of its own. Its {@code close} may be interrupted; here it is closed otherwise. */
  @SuppressWarnings("try")
  private static final class Endpoint extends RestServerEndpoint {
    Endpoint(Configuration configuration) throws Exception {
      super(configuration);
    }

    @Override
    protected List<Tuple2<RestHandlerSpecification, ChannelInboundHandler>> initializeHandlers(
        CompletableFuture<String> address) {
      return new ArrayList<>();
    }

    @Override
    protected void startInternal() {}
  }

  @TempDir Path folder;
  private Endpoint endpoint;

  @BeforeEach
  void start() throws Exception {
    Configuration configuration = new Configuration();
    configuration.set(RestOptions.ADDRESS, "127.0.0.1");
    configuration.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
    configuration.set(RestOptions.BIND_PORT, "0");
    configuration.set(WebOptions.UPLOAD_DIR, folder.toString());
    endpoint = new Endpoint(configuration);
    endpoint.start();
  }

  @AfterEach
  void stop() throws Exception {
    endpoint.closeAsync().get(60, TimeUnit.SECONDS);
  }

  /** The first line of the answer to a request of which no more comes than this. */
  private String answer(String head, byte[]... body) throws IOException {
    try (Socket socket = open()) {
      return answer(socket, head, body);
    }
  }

  private Socket open() throws IOException {
    Socket socket = new Socket(endpoint.getServerAddress().getAddress(), endpoint.getServerAddress().getPort());
    socket.setSoTimeout(60_000);
    return socket;
  }

  private String answer(Socket socket, String head, byte[]... body) throws IOException {
    OutputStream out = socket.getOutputStream();
    String host = "host: 127.0.0.1:" + endpoint.getServerAddress().getPort() + "\r\n";
    out.write((head + host + "\r\n").getBytes(StandardCharsets.US_ASCII));
    for (byte[] part : body) out.write(part);
    out.flush();
    return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8)).readLine();
  }

  private List<Path> left() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("flink-web-upload"))) {
      return files.skip(1).collect(Collectors.toList());
    }
  }

  @Test
  void writesNoFileOfAPageOfAnotherOriginToTheDisk() throws IOException {
    String end = "left here\r\n--x--\r\n";
    for (String body : new String[] {FILE + end, FILE}) {
      byte[] bytes = body.getBytes(StandardCharsets.US_ASCII);
      String head = "POST /jars/upload HTTP/1.1\r\n" + FORM + "content-length: " + (FILE + end).length() + "\r\n";
      assertEquals("HTTP/1.1 403 Forbidden", answer(head + STRANGER, bytes));
      assertEquals(List.of(), left());
    }
  }

  @Test
  void keepsNoBodyOfAPageOfAnotherOrigin() throws IOException {
    // It answers before there is a body: Flink itself would wait for all of it.
    assertEquals(
        "HTTP/1.1 403 Forbidden",
        answer("POST /jobs HTTP/1.1\r\ncontent-type: text/plain\r\ncontent-length: 100000000\r\n" + STRANGER, new byte[1_000_000]));
  }

  @Test
  void answersNobodyWhoNamesItsHostTwice() throws IOException {
    String own = "host: 127.0.0.1:" + endpoint.getServerAddress().getPort() + "\r\n";
    for (String other : new String[] {"host: evil.example\r\n", own, "Host:\r\n"})
      assertEquals("HTTP/1.1 400 Bad Request", answer("GET /jobs HTTP/1.1\r\n" + other));
  }

  @Test
  void takesTheNextRequestOfTheSameConnection() throws IOException {
    try (Socket socket = open()) {
      String refused = "POST /jobs HTTP/1.1\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n" + STRANGER;
      BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      OutputStream out = socket.getOutputStream();
      String host = "host: 127.0.0.1:" + endpoint.getServerAddress().getPort() + "\r\n";
      out.write((refused + host + "\r\nabc" + "GET /jobs HTTP/1.1\r\nconnection: close\r\n" + host + "\r\n").getBytes(StandardCharsets.US_ASCII));
      List<String> statuses = in.lines().filter(line -> line.contains("HTTP/1.1 ")).collect(Collectors.toList());
      assertEquals(2, statuses.size(), () -> statuses.toString());
      assertEquals("HTTP/1.1 403 Forbidden", statuses.get(0));
      // Flink's own answer: this one has no routes.
      assertTrue(statuses.get(1).endsWith("HTTP/1.1 404 Not Found"), statuses.get(1));
    }
  }

  @Test
  void leavesAProgramsFormToFlink() throws IOException {
    String body = FILE + "left here\r\n--x--\r\n";
    assertEquals(
        "HTTP/1.1 404 Not Found",
        answer(
            "POST /jars/upload HTTP/1.1\r\n" + FORM + "content-length: " + body.length() + "\r\n",
            body.getBytes(StandardCharsets.US_ASCII)));
  }
}
