package dev.remora.models;

import dev.remora.core.CheckpointException;
import dev.remora.core.ContextOverflowException;
import dev.remora.core.RemoraException;
import dev.remora.core.sampling.LogSoftmax;
import dev.remora.core.template.TemplateException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One sequence of tokens with its cache: a conversation, or a text that grows. For one thread at a time, which may
 * change from call to call; {@link #cancel()}, {@link #close()} and {@link #position()} may come from any thread at any
 * time.
 *
 * <p>A session holds every id that it was given and every id that it generated, the stop token and the tokens of a stop
 * string too: {@link #position()} counts them and {@link #truncate} forgets the last of them. A call that fails or is
 * cancelled while its prompt is read leaves the session as if the prompt had not been given.
 *
 * <p>A session runs one {@link Generation} at a time: {@code generate}, {@code chat}, {@code score} and
 * {@code truncate} end one that has not come to its end, keeping what it generated so far.
 */
public final class Session implements AutoCloseable {
    /** Floats of logits that {@code score} keeps at once: 32 MiB. */
    private static final int SCORE_BUFFER = 8 << 20;

    private final Llm llm;
    private final Sequence sequence;
    private final Gate gate;
    private final int vocabSize;
    private final int maxRows;
    private final ReentrantLock lock = new ReentrantLock();
    private float[] logits;
    private Generation live;
    private volatile Cancellation current;
    private boolean closed;

    Session(Llm llm, Sequence sequence, Gate gate, StepRunner runner) {
        this.llm = llm;
        this.sequence = sequence;
        this.gate = gate;
        vocabSize = runner.vocabSize();
        maxRows = runner.maxRowsPerStep();
    }

    /** Tokens that the session holds. */
    public int position() {
        return sequence.length();
    }

    /** Tokens that it can hold. */
    public int contextLength() {
        return sequence.capacity();
    }

    /** The ids that the session holds, a copy. */
    public int[] tokens() {
        enter();
        try {
            return sequence.toArray();
        } finally {
            leave();
        }
    }

    /**
     * Forgets the tokens from {@code position} on.
     *
     * @throws IllegalArgumentException if the session holds fewer tokens
     */
    public void truncate(int position) {
        enter();
        try {
            if (position < 0 || position > sequence.length()) {
                throw new IllegalArgumentException("position: expected 0 to " + sequence.length()
                        + ", the tokens of this session, found " + position);
            }
            begin(null, null);
            sequence.truncate(position);
        } finally {
            leave();
        }
    }

    /**
     * Continues with a text. Special tokens in it are recognised. Where the session is empty and tokenizer_config.json
     * asks for it, the BOS token is put before the text, unless the text begins with it.
     *
     * @return the generation; nothing is computed until its events are asked for
     * @throws CheckpointException if the checkpoint has no tokenizer
     * @throws ContextOverflowException if the text does not fit
     * @throws RemoraException if the session and the text are both empty
     */
    public Generation generate(String prompt, GenerationOptions options) {
        TextModel text = llm.text();
        enter();
        try {
            boolean first = sequence.length() == 0;
            int[] ids = first ? text.encodeFirst(prompt) : text.tokenizer().encode(prompt);
            return start(sequence.length(), ids, options);
        } finally {
            leave();
        }
    }

    /**
     * Continues with token ids, as they are; none, if the session should go on from where it is.
     *
     * @return the generation; nothing is computed until its events are asked for
     * @throws IllegalArgumentException if an id is not in the vocabulary
     * @throws ContextOverflowException if the ids do not fit
     * @throws RemoraException if there are no ids at all
     */
    public Generation generate(int[] ids, GenerationOptions options) {
        int[] prompt = ids.clone();
        enter();
        try {
            return start(sequence.length(), prompt, options);
        } finally {
            leave();
        }
    }

    /**
     * Answers a conversation. The whole of it is rendered with the model's chat template; the ids that the session
     * already begins with stay in the cache, the rest of the session is forgotten and the rest of the conversation is
     * read.
     *
     * @return the generation; nothing is computed and nothing forgotten until its events are asked for
     * @throws CheckpointException if the checkpoint has no tokenizer or no chat template
     * @throws TemplateException if the template fails, or refuses the conversation
     * @throws ContextOverflowException if the conversation does not fit
     */
    public Generation chat(Conversation conversation, GenerationOptions options) {
        TextModel text = llm.text();
        int[] ids = text.tokenizer().encode(text.renderChat(conversation));
        enter();
        try {
            int keep = sequence.commonPrefix(ids);
            return start(keep, Arrays.copyOfRange(ids, keep, ids.length), options);
        } finally {
            leave();
        }
    }

    /**
     * The log-probabilities of {@code ids[1..]}, each given all before it and what the session holds. The session is
     * left as it was.
     *
     * @throws IllegalArgumentException if there are fewer than two ids, or one is not in the vocabulary
     * @throws ContextOverflowException if the ids do not fit
     * @throws CancellationException if {@link #cancel()} was called, or the thread interrupted
     */
    public Score score(int[] ids) {
        if (ids.length < 2) {
            throw new IllegalArgumentException(
                    "ids: expected at least 2, since the first one has nothing before it, found " + ids.length
                            + ". Begin a text with the BOS token");
        }
        List<Float> logProbabilities = new ArrayList<>(ids.length - 1);
        // The row after the last id predicts nothing that is asked for.
        score(Arrays.copyOf(ids, ids.length - 1), (index, row) -> {
            double normaliser = LogSoftmax.logSumExp(row, 0, row.length);
            logProbabilities.add((float) (row[checked(ids, index + 1)] - normaliser));
        });
        return new Score(logProbabilities);
    }

    /**
     * The logits after each of {@code ids}, given what the session holds. They are computed in chunks of at most 32
     * MiB. The session is left as it was.
     *
     * @param perRow is called by this thread and must not use this session
     * @throws IllegalArgumentException if an id is not in the vocabulary
     * @throws ContextOverflowException if the ids do not fit
     * @throws CancellationException if {@link #cancel()} was called, or the thread interrupted
     */
    public void score(int[] ids, LogitsConsumer perRow) {
        int[] scored = ids.clone();
        enter();
        try {
            check(sequence.length(), scored);
            Cancellation cancellation = new Cancellation();
            begin(null, cancellation);
            int before = sequence.length();
            try {
                score(scored, perRow, cancellation);
            } finally {
                current = null;
                rollBack(before);
            }
        } finally {
            leave();
        }
    }

    private void score(int[] ids, LogitsConsumer perRow, Cancellation cancellation) {
        sequence.run(null, cancellation);
        sequence.add(ids);
        int chunk = Math.max(1, Math.min(Math.min(maxRows, ids.length), SCORE_BUFFER / vocabSize));
        float[] rows = new float[chunk * vocabSize];
        float[] row = new float[vocabSize];
        int count;
        for (int from = 0; from < ids.length; from += count) {
            count = Sequence.chunk(ids.length - from, chunk);
            sequence.append(count, count, rows, cancellation);
            for (int i = 0; i < count; i++) {
                System.arraycopy(rows, i * vocabSize, row, 0, vocabSize);
                perRow.accept(from + i, row);
            }
        }
    }

    /** Ends what runs on this session, if anything does, at the next layer. From any thread. */
    public void cancel() {
        cancel(current);
    }

    /**
     * Cancels what runs, waits for it to end, and frees the cache. Closing twice has no effect; any other use
     * afterwards is an {@link IllegalStateException}.
     */
    @Override
    public void close() {
        refuseCallbacks();
        cancel();
        lock.lock();
        try {
            if (!closed) {
                begin(null, null);
                closed = true;
                sequence.close();
                llm.forget(this);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Frees the cache when the model closes; no step runs any more. */
    void release() {
        sequence.close();
    }

    // ---- what Generation needs ----

    /** Takes the session for this thread. */
    void enter() {
        refuseCallbacks();
        if (!lock.tryLock()) {
            throw new IllegalStateException("the session is in use by another thread: it serves one at a time."
                    + " Open a session for each thread");
        }
        try {
            if (closed) {
                throw new IllegalStateException("the session is closed: open another one");
            }
            gate.check();
        } catch (IllegalStateException e) {
            lock.unlock();
            throw e;
        }
    }

    void leave() {
        lock.unlock();
    }

    /** As {@link #enter()}, but waits for another thread's step and minds no closing. */
    void enterToEnd() {
        lock.lock();
    }

    void cancel(Cancellation cancellation) {
        if (cancellation != null) {
            cancellation.request();
            if (current == cancellation) {
                sequence.interrupt();
            }
        }
    }

    /** The generation came to its end. */
    void ended(Generation generation) {
        if (live == generation) {
            live = null;
            current = null;
        }
    }

    /** Back to {@code length} tokens, if there are more; a closed model has forgotten them anyway. */
    void rollBack(int length) {
        if (sequence.length() > length) {
            try {
                sequence.truncate(length);
            } catch (IllegalStateException e) {
                gate.check();
                throw e;
            }
        }
    }

    private Generation start(int keep, int[] prompt, GenerationOptions options) {
        check(keep, prompt);
        if (keep + prompt.length == 0) {
            var bos = llm.info().specialIds().bos();
            throw new RemoraException("prompt: expected at least one token, found none. Give a text"
                    + (bos.isPresent() ? ", or begin with the BOS token, id " + bos.getAsInt() : ""));
        }
        if (logits == null) {
            logits = new float[vocabSize];
        }
        Cancellation cancellation = new Cancellation();
        TokenLoop loop = new TokenLoop(sequence, options.sampling(), logits, cancellation);
        List<Integer> eos =
                options.ignoreEos() ? List.of() : llm.info().specialIds().eos();
        Generation generation = new Generation(
                this,
                sequence,
                new Generation.Request(keep, options.withSampling(loop.sampling()), eos),
                prompt,
                loop,
                llm.text().stream(options),
                cancellation);
        begin(generation, cancellation);
        return generation;
    }

    private void begin(Generation generation, Cancellation cancellation) {
        if (live != null) {
            live.supersede();
        }
        live = generation;
        current = cancellation;
    }

    private void check(int keep, int[] more) {
        for (int i = 0; i < more.length; i++) {
            checked(more, i);
        }
        int free = sequence.capacity() - keep;
        if (more.length > free) {
            throw new ContextOverflowException("prompt: expected at most " + free
                    + " tokens, which are free of this session's "
                    + sequence.capacity() + ", found " + more.length
                    + ". Open a session with a larger context (this model: up"
                    + " to " + llm.info().maxContextLength() + "), shorten the prompt, or truncate the session");
        }
    }

    private int checked(int[] ids, int index) {
        if (ids[index] < 0 || ids[index] >= vocabSize) {
            throw new IllegalArgumentException("ids[" + index + "]: expected a token id from 0 to " + (vocabSize - 1)
                    + ", found " + ids[index] + ". Are tokenizer and weights of the same model?");
        }
        return ids[index];
    }

    private void refuseCallbacks() {
        if (lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("the session is in use by the call that this callback belongs to");
        }
    }
}
