package statefun.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names are those of {@code src/test/resources/hosts}. */
@Timeout(120)
class TlsTest {
  private static final char[] PASSWORD = "changeit".toCharArray();

  @TempDir static Path folder;

  private final List<AutoCloseable> opened = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : opened) each.close();
    opened.clear();
  }

  /** A server for right.test, and a client: each with a certificate that it signed itself. */
  @BeforeAll
  static void makeCertificates() throws Exception {
    List<Process> running = new ArrayList<>();
    for (String name : List.of("right.test", "client.test")) {
      running.add(
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias", name, "-keyalg", "EC", "-groupname", "secp256r1",
                  "-dname", "CN=" + name, "-ext", "SAN=dns:" + name, "-validity", "30", "-storetype", "PKCS12", "-keystore", folder.resolve(name + ".p12").toString(), "-storepass", new String(PASSWORD))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start());
    }
    for (Process keytool : running) assertTrue(keytool.waitFor(60, TimeUnit.SECONDS) && keytool.exitValue() == 0, "keytool failed");
    for (String name : List.of("right.test", "client.test")) {
      KeyStore store = store(name);
      pem(name + ".pem", "CERTIFICATE", store.getCertificate(name).getEncoded());
      pem(name + ".key", "PRIVATE KEY", store.getKey(name, PASSWORD).getEncoded());
    }
  }

  private static KeyStore store(String name) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(folder.resolve(name + ".p12"))) {
      store.load(in, PASSWORD);
    }
    return store;
  }

  private static String pem(String file, String what, byte[] bytes) throws IOException {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
    return Files.writeString(folder.resolve(file), "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n").toString();
  }

  private static String file(String name) {
    return folder.resolve(name).toString();
  }

  /** @param clients whose certificates it takes; null: it asks for none */
  private FakeServer server(String clients, String... protocols) throws Exception {
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store("right.test"), PASSWORD);
    TrustManagerFactory trust = null;
    if (clients != null) {
      KeyStore known = KeyStore.getInstance("PKCS12");
      known.load(null, null);
      known.setCertificateEntry(clients, store(clients).getCertificate(clients));
      trust = TrustManagerFactory.getInstance("PKIX");
      trust.init(known);
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust == null ? null : trust.getTrustManagers(), null);
    FakeServer server =
        new FakeServer(
            () -> {
              SSLServerSocket socket = (SSLServerSocket) context.getServerSocketFactory().createServerSocket();
              socket.setNeedClientAuth(clients != null);
              if (protocols.length > 0) socket.setEnabledProtocols(protocols);
              return socket;
            },
            "127.0.0.1",
            0,
            FakeServer.Request::answerAll);
    opened.add(server);
    return server;
  }

  private TestClient client(String host, FakeServer server, Object... settings) {
    List<Object> all = new ArrayList<>(List.of("call", "1s"));
    all.addAll(List.of(settings));
    TestClient client = new TestClient("https://" + host + ":" + server.port + "/statefun", all.toArray());
    opened.add(client);
    return client;
  }

  private static String failure(TestClient client) {
    client.call("refused");
    return TestClient.said(client.failure("refused"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void theRightNameIsAccepted(String protocol) throws Exception {
    FakeServer server = server(null, protocol);
    TestClient client = client("right.test", server, "trust_cacerts", file("right.test.pem"), "call", "60s");
    client.call("call-", 1_000);
    client.assertAllAnswered();
  }

  @Test
  void anotherNameIsRefused() throws Exception {
    FakeServer server = server(null);
    String said = failure(client("other.test", server, "trust_cacerts", file("right.test.pem")));
    assertTrue(said.contains("No subject alternative DNS name matching other.test"), said);
    assertEquals(0, server.requests.size());
  }

  @Test
  void anUnknownAuthorityIsRefused() throws Exception {
    FakeServer server = server(null);
    for (Object[] trust : List.of(new Object[] {"trust_cacerts", file("client.test.pem")}, new Object[0])) {
      String said = failure(client("right.test", server, trust));
      assertTrue(said.contains("https://right.test:" + server.port) && said.contains("unable to find valid certification path"), said);
    }
    assertEquals(0, server.requests.size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void aClientWithoutItsCertificateIsRefused(String protocol) throws Exception {
    FakeServer server = server("client.test", protocol);
    failure(client("right.test", server, "trust_cacerts", file("right.test.pem")));
    failure(client("right.test", server, "trust_cacerts", file("right.test.pem"), "client_cert", file("right.test.pem"), "client_key", file("right.test.key")));
    assertEquals(0, server.requests.size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void aClientWithItsCertificateIsAccepted(String protocol) throws Exception {
    FakeServer server = server("client.test", protocol);
    TestClient client =
        client("right.test", server, "trust_cacerts", file("right.test.pem"), "client_cert", file("client.test.pem"), "client_key", file("client.test.key"), "call", "60s");
    client.call("call");
    client.assertAllAnswered();
  }

  @Test
  void anEncryptedKeyIsReadWithItsPassword() throws Exception {
    String algorithm = "PBEWithSHA1AndDESede";
    Cipher cipher = Cipher.getInstance(algorithm);
    cipher.init(Cipher.ENCRYPT_MODE, SecretKeyFactory.getInstance(algorithm).generateSecret(new PBEKeySpec("secret".toCharArray())));
    AlgorithmParameters parameters = cipher.getParameters();
    byte[] encrypted = new EncryptedPrivateKeyInfo(parameters, cipher.doFinal(store("client.test").getKey("client.test", PASSWORD).getEncoded())).getEncoded();
    String key = pem("encrypted.key", "ENCRYPTED PRIVATE KEY", encrypted);
    String password = Files.writeString(folder.resolve("password"), "secret\n").toString();
    FakeServer server = server("client.test");
    TestClient client =
        client("right.test", server, "trust_cacerts", file("right.test.pem"), "client_cert", file("client.test.pem"), "client_key", key, "client_key_password", password, "call", "60s");
    client.call("call");
    client.assertAllAnswered();
    String wrong = Files.writeString(folder.resolve("wrong"), "wrong").toString();
    assertThrows(
        IllegalArgumentException.class,
        () -> client("right.test", server, "client_cert", file("client.test.pem"), "client_key", key, "client_key_password", wrong));
  }

  @ParameterizedTest
  @ValueSource(strings = {"no-such.pem", "password-like.pem"})
  void aFileThatIsMissingOrUnreadableIsRefusedAtOnce(String name) throws Exception {
    if (name.startsWith("password")) Files.writeString(folder.resolve(name), "no certificate");
    FakeServer server = server(null);
    IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, () -> client("right.test", server, "trust_cacerts", file(name)));
    assertTrue(refusal.getMessage().contains("https://right.test:" + server.port), refusal.getMessage());
  }
}
