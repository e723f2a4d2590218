import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
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
 * Reads topics from given offsets to their present end, with Kafka's own consumer, and writes what it reads to its standard output:
 * first a frame for each partition, then one for each record. Ends exactly there: it never waits for a record that does not exist
 * yet.
 *
 * <p>A frame, in network byte order: its length without these 4 bytes; 'p' or 'r'; the number of the topic among the arguments (2
 * bytes); the partition (4). Then for a partition, 8 bytes each: the offset to read from, the last stable offset, the high
 * watermark. For a record: offset and timestamp (8 each); key and value, each after its length (4), -1 for null.
 *
 * <p>With "follow" instead of the number of records it goes on reading records as they come, until its standard input ends; then it
 * reads to the end that the topics have by then.
 *
 * <p>Arguments: brokers, isolation level, seconds without a record after which it gives up, greatest number of records or 0, then
 * each topic as "topic" or "topic/partition,...", followed by ":partition=offset,..." for where to begin.
 */
public final class ReadTopics {
  private static final int OUT_BYTES = 1 << 18;
  private static final int HEAD_BYTES = 7;

  public static void main(String[] args) {
    long patience = Duration.ofSeconds(Long.parseLong(args[2])).toNanos();
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
      Map<String, Integer> topics = new HashMap<>();
      for (int i = 4; i < args.length; i++) {
        String[] parts = args[i].split(":", 2);
        String[] named = parts[0].split("/", 2);
        topics.putIfAbsent(named[0], topics.size());
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
      DataOutputStream out = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), OUT_BYTES));
      for (TopicPartition partition : partitions) {
        out.writeInt(HEAD_BYTES + 24);
        head('p', topics.get(partition.topic()), partition.partition(), out);
        out.writeLong(starts.get(partition));
        out.writeLong(lastStable.get(partition));
        out.writeLong(highWatermarks.get(partition));
      }
      out.flush();
      if (args[3].equals("follow")) follow(consumer, partitions, topics, out);
      long left = args[3].equals("follow") ? 0 : args[3].equals("0") ? Long.MAX_VALUE : Long.parseLong(args[3]);
      long deadline = System.nanoTime() + patience;
      long reached = -1;
      while (left > 0) {
        boolean done = true;
        long positions = 0;
        for (TopicPartition partition : partitions) {
          long position = consumer.position(partition);
          positions += position;
          if (position < ends.get(partition)) done = false;
        }
        if (done) break;
        // Aborted records are skipped silently.
        if (positions != reached) deadline = System.nanoTime() + patience;
        reached = positions;
        if (System.nanoTime() > deadline) throw new IllegalStateException("not at the end of " + partitions + " in time");
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          TopicPartition partition = new TopicPartition(record.topic(), record.partition());
          if (record.offset() >= ends.get(partition) || left == 0) continue;
          left--;
          write(record, topics, out);
        }
      }
      out.flush();
    } catch (Exception error) {
      System.err.println(error.getClass().getSimpleName() + ": " + error.getMessage());
      System.exit(1);
    }
  }

  private static void follow(
      KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions, Map<String, Integer> topics, DataOutputStream out) throws IOException {
    AtomicBoolean ended = new AtomicBoolean();
    Thread stdin =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {}
              } catch (IOException gone) {
                // As good as the end of the input.
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
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) write(record, topics, out);
      out.flush();
    }
  }

  private static void write(ConsumerRecord<byte[], byte[]> record, Map<String, Integer> topics, DataOutputStream out) throws IOException {
    byte[] key = record.key();
    byte[] value = record.value();
    out.writeInt(HEAD_BYTES + 24 + (key == null ? 0 : key.length) + (value == null ? 0 : value.length));
    head('r', topics.get(record.topic()), record.partition(), out);
    out.writeLong(record.offset());
    out.writeLong(record.timestamp());
    write(key, out);
    write(value, out);
  }

  private static void head(char kind, int topic, int partition, DataOutputStream out) throws IOException {
    out.writeByte(kind);
    out.writeShort(topic);
    out.writeInt(partition);
  }

  private static void write(byte[] bytes, DataOutputStream out) throws IOException {
    out.writeInt(bytes == null ? -1 : bytes.length);
    if (bytes != null) out.write(bytes);
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
}
