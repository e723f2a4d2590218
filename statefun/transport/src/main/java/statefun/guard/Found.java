package statefun.guard;

import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/** What the stores hold of the job before it starts. Offsets are those of the next record to be read. */
final class Found {
  /** How the job has ended for good, such as {@code CANCELED}; null while it has not. */
  String end;

  /**
   * The savepoint that this start was told to begin from, or the newest checkpoint that ZooKeeper points to; null if there is
   * neither.
   */
  String origin;

  /** The origin is not in the object store. */
  boolean gone;

  /** The output topics hold committed records. Known only when there is no origin. */
  boolean decided;

  /** In the order in which they are reported. */
  final Map<TopicPartition, Offsets> offsets = new TreeMap<>(Comparator.comparing(TopicPartition::toString));

  Offsets of(TopicPartition partition) {
    return offsets.computeIfAbsent(partition, one -> new Offsets());
  }

  /** A partition that the job reads. Each value is null where it is not known. */
  static final class Offsets {
    /** The origin's offset. */
    Long position;

    /** What the group has committed. */
    Long committed;

    /** The oldest record's offset; null if the topic or the partition does not exist. */
    Long first;

    /** The offset after the newest record. */
    Long end;
  }
}
