package statefun.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class RefusalTest {
  private static Found found(String origin, boolean decided) {
    Found found = new Found();
    found.origin = origin;
    found.decided = decided;
    return found;
  }

  /** A checkpoint that has read a partition up to 100. */
  private static Found read(Long committed, Long first, Long end) {
    Found found = found("s3://bucket/checkpoints/1/chk-7", false);
    Found.Offsets at = found.of(new TopicPartition("transactions.valid", 3));
    at.position = 100L;
    at.committed = committed;
    at.first = first;
    at.end = end;
    return found;
  }

  private static void refuses(Found found, String why) {
    Optional<String> refusal = Refusal.of(found);
    assertTrue(refusal.isPresent() && refusal.get().contains(why), () -> "said: " + refusal);
    assertTrue(refusal.get().contains("npm run cluster -- "), () -> "names no cure: " + refusal);
  }

  @Test
  void letsAFirstStartPass() {
    assertEquals(Optional.empty(), Refusal.of(found(null, false)));
  }

  @Test
  void letsAJobGoOnWhereItsTopicsGoOn() {
    assertEquals(Optional.empty(), Refusal.of(read(100L, 0L, 500L)));
    assertEquals(Optional.empty(), Refusal.of(read(90L, 100L, 100L)));
    assertEquals(Optional.empty(), Refusal.of(read(null, 100L, 101L)));
  }

  @Test
  void letsAPartitionPassThatTheCheckpointHasNotRead() {
    Found found = read(100L, 0L, 500L);
    found.of(new TopicPartition("transactions.valid", 1)).committed = 12L;
    assertEquals(Optional.empty(), Refusal.of(found));
  }

  @Test
  void refusesAJobThatHasEnded() {
    Found found = new Found();
    found.end = "CANCELED";
    refuses(found, "ended for good (CANCELED)");
  }

  @Test
  void refusesDecisionsWithoutAPointer() {
    refuses(found(null, true), "lost the pointer");
  }

  @Test
  void refusesACheckpointThatIsGone() {
    Found found = found("s3://bucket/checkpoints/1/chk-7", false);
    found.gone = true;
    refuses(found, "chk-7 is not in the object store");
  }

  @Test
  void refusesWhatWasRemovedBeforeItWasDecided() {
    refuses(read(100L, 130L, 500L), "the 30 between were removed");
  }

  @Test
  void refusesATopicThatIsShorterThanWhatWasRead() {
    refuses(read(100L, 0L, 99L), "ends at 99");
  }

  @Test
  void refusesATopicThatIsGone() {
    refuses(read(100L, null, null), "transactions.valid[3], which the checkpoint has read, is gone");
  }

  @Test
  void refusesACheckpointThatIsOlderThanWhatWasCommitted() {
    refuses(read(101L, 0L, 500L), "it is not the newest");
  }
}
