package statefun.guard;

import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.java.typeutils.runtime.kryo.KryoSerializer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.HighAvailabilityOptions;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.memory.DataInputViewStreamWrapper;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.CompletedCheckpoint;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.highavailability.FileSystemJobResultStore;
import org.apache.flink.runtime.highavailability.JobResultStoreOptions;
import org.apache.flink.runtime.highavailability.zookeeper.CuratorFrameworkWithUnhandledErrorListener;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.RetrievableStateHandle;
import org.apache.flink.runtime.util.ZooKeeperUtils;
import org.apache.flink.shaded.curator5.org.apache.curator.framework.CuratorFramework;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.connectors.kafka.internals.KafkaTopicPartition;
import org.apache.flink.util.InstantiationUtil;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Looks into ZooKeeper, the object store and Kafka. Changes nothing in any of them. */
final class Stores {
  /** The name under which Flink's Kafka sources keep, in each checkpoint, the offsets that they have read. */
  private static final String SOURCE_OFFSETS = "topic-partition-offset-states";

  private static final Pattern SAVEPOINT = Pattern.compile("(?:--fromSavepoint|-s)[ =](\\S+)");
  private static final Pattern JOB = Pattern.compile("(?:--job-id|-jid)[ =]([0-9a-f]{32})");
  private static final Duration POLL = Duration.ofMillis(500);

  private final Configuration configuration;
  private final GuardSpec spec;
  private final String command;
  /** The job's id where this start was told one: what the stores hold of others, its earlier generations, is not its own. */
  private final Optional<String> job;

  Stores(Configuration configuration, GuardSpec spec) {
    this(configuration, spec, System.getProperty("sun.java.command", ""));
  }

  /** @param command - the JobManager's command line */
  Stores(Configuration configuration, GuardSpec spec, String command) {
    this.configuration = configuration;
    this.spec = spec;
    this.command = command;
    this.job = JOB.matcher(command).results().map(told -> told.group(1)).findFirst();
  }

  private boolean isOfThisJob(String name) {
    return job.isEmpty() || name.startsWith(job.get());
  }

  /**
   * @throws Exception when one of them does not answer
   */
  Found look() throws Exception {
    Found found = new Found();
    found.end = end();
    if (found.end != null) return found;
    Collection<OperatorState> origin = origin(found);
    if (origin == null) {
      found.decided = found.origin == null && holdCommitted();
      return found;
    }
    for (OperatorState operator : origin)
      for (OperatorSubtaskState subtask : operator.getStates())
        for (OperatorStateHandle handle : subtask.getManagedOperatorState()) readPositions(handle, found);
    readOffsets(found);
    return found;
  }

  /** The record of the job's end: Flink keeps it as long as {@code job-result-store.delete-on-commit} is false. */
  String end() throws IOException {
    String storage = configuration.getString(HighAvailabilityOptions.HA_STORAGE_PATH);
    if (storage == null) return null;
    String folder = configuration.getString(JobResultStoreOptions.STORAGE_PATH);
    if (folder == null)
      folder =
          FileSystemJobResultStore.createDefaultJobResultStorePath(
              storage, configuration.getString(HighAvailabilityOptions.HA_CLUSTER_ID));
    Path path = new Path(folder);
    FileSystem files = path.getFileSystem();
    FileStatus[] entries;
    try {
      entries = files.listStatus(path);
    } catch (FileNotFoundException none) {
      return null;
    }
    if (entries == null) return null;
    for (FileStatus entry : entries)
      if (isOfThisJob(entry.getPath().getName()) && entry.getPath().getName().endsWith(".json"))
        return statusIn(files, entry.getPath());
    return null;
  }

  private static String statusIn(FileSystem files, Path entry) throws IOException {
    try (FSDataInputStream in = files.open(entry)) {
      return new ObjectMapper().readTree((java.io.InputStream) in).path("result").path("application-status").asText("UNKNOWN");
    }
  }

  /** The states that the job begins with; null when there are none. */
  private Collection<OperatorState> origin(Found found) throws Exception {
    CompletedCheckpoint newest = null;
    try {
      newest = pointedTo(found);
    } catch (Exception error) {
      if (!isGone(error)) throw error;
      found.gone = true;
      return null;
    }
    if (newest != null) {
      found.gone = !isThere(newest.getExternalPointer());
      return found.gone ? null : newest.getOperatorStates().values();
    }
    Matcher told = SAVEPOINT.matcher(command);
    if (!told.find()) return null;
    found.origin = told.group(1);
    found.gone = !isThere(found.origin);
    if (found.gone) return null;
    Path metadata = metadataOf(found.origin);
    try (FSDataInputStream in = metadata.getFileSystem().open(metadata);
        DataInputStream data = new DataInputStream(in)) {
      return Checkpoints.loadCheckpointMetadata(data, getClass().getClassLoader(), found.origin).getOperatorStates();
    }
  }

