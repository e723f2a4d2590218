package statefun.storage;

import java.io.IOException;
import java.util.Set;
import org.apache.flink.api.common.JobID;
import org.apache.flink.core.fs.EntropyInjector;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.state.CheckpointStorage;
import org.apache.flink.runtime.state.CheckpointStorageAccess;
import org.apache.flink.runtime.state.CompletedCheckpointStorageLocation;
import org.apache.flink.runtime.state.filesystem.FsCheckpointStorageAccess;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;

/**
 * Flink's own storage of checkpoints in a file system: the same objects under the same names, and so the same checkpoints. In an object
 * store it asks less often, while the job waits, whether an object is there. Savepoints are Flink's alone. It is for
 * flink-s3-fs-presto, the S3 file system that Flink recommends for checkpoints.
 */
public final class ObjectStoreStorage implements CheckpointStorage {
  private static final long serialVersionUID = 1;
  /** Those of flink-s3-fs-presto. flink-s3-fs-hadoop leaves an object in place of an empty folder, which has to be deleted. */
  private static final Set<String> SCHEMES = Set.of("s3", "s3p");

  private final FileSystemCheckpointStorage own;

  ObjectStoreStorage(FileSystemCheckpointStorage own) {
    this.own = own;
  }

  @Override
  public CompletedCheckpointStorageLocation resolveCheckpoint(String pointer) throws IOException {
    return own.resolveCheckpoint(pointer);
  }

  @Override
  public CheckpointStorageAccess createCheckpointStorage(JobID job) throws IOException {
    Path folder = own.getCheckpointPath();
    return new FsCheckpointStorageAccess(
        sparing(folder.getFileSystem(), folder),
        folder,
        own.getSavepointPath(),
        job,
        own.getMinFileSizeThreshold(),
        own.getWriteBufferSize());
  }

  /** Others, and one that changes the names of objects, which Flink asks it to by its class, stay as they are. */
  static FileSystem sparing(FileSystem files, Path folder) {
    return SCHEMES.contains(files.getUri().getScheme()) && !EntropyInjector.isEntropyInjecting(files, folder)
        ? new SparingFileSystem(files)
        : files;
  }
}
