package statefun.storage;

import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.runtime.state.CheckpointStorageFactory;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;

/** {@code state.checkpoint-storage} in Flink's settings names this class. Everything else is set as for {@code filesystem}. */
public final class ObjectStoreStorageFactory implements CheckpointStorageFactory<ObjectStoreStorage> {
  @Override
  public ObjectStoreStorage createFromConfig(ReadableConfig settings, ClassLoader classLoader) {
    return new ObjectStoreStorage(FileSystemCheckpointStorage.createFromConfig(settings, classLoader));
  }
}
