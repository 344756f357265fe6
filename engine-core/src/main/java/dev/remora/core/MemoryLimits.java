package dev.remora.core;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * How much memory this process may still take, at one moment: the least of what the machine has available and what its
 * control groups allow. Page cache that the kernel can drop counts as free.
 *
 * @param availableBytes bytes that can still be allocated; {@link Long#MAX_VALUE} if nothing is known
 * @param boundBy what sets this figure, for messages
 */
public record MemoryLimits(long availableBytes, String boundBy) {
    public MemoryLimits {
        Objects.requireNonNull(boundBy);
        if (availableBytes < 0) {
            throw new IllegalArgumentException("available memory of " + availableBytes + " bytes");
        }
    }

    /** The limits of this process, read now. */
    public static MemoryLimits now() {
        return MemoryProbe.read(Path.of("/"));
    }

    /**
     * Makes sure that this many bytes can be allocated: cache, scratch, repacked weights; not mapped files.
     *
     * @param what what needs them, for the message, for example {@code "a context of 32768 tokens"}
     * @throws InsufficientMemoryException if they cannot
     */
    public void require(long anonymousBytes, String what) {
        if (anonymousBytes > availableBytes) {
            throw new InsufficientMemoryException(what + ": expected " + gib(anonymousBytes) + " of free memory, found "
                    + gib(availableBytes) + " (" + boundBy
                    + "). A shorter context, a smaller cache type or fewer sessions need less; or end other programs, raise"
                    + " the limit, or use a machine with more memory.");
        }
    }

    /**
     * A warning if files that are mapped while memory is filled from them cannot stay in the page cache beside it.
     *
     * @param mappedBytes    of the files
     * @param anonymousBytes that {@link #require} granted
     */
    public Optional<String> warnIfMapped(long mappedBytes, long anonymousBytes) {
        if (mappedBytes + anonymousBytes <= availableBytes) {
            return Optional.empty();
        }
        return Optional.of("The mapped weights of " + gib(mappedBytes) + " and the " + gib(anonymousBytes)
                + " that are filled from them exceed the free memory of " + gib(availableBytes) + " (" + boundBy
                + "): the files cannot stay cached, so this and every later start read them from disk.");
    }

    private static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.2f GiB", bytes / (double) (1L << 30));
    }
}
