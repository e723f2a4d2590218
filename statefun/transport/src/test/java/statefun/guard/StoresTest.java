package statefun.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.HighAvailabilityOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoresTest {
  private static final String FIRST = "0".repeat(32);
  private static final String SECOND = "0".repeat(31) + "1";

  @TempDir Path storage;

  /** How the job has ended that this command line starts. */
  private String end(String command) throws IOException {
    Configuration configuration = new Configuration();
    configuration.set(HighAvailabilityOptions.HA_STORAGE_PATH, storage.toUri().toString());
    configuration.set(HighAvailabilityOptions.HA_CLUSTER_ID, "/fraud");
    return new Stores(configuration, null, command).end();
  }

  private void hasEnded(String job, String status) throws IOException {
    Path folder = Files.createDirectories(storage.resolve("job-result-store/fraud"));
    Files.writeString(
        folder.resolve(job + ".json"), "{\"result\":{\"id\":\"" + job + "\",\"application-status\":\"" + status + "\"}}");
  }

  @Test
  void findsTheEndOfTheJobWhateverItsId() throws IOException {
    assertNull(end("Main --configDir conf"));
    hasEnded(FIRST, "CANCELED");
    assertEquals("CANCELED", end("Main --configDir conf"));
    assertEquals("CANCELED", end("Main --configDir conf --job-id " + FIRST));
  }

  @Test
  void takesTheEndOfAnEarlierGenerationForThatAlone() throws IOException {
    hasEnded(FIRST, "CANCELED");
    assertNull(end("Main --configDir conf --job-id " + SECOND + " --fromSavepoint s3://statefun/checkpoints/1/chk-7"));
    hasEnded(SECOND, "FAILED");
    assertEquals("FAILED", end("Main --configDir conf --job-id " + SECOND));
  }
}
