package dev.remora.core.checkpoint;

import dev.remora.core.CheckpointException;
import java.lang.foreign.Arena;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The tensors of a checkpoint, mapped and validated: one {@code model.safetensors}, or shards with their index. Safe
 * to share between threads. All data lives until {@link #close()}.
 */
public final class Checkpoint implements AutoCloseable {
    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    private final CheckpointSource source;
    private final Arena arena;
    private final List<String> files;
    private final Map<String, Tensor> tensors;
    private final Map<String, String> fileOf;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Checkpoint(
            CheckpointSource source,
            Arena arena,
            List<String> files,
            Map<String, Tensor> tensors,
            Map<String, String> fileOf) {
        this.source = source;
        this.arena = arena;
        this.files = files;
        this.tensors = tensors;
        this.fileOf = fileOf;
    }

    /**
     * Opens the weights: {@code model.safetensors} if it exists, else the shards of {@code
     * model.safetensors.index.json}.
     *
     * @throws CheckpointException if neither exists, or a file is damaged or contradicts another
     */
    public static Checkpoint open(CheckpointSource source) {
        if (source.exists(SINGLE)) {
            return openFile(source, SINGLE);
        }
        if (!source.exists(INDEX)) {
            throw new CheckpointException(source.describe() + ": expected " + SINGLE + " or " + INDEX + ", found "
                    + FileNames.some(source.names())
                    + ". Remora reads safetensors only; download these files too, or convert.");
        }
        return open(source, ShardIndex.read(source, INDEX));
    }

    /** Opens one safetensors file of any name. */
    public static Checkpoint openFile(CheckpointSource source, String file) {
        return open(source, new ShardIndex(List.of(file), null, file));
    }

    @SuppressWarnings("MustBeClosedChecker") // the arena becomes the checkpoint's own
    private static Checkpoint open(CheckpointSource source, ShardIndex index) {
        Arena arena = Arena.ofShared();
        try {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            Map<String, String> fileOf = new HashMap<>();
            for (String file : index.files()) {
                for (Tensor tensor : source.tensors(file, arena)) {
                    Tensor other = tensors.put(tensor.name(), tensor);
                    fileOf.put(tensor.name(), file);
                    if (other != null) {
                        throw new CheckpointException(tensor.name() + ": expected in one file, found in two: "
                                + other.file() + " and " + tensor.file() + ". Download the checkpoint again.");
                    }
                }
            }
            index.check(tensors, source);
            return new Checkpoint(source, arena, index.files(), tensors, fileOf);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    /** True if there is a tensor of this name. */
    public boolean has(String name) {
        return tensors.containsKey(name);
    }

    /**
     * The tensor of this name.
     *
     * @throws CheckpointException if there is none; the message offers the nearest name
     */
    public Tensor tensor(String name) {
        return find(name, "");
    }

    /** As {@link #expect(String, String, long...)}, where the shape explains itself. */
    public Tensor expect(String name, long... shape) {
        return expect(name, "", shape);
    }

    /**
     * The tensor of this name, which must have this shape.
     *
     * @param formula where the shape comes from, for example {@code "(num_attention_heads * v_head_dim, hidden_size)"};
     *     may be empty
     * @throws CheckpointException if there is none, or of another shape
     */
    public Tensor expect(String name, String formula, long... shape) {
        String expected = Tensor.text(shape) + (formula.isEmpty() ? "" : " = " + formula);
        Tensor tensor = find(name, " " + expected);
        if (!tensor.hasShape(shape)) {
            throw new CheckpointException(name + ": expected " + expected + ", found " + Tensor.text(tensor.shape())
                    + " in " + tensor.file() + ". Are config.json and the weights from the same revision?");
        }
        return tensor;
    }

    private Tensor find(String name, String expected) {
        checkOpen();
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            String nearest = NearestName.of(name, tensors.keySet())
                    .map(n -> " The nearest name is " + tensors.get(n) + ".")
                    .orElse("");
            throw new CheckpointException(name + ": expected a tensor" + expected + ", found none in " + searched()
                    + "." + nearest + " Are config.json and the weights from the same revision?");
        }
        return tensor;
    }

    private String searched() {
        return files.size() == 1
                ? source.describe(files.getFirst())
                : "the " + files.size() + " shards " + FileNames.some(files) + " of " + source.describe();
    }

    /** All names, file by file, in the order of the data. */
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    /** All tensors, in the order of {@link #names()}. */
    public Collection<Tensor> tensors() {
        checkOpen();
        return Collections.unmodifiableCollection(tensors.values());
    }

    /** The safetensors files, in the order they were opened. */
    public List<String> files() {
        return files;
    }

    /** The file of its source that a tensor of this checkpoint lies in, one of {@link #files()}. */
    public String fileOf(Tensor tensor) {
        return fileOf.get(tensor.name());
    }

    /** Bytes of all tensors together, as stored. */
    public long byteSize() {
        return tensors.values().stream().mapToLong(t -> t.data().byteSize()).sum();
    }

    /** Of {@link #byteSize()}, what lies in mapped files and so needs room in the page cache to be read fast. */
    public long mappedBytes() {
        return tensors.values().stream()
                .filter(t -> t.data().isMapped())
                .mapToLong(t -> t.data().byteSize())
                .sum();
    }

    /** Where the files live. */
    public CheckpointSource source() {
        return source;
    }

    /** A new walk through the names, with its own memory of which were used. */
    public CheckpointScope root() {
        return new CheckpointScope(this);
    }

    private void checkOpen() {
        if (closed.get()) {
            throw new IllegalStateException("the checkpoint " + source.describe() + " is closed");
        }
    }

    /** Unmaps every file; data of its tensors throws from then on. A second call does nothing. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            arena.close();
        }
    }
}
