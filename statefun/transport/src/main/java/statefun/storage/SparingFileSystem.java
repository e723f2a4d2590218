package statefun.storage;

import java.io.IOException;
import java.net.URI;
import org.apache.flink.core.fs.BlockLocation;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.FileSystemKind;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.RecoverableWriter;
import org.apache.flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess;

/**
 * An object store, for what Flink does there with the checkpoints of one job, and for nothing else. To find that an object is not there
 * takes three requests: the object, one with a slash after its name, and a list of what begins so.
 */
final class SparingFileSystem extends FileSystem {
  private final FileSystem store;

  SparingFileSystem(FileSystem store) {
    this.store = store;
  }

  /**
   * Does not look whether it is there. State gets a random name, so that it cannot be. Of a checkpoint's metadata Flink asks that itself
   * just before, with {@link #exists}.
   */
  @Override
  public FSDataOutputStream create(Path path, WriteMode mode) throws IOException {
    return store.create(path, WriteMode.OVERWRITE);
  }

  /**
   * The folder of a checkpoint whose objects were deleted, one by one, is no more: an object store has no folders. Asked to delete it,
   * the store would look six times whether there is anything.
   */
  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    if (!recursive && path.getName().startsWith(AbstractFsCheckpointStorageAccess.CHECKPOINT_DIR_PREFIX)) return true;
    return store.delete(path, recursive);
  }

  @Override
  public boolean exists(Path path) throws IOException {
    return store.exists(path);
  }

  @Override
  public RecoverableWriter createRecoverableWriter() throws IOException {
    return store.createRecoverableWriter();
  }

  @Override
  public boolean mkdirs(Path path) throws IOException {
    return store.mkdirs(path);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    return store.rename(from, to);
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    return store.open(path, bufferSize);
  }

  @Override
  public FSDataInputStream open(Path path) throws IOException {
    return store.open(path);
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    return store.getFileStatus(path);
  }

  @Override
  public FileStatus[] listStatus(Path path) throws IOException {
    return store.listStatus(path);
  }

  @Override
  public BlockLocation[] getFileBlockLocations(FileStatus file, long start, long length) throws IOException {
    return store.getFileBlockLocations(file, start, length);
  }

  @Override
  public Path getWorkingDirectory() {
    return store.getWorkingDirectory();
  }

  @Override
  public Path getHomeDirectory() {
    return store.getHomeDirectory();
  }

  @Override
  public URI getUri() {
    return store.getUri();
  }

  @Override
  public boolean isDistributedFS() {
    return store.isDistributedFS();
  }

  @Override
  @SuppressWarnings("deprecation")
  public FileSystemKind getKind() {
    return store.getKind();
  }
}