  /** The newest checkpoint that ZooKeeper points to; null if there is none. */
  private CompletedCheckpoint pointedTo(Found found) throws Exception {
    if (!ZooKeeperUtils.isZooKeeperRecoveryMode(configuration)) return null;
    try (CuratorFrameworkWithUnhandledErrorListener connection =
        ZooKeeperUtils.startCuratorFramework(configuration, error -> {})) {
      CuratorFramework zookeeper = connection.asCuratorFramework();
      String newest = null;
      String name = "";
      for (String one : children(zookeeper, ZooKeeperUtils.getJobsPath())) {
        if (!isOfThisJob(one)) continue;
        String checkpoints = ZooKeeperUtils.getJobsPath() + "/" + one + "/checkpoints";
        for (String checkpoint : children(zookeeper, checkpoints)) {
          if (checkpoint.compareTo(name) <= 0) continue;
          name = checkpoint;
          newest = checkpoints + "/" + checkpoint;
        }
      }
      if (newest == null) return null;
      found.origin = "that ZooKeeper's " + newest + " points to";
      RetrievableStateHandle<CompletedCheckpoint> handle =
          InstantiationUtil.deserializeObject(zookeeper.getData().forPath(newest), getClass().getClassLoader());
      CompletedCheckpoint checkpoint = handle.retrieveState();
      found.origin = checkpoint.getExternalPointer();
      return checkpoint;
    }
  }

  private static List<String> children(CuratorFramework zookeeper, String path) throws Exception {
    return zookeeper.checkExists().forPath(path) == null
        ? Collections.emptyList()
        : zookeeper.getChildren().forPath(path);
  }

  private static Path metadataOf(String pointer) {
    return pointer.endsWith("/_metadata") ? new Path(pointer) : new Path(pointer, "_metadata");
  }

  private static boolean isThere(String pointer) throws IOException {
    Path metadata = metadataOf(pointer);
    return metadata.getFileSystem().exists(metadata);
  }

  /** Whether a read failed because an object is missing, and not because the store does not answer. */
  static boolean isGone(Throwable error) {
    for (Throwable one = error; one != null; one = one.getCause())
      if (one instanceof FileNotFoundException
          || String.valueOf(one.getMessage()).matches("(?s).*(NoSuchKey|NoSuchBucket|Status Code: 404).*")) return true;
    return false;
  }

  /** As Flink's Kafka sources write them: pairs of a partition and the offset read last. */
  private static void readPositions(OperatorStateHandle handle, Found found) throws IOException {
    OperatorStateHandle.StateMetaInfo list = handle.getStateNameToPartitionOffsets().get(SOURCE_OFFSETS);
    if (list == null) return;
    KryoSerializer<KafkaTopicPartition> partitions =
        new KryoSerializer<>(KafkaTopicPartition.class, new ExecutionConfig());
    try (FSDataInputStream in = handle.openInputStream()) {
      DataInputViewStreamWrapper view = new DataInputViewStreamWrapper(in);
      for (long at : list.getOffsets()) {
        in.seek(at);
        KafkaTopicPartition partition = partitions.deserialize(view);
        long read = LongSerializer.INSTANCE.deserialize(view);
        // Nothing has been read from it yet: it begins where the ingress does.
        if (read < 0) continue;
        found.of(new TopicPartition(partition.getTopic(), partition.getPartition())).position = read + 1;
      }
    }
  }

  private void readOffsets(Found found) throws Exception {
    if (found.offsets.isEmpty()) return;
    Set<String> topics = found.offsets.keySet().stream().map(TopicPartition::topic).collect(Collectors.toSet());
    try (Admin admin = Admin.create(spec.properties)) {
      Map<String, Integer> partitions = new HashMap<>();
      for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
          admin.describeTopics(topics).topicNameValues().entrySet())
        partitions.put(topic.getKey(), partitionsOf(topic.getValue()));
      Map<TopicPartition, OffsetSpec> first = new HashMap<>();
      Map<TopicPartition, OffsetSpec> end = new HashMap<>();
      for (TopicPartition partition : found.offsets.keySet()) {
        if (partition.partition() >= partitions.get(partition.topic())) continue;
        first.put(partition, OffsetSpec.earliest());
        end.put(partition, OffsetSpec.latest());
      }
      // All are asked before the first answer is awaited: a recovery waits for this.
      KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> begins = admin.listOffsets(first).all();
      KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> ends = admin.listOffsets(end).all();
      KafkaFuture<Map<TopicPartition, OffsetAndMetadata>> committed =
          admin.listConsumerGroupOffsets(spec.consumerGroupId).partitionsToOffsetAndMetadata();
      begins.get().forEach((partition, info) -> found.of(partition).first = info.offset());
      ends.get().forEach((partition, info) -> found.of(partition).end = info.offset());
      committed
          .get()
          .forEach(
              (partition, offset) -> {
                if (offset != null) found.of(partition).committed = offset.offset();
              });
    }
  }

  /** How many partitions a topic has; 0 when it does not exist. */
  private static int partitionsOf(KafkaFuture<TopicDescription> topic) throws Exception {
    try {
      return topic.get().partitions().size();
    } catch (ExecutionException error) {
      if (error.getCause() instanceof UnknownTopicOrPartitionException) return 0;
      throw error;
    }
  }

  /** Offsets alone don't tell: aborted transactions, and the markers that end transactions, take offsets too. */
  private boolean holdCommitted() throws Exception {
    Properties properties = new Properties();
    properties.putAll(spec.properties);
    properties.put("isolation.level", "read_committed");
    properties.put("enable.auto.commit", "false");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (String topic : spec.outputs)
        consumer.partitionsFor(topic).forEach(one -> partitions.add(new TopicPartition(topic, one.partition())));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (true) {
        if (!consumer.poll(POLL).isEmpty()) return true;
        boolean all = true;
        for (TopicPartition one : partitions) all &= consumer.position(one) >= ends.get(one);
        if (all) return false;
      }
    }
  }
}
