package dev.remora.models.runtime;

import dev.remora.core.CheckpointException;
import dev.remora.core.checkpoint.CheckpointSource;

/** The small model in the artifact {@code remora-tiny}. */
public final class BundledModel {
    private static final String FOLDER = "META-INF/remora/remora-tiny/";

    private BundledModel() {}

    /**
     * Its files.
     *
     * @throws CheckpointException if the bundled model is not there
     */
    public static CheckpointSource source() {
        CheckpointSource source = CheckpointSource.ofResources(BundledModel.class.getClassLoader(), FOLDER);
        if (!source.exists("config.json")) {
            throw new CheckpointException(
                    "the bundled model: expected " + FOLDER + "config.json on the class path or module"
                            + " path, found no such resource. Add the artifact dev.remora:remora-tiny, or load a folder");
        }
        return source;
    }
}
