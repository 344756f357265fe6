package dev.remora.models;

import java.nio.file.Path;

/** From the files of a checkpoint to a running model. */
@SuppressWarnings("DoNotCallSuggester") // until the families are assembled here
final class ModelLoader {
    private ModelLoader() {}

    static Llm load(Path folder, LoadOptions options) {
        throw new UnsupportedOperationException("loading " + folder + " with " + options);
    }

    static Llm bundled(LoadOptions options) {
        throw new UnsupportedOperationException("loading the bundled model with " + options);
    }
}
