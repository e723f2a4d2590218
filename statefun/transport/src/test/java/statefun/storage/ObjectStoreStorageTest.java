package statefun.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.fs.EntropyInjectingFileSystem;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.local.LocalFileSystem;
import org.apache.flink.core.fs.local.LocalRecoverableWriter;
import org.apache.flink.runtime.state.CheckpointMetadataOutputStream;
import org.apache.flink.runtime.state.CheckpointStateOutputStream;
import org.apache.flink.runtime.state.CheckpointStorageAccess;
import org.apache.flink.runtime.state.CheckpointStorageLocation;
import org.apache.flink.runtime.state.CheckpointStorageLoader;
import org.apache.flink.runtime.state.CheckpointedStateScope;
import org.apache.flink.runtime.state.CompletedCheckpointStorageLocation;
import org.apache.flink.runtime.state.StreamStateHandle;
import org.apache.flink.runtime.state.filesystem.FsCheckpointStorageAccess;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints as Flink writes them, with less asking. */
final class ObjectStoreStorageTest {
  private static final byte[] STATE = new byte[200];

  @TempDir java.nio.file.Path folder;
  private final List<String> asked = new ArrayList<>();
  private Path base;
  private CheckpointStorageAccess storage;

  /** A folder that says that it is an object store, and writes down what it is asked. */
  private class Store extends LocalFileSystem {
    @Override
    public URI getUri() {
      return URI.create("s3://bucket");
    }

    @Override
    public boolean exists(Path path) throws IOException {
      asked.add("exists " + name(path));
      return super.exists(path);
    }

    @Override
    public FSDataOutputStream create(Path path, WriteMode mode) throws IOException {
      FSDataOutputStream out = super.create(path, mode);
      // What a folder looks for itself is no request of Flink's.
      asked.remove(asked.size() - 1);
      asked.add("create " + name(path) + " " + mode);
      return out;
    }

    @Override
    public LocalRecoverableWriter createRecoverableWriter() {
      throw new UnsupportedOperationException("as the S3 file system");
    }

    @Override
    public boolean delete(Path path, boolean recursive) throws IOException {
      asked.add("delete " + name(path) + (recursive ? " and all in it" : ""));
      return super.delete(path, recursive);
    }

    private String name(Path path) {
      return path.getName().matches("_metadata|chk-.*") ? path.getName() : "state";
    }
  }

  private final class Entropy extends Store implements EntropyInjectingFileSystem {
    @Override
    public String getEntropyInjectionKey() {
      return "checkpoints";
    }

    @Override
    public String generateEntropy() {
      return "x";
    }
  }

  @BeforeEach
  void inAnObjectStore() throws Exception {
    base = new Path(folder.toUri());
    storage =
        new FsCheckpointStorageAccess(ObjectStoreStorage.sparing(new Store(), base), base, null, new JobID(), 0, 16);
    storage.initializeBaseLocationsForCheckpoint();
  }

  private CompletedCheckpointStorageLocation metadata(CheckpointStorageLocation location) throws IOException {
    try (CheckpointMetadataOutputStream out = location.createMetadataOutputStream()) {
      out.write(STATE);
      return out.closeAndFinalizeCheckpoint();
    }
  }

  @Test
  void writesStateWithoutLookingAndMetadataAfterOneLook() throws Exception {
    CheckpointStorageLocation location = storage.initializeLocationForCheckpoint(1);
    StreamStateHandle state;
    try (CheckpointStateOutputStream out = location.createCheckpointStateOutputStream(CheckpointedStateScope.EXCLUSIVE)) {
      out.write(STATE);
      state = out.closeAndGetHandle();
    }
    CompletedCheckpointStorageLocation completed = metadata(location);
    assertEquals(List.of("create state OVERWRITE", "exists _metadata", "create _metadata OVERWRITE"), asked);
    try (InputStream in = state.openInputStream();
        InputStream pointer = completed.getMetadataHandle().openInputStream()) {
      assertArrayEquals(STATE, in.readAllBytes());
      assertArrayEquals(STATE, pointer.readAllBytes());
    }
  }

  @Test
  void overwritesNoMetadata() throws Exception {
    metadata(storage.initializeLocationForCheckpoint(1));
    CheckpointStorageLocation again = storage.initializeLocationForCheckpoint(1);
    assertThrows(IOException.class, again::createMetadataOutputStream);
  }

  @Test
  void asksNothingForAFolderThatIsNoObject() throws Exception {
    CompletedCheckpointStorageLocation completed = metadata(storage.initializeLocationForCheckpoint(1));
    asked.clear();
    completed.disposeStorageLocation();
    assertEquals(List.of(), asked);
  }

  @Test
  void deletesAllOfACheckpointThatFailed() throws Exception {
    CheckpointStorageLocation location = storage.initializeLocationForCheckpoint(1);
    metadata(location);
    asked.clear();
    location.disposeOnFailure();
    assertEquals(List.of("delete chk-1 and all in it"), asked);
  }

  @Test
  void leavesOtherFileSystemsAsTheyAre() {
    FileSystem local = new LocalFileSystem();
    assertSame(local, ObjectStoreStorage.sparing(local, base));
    FileSystem entropy = new Entropy();
    assertSame(entropy, ObjectStoreStorage.sparing(entropy, new Path(new Path(base, "checkpoints"), "a")));
  }

  @Test
  void isFoundByItsNameWithFlinksOwnSettings() throws Exception {
    Configuration settings = new Configuration();
    settings.set(CheckpointingOptions.CHECKPOINT_STORAGE, ObjectStoreStorageFactory.class.getName());
    settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, base.toString());
    ObjectStoreStorage found =
        assertInstanceOf(
            ObjectStoreStorage.class,
            CheckpointStorageLoader.fromConfig(settings, getClass().getClassLoader(), null).orElseThrow());
    JobID job = new JobID();
    String pointer = metadata(found.createCheckpointStorage(job).initializeLocationForCheckpoint(7)).getExternalPointer();
    assertEquals(
        metadata(FileSystemCheckpointStorage.createFromConfig(settings, getClass().getClassLoader())
                .createCheckpointStorage(job)
                .initializeLocationForCheckpoint(8))
            .getExternalPointer(),
        pointer.replace("chk-7", "chk-8"));
    assertEquals(pointer, found.resolveCheckpoint(pointer).getExternalPointer());
  }
}
