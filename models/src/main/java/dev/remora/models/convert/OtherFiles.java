package dev.remora.models.convert;

import dev.remora.core.checkpoint.CheckpointSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The files beside the tensors: tokenizer, settings, templates, licences and whatever else lies in the folder itself. */
final class OtherFiles {
    static final String CONFIG = "config.json";

    /** Weights, of this or another format, and what belongs to them. */
    private static final List<String> WEIGHTS =
            List.of(".safetensors", ".bin", ".pt", ".pth", ".gguf", ".onnx", ".h5", ".msgpack", ".index.json");

    /** What to ask for where a source cannot say what it holds. */
    private static final List<String> USUAL = List.of(
            CONFIG,
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "tiktoken.model",
            "special_tokens_map.json",
            "chat_template.jinja",
            "README.md",
            "LICENSE");

    private final CheckpointSource source;
    private final List<String> copied = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();

    /** @param folder where the source is; null: not in a folder */
    OtherFiles(CheckpointSource source, Path folder) {
        this.source = source;
        if (folder == null) {
            USUAL.stream().filter(source::exists).forEach(copied::add);
            return;
        }
        for (String name : source.names()) {
            if (isPart(source, name)) {
                continue;
            }
            boolean other = name.startsWith(".")
                    || WEIGHTS.stream().anyMatch(name.toLowerCase(Locale.ROOT)::endsWith)
                    || !Files.isRegularFile(folder.resolve(name));
            (other ? leftOut : copied).add(name);
        }
    }

    /** True for the files whose tensors are converted. */
    private static boolean isPart(CheckpointSource source, String name) {
        return name.equals("model.safetensors")
                || (!source.exists("model.safetensors")
                        && (name.equals("model.safetensors.index.json")
                                || name.matches("model-\\d+-of-\\d+\\.safetensors")));
    }

    /** Their contents, mapped where they are files. */
    Map<String, MemorySegment> contents(Arena arena) {
        Map<String, MemorySegment> contents = new TreeMap<>();
        copied.forEach(name -> contents.put(name, source.map(name, arena)));
        return contents;
    }

    List<String> copied() {
        return copied;
    }

    List<String> leftOut() {
        return leftOut;
    }
}
