import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.ClientUtils;
import org.apache.kafka.clients.DefaultHostResolver;
import org.apache.kafka.clients.ManualMetadataUpdater;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.NetworkClientUtils;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;

/**
 * Finds the marker that ended the Kafka transaction of one record, and the one after which a read_committed reader gets to
 * the record: it waits for every transaction that began before, including those of other producers.
 *
 * <p>A consumer hides markers, so this asks the broker as a consumer does, with a fetch request of Kafka's own client, and looks at
 * the batches. Prints "commit" or "abort", then the marker's offset and timestamp, then those of the last marker awaited; "open"
 * when a transaction has not ended; "plain" for a record outside any transaction.
 *
 * <p>Arguments: brokers, topic, partition, offset of the record, limit in seconds.
 */
public final class FindCommit {
  /** How far back to look for transactions that began before the record. */
  private static final long LOOK_BACK = 5_000;
  /** From version 13 on a request names topics by id. */
  private static final short FETCH_VERSION = 12;
  private static final int FETCH_BYTES = 1 << 20;

  public static void main(String[] args) {
    try {
      System.out.println(find(args[0], new TopicPartition(args[1], Integer.parseInt(args[2])), Long.parseLong(args[3]), Integer.parseInt(args[4])));
    } catch (Exception error) {
      System.err.println(error.getClass().getSimpleName() + ": " + error.getMessage());
      System.exit(1);
    }
  }

  private static String find(String brokers, TopicPartition partition, long target, int limitSeconds) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(limitSeconds).toNanos();
    Node leader = leaderOf(brokers, partition);
    try (NetworkClient client = connect(brokers, leader)) {
      // Open transactions that began at or before the record, by producer: where they began.
      Map<Long, Long> open = new HashMap<>();
      Long producer = null;
      String ended = null;
      long at = Math.max(target - LOOK_BACK, 0);
      while (System.nanoTime() < deadline) {
        FetchResponseData.PartitionData data = fetch(client, leader, partition, at);
        if (data.errorCode() == Errors.OFFSET_OUT_OF_RANGE.code() && at < data.logStartOffset()) {
          at = data.logStartOffset();
          continue;
        }
        Errors.forCode(data.errorCode()).maybeThrow();
        long next = at;
        for (RecordBatch batch : FetchResponse.recordsOrFail(data).batches()) {
          if (batch.lastOffset() < at) continue;
          next = batch.nextOffset();
          if (batch.isControlBatch()) {
            Record marker = batch.iterator().next();
            ControlRecordType type = ControlRecordType.parse(marker.key());
            boolean awaited = open.remove(batch.producerId()) != null;
            if (producer != null && producer == batch.producerId() && ended == null) ended = type.name().toLowerCase() + " " + marker.offset() + " " + marker.timestamp();
            if (awaited && producer != null && ended != null && open.isEmpty()) return ended + " " + marker.offset() + " " + marker.timestamp();
          } else if (batch.isTransactional() && batch.baseOffset() <= target) {
            open.putIfAbsent(batch.producerId(), batch.baseOffset());
            if (batch.lastOffset() >= target) producer = batch.producerId();
          } else if (batch.baseOffset() <= target && batch.lastOffset() >= target) {
            return "plain";
          }
        }
        if (next >= data.highWatermark()) return "open";
        at = next;
      }
      throw new IllegalStateException("the end of the transaction was not found in time");
    }
  }

  private static Node leaderOf(String brokers, TopicPartition partition) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers, "request.timeout.ms", "10000", "default.api.timeout.ms", "15000"))) {
      return admin.describeTopics(List.of(partition.topic())).allTopicNames().get().get(partition.topic()).partitions().get(partition.partition()).leader();
    }
  }

  private static NetworkClient connect(String brokers, Node leader) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", brokers);
    properties.put("key.deserializer", ByteArrayDeserializer.class);
    properties.put("value.deserializer", ByteArrayDeserializer.class);
    NetworkClient client =
        ClientUtils.createNetworkClient(
            new ConsumerConfig(properties), "find-commit", new Metrics(), "find-commit", new LogContext(), new ApiVersions(), Time.SYSTEM, 1, 30_000, new ManualMetadataUpdater(), new DefaultHostResolver());
    NetworkClientUtils.awaitReady(client, leader, Time.SYSTEM, 15_000);
    return client;
  }

  private static FetchResponseData.PartitionData fetch(NetworkClient client, Node leader, TopicPartition partition, long offset) throws Exception {
    LinkedHashMap<TopicPartition, FetchRequest.PartitionData> wanted = new LinkedHashMap<>();
    wanted.put(partition, new FetchRequest.PartitionData(Uuid.ZERO_UUID, offset, -1, FETCH_BYTES, Optional.empty()));
    FetchRequest.Builder request = FetchRequest.Builder.forConsumer(FETCH_VERSION, 500, 1, wanted);
    ClientResponse response = NetworkClientUtils.sendAndReceive(client, client.newClientRequest(leader.idString(), request, Time.SYSTEM.milliseconds(), true), Time.SYSTEM);
    FetchResponse answer = (FetchResponse) response.responseBody();
    answer.error().maybeThrow();
    return answer.responseData(Map.of(), FETCH_VERSION).get(partition);
  }
}
