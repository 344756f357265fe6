package dev.remora.models;

import dev.remora.core.sampling.SamplingParams;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * One answer, as a stream of events that can be read once. It is pulled: each step of the model runs in the call that
 * asks for the next event, so a caller that stops asking stops the work. The last event is
 * {@link GenerationEvent.Finished}, unless the generation was closed or failed before.
 *
 * <p>A failed step throws from the iterator and ends the generation; the session stays usable, as it was before that
 * step. If the calling thread is interrupted the generation ends with {@link FinishReason#CANCELLED}, and the flag
 * stays set.
 */
public final class Generation implements Iterable<GenerationEvent>, AutoCloseable {
    private final Session session;
    private final Sequence sequence;
    private final Request request;
    private final int[] prompt;
    private final TokenLoop loop;
    private final TextStream text;
    private final Cancellation cancellation;
    private final AtomicBoolean taken = new AtomicBoolean();
    private final Queue<GenerationEvent> events = new ArrayDeque<>();
    private Stopwatch stopwatch;
    private int cachedTokens;
    private int generatedTokens;
    private boolean superseded;
    private volatile boolean ended;

    /**
     * What to do.
     *
     * @param keep ids of the session that stay
     * @param eosIds that end the answer, beside those in the options
     */
    record Request(int keep, GenerationOptions options, List<Integer> eosIds) {
        boolean stopsAt(int id) {
            return eosIds.contains(id) || options.stopTokenIds().contains(id);
        }
    }

    Generation(
            Session session,
            Sequence sequence,
            Request request,
            int[] prompt,
            TokenLoop loop,
            TextStream text,
            Cancellation cancellation) {
        this.session = session;
        this.sequence = sequence;
        this.request = request;
        this.prompt = prompt;
        this.loop = loop;
        this.text = text;
        this.cancellation = cancellation;
    }

    /**
     * The options in use. Their seed is the one in use, also where {@link SamplingParams#RANDOM_SEED} was asked for.
     */
    public GenerationOptions options() {
        return request.options();
    }

    /**
     * The events. Each call of {@code hasNext} or {@code next} may run a step of the model, and then throws
     * {@link IllegalStateException} if session or model were closed, if another thread uses the session, or if a later
     * call on the session ended this generation.
     *
     * @throws IllegalStateException if the events were asked for before
     */
    @Override
    public Iterator<GenerationEvent> iterator() {
        if (taken.getAndSet(true)) {
            throw new IllegalStateException("the events of a generation can be read once: generate again");
        }
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                if (events.isEmpty() && !ended) {
                    advance();
                }
                return !events.isEmpty();
            }

            @Override
            public GenerationEvent next() {
                if (!hasNext()) {
                    throw new NoSuchElementException("the generation has ended");
                }
                return events.remove();
            }
        };
    }

    /** The events as a stream; closing it closes the generation. */
    public Stream<GenerationEvent> stream() {
        int traits = Spliterator.ORDERED | Spliterator.NONNULL;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator(), traits), false)
                .onClose(this::close);
    }

    /** Runs to the end and returns the whole text. */
    public String text() {
        StringBuilder all = new StringBuilder();
        for (GenerationEvent event : this) {
            switch (event) {
                case GenerationEvent.Token token -> all.append(token.text());
                case GenerationEvent.Text rest -> all.append(rest.text());
                case GenerationEvent.Finished finished -> {}
            }
        }
        return all.toString();
    }

    /** Ends the generation, also in the middle of a step: its next events are the last. From any thread. */
    public void cancel() {
        session.cancel(cancellation);
    }

    /**
     * Ends the generation without further events; what it generated stays in the session. From any thread; twice has no
     * effect.
     */
    @Override
    public void close() {
        if (!ended) {
            cancel();
            session.enterToEnd();
            try {
                end();
            } finally {
                session.leave();
            }
        }
    }

    /** Another call on the session takes over. */
    void supersede() {
        superseded = true;
    }

    private void advance() {
        session.enter();
        try {
            if (superseded) {
                throw new IllegalStateException("a later call on the session ended this generation");
            }
            step();
        } finally {
            session.leave();
        }
    }

    private void step() {
        boolean first = stopwatch == null;
        if (first) {
            stopwatch = new Stopwatch();
            cachedTokens = Math.min(request.keep(), sequence.cached());
        }
        if (cancellation.wanted()) {
            finish(FinishReason.CANCELLED);
            return;
        }
        int before = first ? request.keep() : sequence.length();
        try {
            if (first) {
                sequence.truncate(request.keep());
                sequence.add(prompt);
                loop.observe();
            }
            run();
        } catch (CancellationException e) {
            session.rollBack(before);
            finish(FinishReason.CANCELLED);
        } catch (RuntimeException | Error e) {
            end();
            try {
                session.rollBack(before);
            } catch (RuntimeException f) {
                e.addSuppressed(f);
            }
            throw e;
        }
    }

    private void run() {
        GenerationOptions options = request.options();
        long start = System.nanoTime();
        boolean full = sequence.length() == sequence.capacity();
        if (options.maxTokens() == 0 || full) {
            sequence.run(null, cancellation);
            stopwatch.step(start, 0);
            finish(options.maxTokens() == 0 ? FinishReason.MAX_TOKENS : FinishReason.CONTEXT_FULL);
            return;
        }
        int id = loop.next();
        stopwatch.step(start, ++generatedTokens);
        boolean stop = request.stopsAt(id);
        events.add(new GenerationEvent.Token(id, stop ? "" : text.push(id), loop.logProbability()));
        if (stop) {
            finish(FinishReason.STOP_TOKEN);
        } else if (text.stopped()) {
            finish(FinishReason.STOP_STRING);
        } else if (generatedTokens == options.maxTokens()) {
            finish(FinishReason.MAX_TOKENS);
        } else if (sequence.length() == sequence.capacity()) {
            finish(FinishReason.CONTEXT_FULL);
        }
    }

    private void finish(FinishReason reason) {
        String rest = text.finish();
        if (!rest.isEmpty()) {
            events.add(new GenerationEvent.Text(rest));
        }
        int promptTokens = request.keep() + prompt.length;
        events.add(new GenerationEvent.Finished(reason, stopwatch.usage(promptTokens, cachedTokens, generatedTokens)));
        end();
    }

    private void end() {
        ended = true;
        session.ended(this);
    }
}
