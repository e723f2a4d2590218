package statefun.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BatchingSpecTest {
  private static BatchingSpec spec(String json) throws IOException {
    return BatchingSpec.from((ObjectNode) new ObjectMapper().readTree(json.replace('\'', '"')));
  }

  @Test
  void hasDefaults() throws IOException {
    BatchingSpec spec = spec("{}");
    assertEquals(2, spec.requestsInFlight);
    assertEquals(8, spec.maxRequests);
    assertEquals(256, spec.maxBatchCalls);
    assertEquals(1024 * 1024, spec.maxBatchBytes);
    assertEquals(32 * 1024 * 1024, spec.maxReplyBytes);
    assertEquals(Duration.ofSeconds(30), spec.maxConnectionAge);
    assertEquals(Duration.ofMinutes(1), spec.callTimeout);
    assertEquals(Duration.ofSeconds(5), spec.connectTimeout);
    assertEquals(Duration.ofSeconds(5), spec.silenceTimeout);
    assertNull(spec.trustCaCerts);
    assertNull(spec.clientCert);
    assertNull(spec.clientKey);
    assertNull(spec.clientKeyPassword);
  }

  @Test
  void takesEachSetting() throws IOException {
    BatchingSpec spec =
        spec(
            "{'type': 'statefun.transports.v1/batching', 'requests_in_flight': 3, 'max_requests': 4, 'max_batch_calls': 5, 'max_batch_bytes': 6000, 'payload_max_bytes': 7000,"
                + "'max_connection_age': '8s', 'timeouts': {'call': '9s', 'connect': '10ms', 'silence': '11min'},"
                + "'trust_cacerts': 'a', 'client_cert': 'b', 'client_key': 'c', 'client_key_password': 'd'}");
    assertEquals(3, spec.requestsInFlight);
    assertEquals(4, spec.maxRequests);
    assertEquals(5, spec.maxBatchCalls);
    assertEquals(6000, spec.maxBatchBytes);
    assertEquals(7000, spec.maxReplyBytes);
    assertEquals(Duration.ofSeconds(8), spec.maxConnectionAge);
    assertEquals(Duration.ofSeconds(9), spec.callTimeout);
    assertEquals(Duration.ofMillis(10), spec.connectTimeout);
    assertEquals(Duration.ofMinutes(11), spec.silenceTimeout);
    assertEquals("a", spec.trustCaCerts);
    assertEquals("b", spec.clientCert);
    assertEquals("c", spec.clientKey);
    assertEquals("d", spec.clientKeyPassword);
  }

  @Test
  void takesWhatTheAsynchronousTransportHas() throws IOException {
    BatchingSpec spec = spec("{'call': '2m', 'connect': '3s', 'pool_size': 1024, 'pool_ttl': '15s', 'payload_max_bytes': 33554432}");
    assertEquals(Duration.ofMinutes(2), spec.callTimeout);
    assertEquals(Duration.ofSeconds(3), spec.connectTimeout);
  }

  @Test
  void asManyRequestsMayGoAsAreMeantToBeInFlight() throws IOException {
    assertEquals(20, spec("{'requests_in_flight': 20}").maxRequests);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "requests_in_flight | {\"requests_in_flight\": 0}",
        "requests_in_flight | {\"requests_in_flight\": 65}",
        "requests_in_flight | {\"requests_in_flight\": 1.5}",
        "requests_in_flight | {\"requests_in_flight\": \"two\"}",
        "max_requests | {\"max_requests\": 1}",
        "max_batch_calls | {\"max_batch_calls\": 0}",
        "max_batch_bytes | {\"max_batch_bytes\": 1023}",
        "max_batch_bytes | {\"max_batch_bytes\": 99999999999}",
        "payload_max_bytes | {\"payload_max_bytes\": -1}",
        "max_connection_age | {\"max_connection_age\": \"soon\"}",
        "max_connection_age | {\"max_connection_age\": \"9999999d\"}",
        "call | {\"timeouts\": {\"call\": \"0s\"}}",
        "connect | {\"timeouts\": {\"connect\": \"-1s\"}}",
        "connect | {\"connect\": \"25d\"}",
        "silence | {\"timeouts\": {\"silence\": \"\"}}",
        "timeouts | {\"timeouts\": \"1s\"}",
        "max_batch | {\"max_batch\": 1}",
        "calls | {\"timeouts\": {\"calls\": \"1s\"}}",
        "client_key | {\"client_cert\": \"a\"}",
        "client_cert | {\"client_key\": \"a\"}",
      })
  void whatIsWrongIsNamed(String setting, String json) {
    IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, () -> spec(json));
    assertTrue(refusal.getMessage().contains("spec.transport"), refusal.getMessage());
    assertTrue(refusal.getMessage().matches("(?s).*\\b" + setting + "\\b.*"), refusal.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "http://host/statefun, host, 80, /statefun, /statefun/batch, host",
    "http://host:8000/a/b, host, 8000, /a/b, /a/b/batch, host:8000",
    "https://host, host, 443, /, /batch, host",
    "http://host:1/, host, 1, /, /batch, host:1",
    "http://[::1]:8000/statefun/?x=%201, ::1, 8000, /statefun/?x=%201, /statefun/batch?x=%201, [::1]:8000",
  })
  void aUrlHasItsParts(URI url, String host, int port, String singlePath, String batchPath, String authority) {
    Target target = new Target(url);
    assertEquals(host, target.host);
    assertEquals(port, target.port);
    assertEquals(singlePath, target.singlePath);
    assertEquals(batchPath, target.batchPath);
    assertEquals(authority, target.authority);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ftp://host/", "http+unix://%2Ftmp%2Fsocket/statefun", "statefun"})
  void otherUrlsAreRefused(URI url) {
    assertTrue(assertThrows(IllegalArgumentException.class, () -> new Target(url)).getMessage().contains(url.toString()));
  }
}
