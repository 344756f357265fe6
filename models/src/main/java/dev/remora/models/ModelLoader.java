package dev.remora.models;

import dev.remora.core.CheckpointException;
import dev.remora.core.checkpoint.CheckpointSource;

/** From the files of a checkpoint to a running model. */
@SuppressWarnings("DoNotCallSuggester") // until the families are assembled here
final class ModelLoader {
    private static final String BUNDLED = "META-INF/remora/remora-tiny/";

    private ModelLoader() {}

    static Llm load(CheckpointSource source, LoadOptions options) {
        throw new UnsupportedOperationException("loading " + source.describe() + " with " + options);
    }

    /** @throws CheckpointException if the bundled model is not there */
    static CheckpointSource bundledSource() {
        CheckpointSource source = CheckpointSource.ofResources(ModelLoader.class.getClassLoader(), BUNDLED);
        if (!source.exists("config.json")) {
            throw new CheckpointException("the bundled model: expected " + BUNDLED + "config.json on the class path or module"
                    + " path, found no such resource. Add the artifact dev.remora:remora-tiny, or load a folder");
        }
        return source;
    }
}
