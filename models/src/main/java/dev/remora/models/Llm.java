package dev.remora.models;

import java.nio.file.Path;

@SuppressWarnings("DoNotCallSuggester") // bodies follow
public final class Llm implements AutoCloseable {
    private Llm() {}

    public static Llm load(Path folder) {
        return load(folder, LoadOptions.defaults());
    }

    public static Llm load(Path folder, LoadOptions options) {
        return ModelLoader.load(folder, options);
    }

    public static Llm bundled() {
        return bundled(LoadOptions.defaults());
    }

    public static Llm bundled(LoadOptions options) {
        return ModelLoader.bundled(options);
    }

    public Session session() {
        throw new UnsupportedOperationException();
    }

    public Session session(int contextLength) {
        throw new UnsupportedOperationException();
    }

    public ModelInfo info() {
        throw new UnsupportedOperationException();
    }

    public boolean hasTokenizer() {
        throw new UnsupportedOperationException();
    }

    public boolean hasChatTemplate() {
        throw new UnsupportedOperationException();
    }

    public String renderChat(Conversation conversation) {
        throw new UnsupportedOperationException();
    }

    public GenerationOptions generationDefaults() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
