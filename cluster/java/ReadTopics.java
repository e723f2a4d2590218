import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads topics from given offsets to the end that they have now, with Kafka's own consumer, and prints what it read: a
 * line "r topic partition offset timestamp key value" for each record (base64, "-" for null), then a line
 * "p topic partition from lastStableOffset highWatermark" for each partition. Ends exactly: no record is waited for that
 * is not there.
 *
 * <p>With "follow" for the number of records it reads on, what comes as it comes, until its standard input ends; then it
 * reads to the end that the topics have by then.
 *
 * <p>Arguments: brokers, isolation level, limit in seconds, greatest number of records or 0, then each topic as "topic" or
 * "topic/partition,...", with ":partition=offset,..." after it for where to begin.
 */
public final class ReadTopics {
  public static void main(String[] args) {
    long deadline = System.nanoTime() + Duration.ofSeconds(Long.parseLong(args[2])).toNanos();
    Properties properties = new Properties();
    properties.put("bootstrap.servers", args[0]);
    properties.put("isolation.level", args[1]);
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "earliest");
    properties.put("max.poll.records", "5000");
    properties.put("default.api.timeout.ms", "15000");
    if (args[3].equals("follow")) {
      // It is in no hurry, and shares the processors with what it watches.
      properties.put("fetch.min.bytes", "131072");
      properties.put("fetch.max.wait.ms", "1000");
    }
    try (KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        KafkaConsumer<byte[], byte[]> uncommitted =
            new KafkaConsumer<>(readUncommitted(properties), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      Map<TopicPartition, Long> starts = new HashMap<>();
      List<TopicPartition> partitions = new ArrayList<>();
      for (int i = 4; i < args.length; i++) {
        String[] parts = args[i].split(":", 2);
        String[] named = parts[0].split("/", 2);
        List<String> only = named.length == 2 ? List.of(named[1].split(",")) : null;
        List<PartitionInfo> infos = consumer.partitionsFor(named[0]);
        if (infos == null || infos.isEmpty()) throw new IllegalArgumentException("there is no topic " + named[0]);
        for (PartitionInfo info : infos) {
          if (only == null || only.contains(String.valueOf(info.partition()))) partitions.add(new TopicPartition(named[0], info.partition()));
        }
        if (parts.length == 2) {
          for (String start : parts[1].split(",")) {
            String[] pair = start.split("=");
            starts.put(new TopicPartition(named[0], Integer.parseInt(pair[0])), Long.parseLong(pair[1]));
          }
        }
      }
      Map<TopicPartition, Long> highWatermarks = uncommitted.endOffsets(partitions);
      // For a read_committed consumer the end is the last stable offset.
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      Map<TopicPartition, Long> lastStable = args[1].equals("read_committed") ? ends : readCommittedEnds(properties, partitions);
      Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(partitions);
      consumer.assign(partitions);
      for (TopicPartition partition : partitions) {
        starts.merge(partition, beginnings.get(partition), Math::max);
        consumer.seek(partition, starts.get(partition));
      }
      StringBuilder out = new StringBuilder();
      if (args[3].equals("follow")) follow(consumer, partitions, out);
      long left = args[3].equals("follow") ? 0 : args[3].equals("0") ? Long.MAX_VALUE : Long.parseLong(args[3]);
      while (left > 0) {
        boolean done = true;
        for (TopicPartition partition : partitions) {
          if (consumer.position(partition) < ends.get(partition)) done = false;
        }
        if (done) break;
        if (System.nanoTime() > deadline) throw new IllegalStateException("not at the end of " + partitions + " in time");
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          TopicPartition partition = new TopicPartition(record.topic(), record.partition());
          if (record.offset() >= ends.get(partition) || left == 0) continue;
          left--;
          print(record, out);
        }
        System.out.print(out);
        out.setLength(0);
      }
      for (TopicPartition partition : partitions) {
        out.append("p ").append(partition.topic()).append(' ').append(partition.partition()).append(' ');
        out.append(starts.get(partition)).append(' ').append(lastStable.get(partition)).append(' ');
        out.append(highWatermarks.get(partition)).append('\n');
      }
      System.out.print(out);
      System.out.flush();
    } catch (Exception error) {
      System.err.println(error.getClass().getSimpleName() + ": " + error.getMessage());
      System.exit(1);
    }
  }

  private static void follow(
      KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions, StringBuilder out) {
    AtomicBoolean ended = new AtomicBoolean();
    Thread stdin =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {}
              } catch (IOException gone) {
                // As good as its end.
              }
              ended.set(true);
            });
    stdin.setDaemon(true);
    stdin.start();
    Map<TopicPartition, Long> ends = null;
    while (true) {
      if (ended.get() && ends == null) ends = consumer.endOffsets(partitions);
      if (ends != null) {
        boolean done = true;
        for (TopicPartition partition : partitions) {
          if (consumer.position(partition) < ends.get(partition)) done = false;
        }
        if (done) return;
      }
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) print(record, out);
      System.out.print(out);
      System.out.flush();
      out.setLength(0);
    }
  }

  private static void print(ConsumerRecord<byte[], byte[]> record, StringBuilder out) {
    out.append("r ").append(record.topic()).append(' ').append(record.partition()).append(' ');
    out.append(record.offset()).append(' ').append(record.timestamp()).append(' ');
    out.append(base64(record.key())).append(' ').append(base64(record.value())).append('\n');
  }

  private static Properties readUncommitted(Properties properties) {
    Properties copy = (Properties) properties.clone();
    copy.put("isolation.level", "read_uncommitted");
    return copy;
  }

  private static Map<TopicPartition, Long> readCommittedEnds(Properties properties, List<TopicPartition> partitions) {
    Properties copy = (Properties) properties.clone();
    copy.put("isolation.level", "read_committed");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(copy, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      return consumer.endOffsets(partitions);
    }
  }

  private static String base64(byte[] bytes) {
    if (bytes == null) return "-";
    return bytes.length == 0 ? "=" : Base64.getEncoder().encodeToString(bytes);
  }
}
