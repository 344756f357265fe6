package dev.remora.models.experts;

import dev.remora.moe.ExpertMemory;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * How the routed experts of a model are held.
 *
 * @param memory    what they may take
 * @param profile   says which are hot, see {@link ExpertProfile}; needs a limited memory
 * @param fp8Copies keep a copy of each in FP8 in memory, for policies that fall back to it; needs a limited memory
 */
public record ExpertOptions(ExpertMemory memory, Optional<Path> profile, boolean fp8Copies) {
    /** All in memory as they are stored. */
    public static final ExpertOptions RESIDENT = new ExpertOptions(ExpertMemory.ALL, Optional.empty(), false);

    /**
     * Checks that they fit together.
     *
     * @throws IllegalArgumentException if a profile or copies are asked for where all experts are in memory anyway
     */
    public ExpertOptions {
        Objects.requireNonNull(memory, "expertMemory");
        Objects.requireNonNull(profile, "expertProfile");
        if (memory.all() && profile.isPresent()) {
            throw new IllegalArgumentException("expertProfile: expected expertMemory beside it, found none: all experts"
                    + " stay in memory anyway");
        }
        if (memory.all() && fp8Copies) {
            throw new IllegalArgumentException(
                    "fp8Copies: expected expertMemory beside it, found none: all experts stay" + " in memory anyway");
        }
    }
}
