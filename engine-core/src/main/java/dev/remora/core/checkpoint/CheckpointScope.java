package dev.remora.core.checkpoint;

import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The names of a checkpoint, walked as folders: {@code root.at("model.layers.3").at("self_attn")}. All scopes of one
 * {@link Checkpoint#root()} share the memory of which tensors were used. Safe to share between threads.
 */
public final class CheckpointScope {
    private final Checkpoint checkpoint;
    private final String prefix;
    private final Set<String> used;

    CheckpointScope(Checkpoint checkpoint) {
        this(checkpoint, "", ConcurrentHashMap.newKeySet());
    }

    private CheckpointScope(Checkpoint checkpoint, String prefix, Set<String> used) {
        this.checkpoint = checkpoint;
        this.prefix = prefix;
        this.used = used;
    }

    /** The scope below; the name may have several parts. */
    public CheckpointScope at(String name) {
        return new CheckpointScope(checkpoint, fullName(name) + ".", used);
    }

    /** The whole name of a tensor of this scope. */
    public String fullName(String name) {
        return prefix + name;
    }

    /** True if there is such a tensor; asking does not count as use. */
    public boolean has(String name) {
        return checkpoint.has(fullName(name));
    }

    /** As {@link Checkpoint#tensor}; the tensor counts as used. */
    public Tensor tensor(String name) {
        return use(checkpoint.tensor(fullName(name)));
    }

    /** As {@link Checkpoint#expect(String, long...)}; the tensor counts as used. */
    public Tensor expect(String name, long... shape) {
        return use(checkpoint.expect(fullName(name), shape));
    }

    /** As {@link Checkpoint#expect(String, String, long...)}; the tensor counts as used. */
    public Tensor expect(String name, String formula, long... shape) {
        return use(checkpoint.expect(fullName(name), formula, shape));
    }

    private Tensor use(Tensor tensor) {
        used.add(tensor.name());
        return tensor;
    }

    /** Whole names of the tensors below this scope that nobody asked for yet, sorted. */
    public Set<String> unused() {
        Set<String> unused = new TreeSet<>();
        for (String name : checkpoint.names()) {
            if (name.startsWith(prefix) && !used.contains(name)) {
                unused.add(name);
            }
        }
        return unused;
    }

    /** The checkpoint that this scope walks. */
    public Checkpoint checkpoint() {
        return checkpoint;
    }

    @Override
    public String toString() {
        return prefix.isEmpty() ? "the root" : prefix.substring(0, prefix.length() - 1);
    }
}
