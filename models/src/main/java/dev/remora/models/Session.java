package dev.remora.models;

@SuppressWarnings("DoNotCallSuggester") // bodies follow
public final class Session implements AutoCloseable {
    Session() {}

    public int position() {
        throw new UnsupportedOperationException();
    }

    public int contextLength() {
        throw new UnsupportedOperationException();
    }

    public void truncate(int position) {
        throw new UnsupportedOperationException();
    }

    public int[] tokens() {
        throw new UnsupportedOperationException();
    }

    public Generation generate(String prompt, GenerationOptions options) {
        throw new UnsupportedOperationException();
    }

    public Generation generate(int[] ids, GenerationOptions options) {
        throw new UnsupportedOperationException();
    }

    public Generation chat(Conversation conversation, GenerationOptions options) {
        throw new UnsupportedOperationException();
    }

    public Score score(int[] ids) {
        throw new UnsupportedOperationException();
    }

    public void score(int[] ids, LogitsConsumer perRow) {
        throw new UnsupportedOperationException();
    }

    public void cancel() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
