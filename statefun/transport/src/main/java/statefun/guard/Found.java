package statefun.guard;

import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/** What the stores hold of the job before it starts. Offsets are of the next record to be read. */
final class Found {
  /** How the job has ended for good, such as {@code CANCELED}; null while it has not. */
  String end;

  /** The savepoint that this start was told to begin from, or the newest checkpoint that ZooKeeper points to; null: none. */
  String origin;

  /** The origin is not in the object store. */
  boolean gone;

  /** The output topics hold committed records. Known only when there is no origin. */
  boolean decided;

  /** In the order in which people are told of them. */
  final Map<TopicPartition, Offsets> offsets = new TreeMap<>(Comparator.comparing(TopicPartition::toString));

  Offsets of(TopicPartition partition) {
    return offsets.computeIfAbsent(partition, one -> new Offsets());
  }

  /** Of a partition that the job reads. Each is null where nothing is known of it. */
  static final class Offsets {
    /** Of the origin. */
    Long position;

    /** What the group has committed. */
    Long committed;

    /** The oldest record's; null: the topic or the partition is not there. */
    Long first;

    /** After the newest record. */
    Long end;
  }
}
