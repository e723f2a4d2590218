package statefun.guard;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * Whether a job may start on what was found. Without its newest checkpoint it would decide again what it has already decided, or
 * skip what it has not: neither may ever happen silently.
 */
final class Refusal {
  static final String FROM_LATEST =
      " Go on from its newest complete checkpoint: npm run cluster -- up --from-latest (in containers: docker compose run --rm from-latest);";
  static final String START_OVER =
      " start over, which forgets all topics and state: npm run cluster -- down --wipe (in containers: docker compose down -v)";

  private Refusal() {}

  /** Why it must not, and what to do; empty when it may. */
  static Optional<String> of(Found found) {
    if (found.end != null)
      return Optional.of(
          "the job has ended for good ("
              + found.end
              + "), and Flink has forgotten where it was: it would decide every transaction again."
              + FROM_LATEST
              + " or"
              + START_OVER);
    if (found.origin == null)
      return found.decided
          ? Optional.of(
              "the topics hold decisions, but ZooKeeper has lost the pointer to their checkpoint: every transaction"
                  + " would be decided again."
                  + FROM_LATEST
                  + " or"
                  + START_OVER)
          : Optional.empty();
    if (found.gone)
      return Optional.of(
          "the checkpoint " + found.origin + " is not in the object store. Bring it back; or" + START_OVER);
    for (Map.Entry<TopicPartition, Found.Offsets> one : found.offsets.entrySet()) {
      String place = one.getKey().topic() + "[" + one.getKey().partition() + "]";
      Optional<String> why = of(place, one.getValue());
      if (why.isPresent())
        return Optional.of(
            why.get()
                + " The checkpoint is "
                + found.origin
                + "."
                + (isOld(one.getValue()) ? FROM_LATEST : " Bring back what it belongs to;")
                + " or"
                + START_OVER);
    }
    return Optional.empty();
  }

  /** Whether a newer checkpoint has read more: the group commits what a checkpoint has read once it is complete. */
  private static boolean isOld(Found.Offsets at) {
    return at.position != null && at.committed != null && at.committed > at.position;
  }

  private static Optional<String> of(String place, Found.Offsets at) {
    if (at.position == null) return Optional.empty();
    if (at.first == null || at.end == null)
      return Optional.of(place + ", which the checkpoint has read, is gone from Kafka.");
    if (at.position > at.end)
      return Optional.of(
          String.format(
              "the checkpoint has read %s up to offset %d, but that ends at %d: it was made again, or has lost records,"
                  + " and new ones would be skipped.",
              place, at.position, at.end));
    if (at.position < at.first)
      return Optional.of(
          String.format(
              "%s begins at offset %d, and the checkpoint has read it up to %d: the %d between were removed (see"
                  + " retention.ms and retention.bytes) before they were decided.",
              place, at.first, at.position, at.first - at.position));
    if (isOld(at))
      return Optional.of(
          String.format(
              "the job had read %s up to offset %d and has said so to Kafka, but the checkpoint only up to %d: it is not"
                  + " the newest, and what lies between would be decided again (or someone has reset the group's offsets).",
              place, at.committed, at.position));
    return Optional.empty();
  }
}
