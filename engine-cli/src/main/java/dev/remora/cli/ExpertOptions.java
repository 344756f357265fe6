package dev.remora.cli;

import dev.remora.moe.ExpertMemory;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How much memory routed experts get, and which of them stay in it. */
final class ExpertOptions {
    @Option(
            names = "--expert-memory",
            paramLabel = "SIZE",
            description =
                    "Memory of the routed experts: 4G, 512M, or a share such as 50%%. The others are read from the files"
                            + " when a step needs them. Default: all in memory.")
    private String memory = "all";

    @Option(
            names = "--expert-profile",
            paramLabel = "FILE",
            description = "Which experts are hot, as remora experts --profile writes it: these stay in memory.")
    private Path profile;

    /** @throws IllegalArgumentException if the text is no size and no share */
    ExpertMemory memory() {
        return ExpertMemory.parse(memory);
    }

    Optional<Path> profile() {
        return Optional.ofNullable(profile);
    }
}
