package dev.remora.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the model is. */
final class ModelFolder {
    @Option(
            names = {"-m", "--model"},
            paramLabel = "DIR",
            description = "Folder of a Hugging Face checkpoint. Default: the bundled model.")
    Path path;
}
