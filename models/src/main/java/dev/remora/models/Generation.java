package dev.remora.models;

import java.util.Iterator;
import java.util.stream.Stream;

@SuppressWarnings("DoNotCallSuggester") // bodies follow
public final class Generation implements Iterable<GenerationEvent>, AutoCloseable {
    Generation() {}

    /** The options in use, with the seed that was drawn if none was given. */
    public GenerationOptions options() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Iterator<GenerationEvent> iterator() {
        throw new UnsupportedOperationException();
    }

    public Stream<GenerationEvent> stream() {
        throw new UnsupportedOperationException();
    }

    public String text() {
        throw new UnsupportedOperationException();
    }

    public void cancel() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
