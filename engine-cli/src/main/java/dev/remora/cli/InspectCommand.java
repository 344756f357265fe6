package dev.remora.cli;

import dev.remora.core.json.JsonWriter;
import dev.remora.models.Llm;
import dev.remora.models.ModelInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora inspect}: what a checkpoint is. */
@Command(
        name = "inspect",
        description = "Shows a model: architecture, parameters, memory, precision, tensors.",
        footer = {
            "",
            "Examples:",
            "  remora inspect",
            "  remora inspect --model ~/models/DeepSeek-V2-Lite --tensors",
            "  remora inspect --json"
        })
final class InspectCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Option(names = "--tensors", description = "List every tensor: dtype, shape, bytes, file.")
    private boolean tensors;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    InspectCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        ModelInfo info;
        try (Llm llm = model.load(shell)) {
            info = llm.info();
        }
        if (json) {
            shell.print(JsonWriter.write(object(info)) + "\n");
        } else {
            show(info);
        }
        return ExitCode.OK;
    }

    private void show(ModelInfo info) {
        List<String[]> facts = new ArrayList<>();
        facts.add(new String[] {"model", model.name(info)});
        facts.add(new String[] {"architecture", info.architecture() + " (" + info.modelType() + ")"});
        facts.add(new String[] {"parameters", exact(info.totalParameters(), "in total")});
        facts.add(new String[] {"", exact(info.activeParameters(), "active per token")});
        facts.add(new String[] {"weights read", Units.bytes(info.bytesPerToken()) + " per decoded token"});
        facts.add(new String[] {
            "latent cache",
            Units.bytes(info.cacheBytesPerToken()) + " per token ("
                    + info.cacheFormat().name().toLowerCase(Locale.ROOT) + "), "
                    + Units.bytes(info.cacheBytesPerToken() * info.contextLength()) + " for the context"
        });
        facts.add(new String[] {
            "context", info.contextLength() + " tokens; the model was made for " + info.maxContextLength()
        });
        facts.add(new String[] {"vocabulary", info.vocabSize() + " tokens; " + specialIds(info.specialIds())});
        shell.write(Table.of(facts, shell.outColours()));
        heading("Dimensions");
        List<String[]> dimensions = new ArrayList<>();
        info.dimensions().forEach((key, value) -> dimensions.add(new String[] {key, String.valueOf(value)}));
        shell.write(Table.of(dimensions, shell.outColours()));
        heading("Precision");
        List<String[]> precision = new ArrayList<>();
        precision.add(new String[] {"what", "stored", "computed in"});
        info.precision().forEach(row -> precision.add(new String[] {row.what(), row.stored(), row.computedIn()}));
        shell.write(Table.of(precision, shell.outColours()));
        if (tensors) {
            heading("Tensors (" + info.tensors().size() + ")");
            shell.write(Table.of(tensorRows(info), shell.outColours()));
        }
        shell.flush();
    }

    private static List<String[]> tensorRows(ModelInfo info) {
        List<String[]> rows = new ArrayList<>();
        for (ModelInfo.TensorInfo tensor : info.tensors()) {
            rows.add(new String[] {
                tensor.name(),
                tensor.dtype(),
                tensor.shape().toString().replace('[', '(').replace(']', ')'),
                Units.bytes(tensor.bytes()),
                tensor.file()
            });
        }
        return rows;
    }

    private void heading(String text) {
        shell.write("\n" + Style.bold(text, shell.outColours()) + "\n");
    }

    private static String exact(long count, String what) {
        return String.format(Locale.ROOT, "%s %s (%,d)", Units.count(count), what, count);
    }

    private static String specialIds(ModelInfo.SpecialIds ids) {
        return "bos " + text(ids.bos()) + ", eos " + (ids.eos().isEmpty() ? "none" : ids.eos()) + ", pad "
                + text(ids.pad());
    }

    private static String text(OptionalInt id) {
        return id.isPresent() ? Integer.toString(id.getAsInt()) : "none";
    }

    private static Map<String, Object> object(ModelInfo info) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("model", info.source());
        object.put("architecture", info.architecture());
        object.put("model_type", info.modelType());
        object.put("total_parameters", info.totalParameters());
        object.put("active_parameters", info.activeParameters());
        object.put("bytes_per_token", info.bytesPerToken());
        object.put("cache_format", info.cacheFormat().name().toLowerCase(Locale.ROOT));
        object.put("cache_bytes_per_token", info.cacheBytesPerToken());
        object.put("context_length", info.contextLength());
        object.put("max_context_length", info.maxContextLength());
        object.put("vocab_size", info.vocabSize());
        object.put("special_ids", specialIdsObject(info.specialIds()));
        object.put("dimensions", info.dimensions());
        object.put(
                "precision", info.precision().stream().map(InspectCommand::row).toList());
        object.put(
                "tensors", info.tensors().stream().map(InspectCommand::tensor).toList());
        return object;
    }

    private static Map<String, Object> specialIdsObject(ModelInfo.SpecialIds ids) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("bos", ids.bos().isPresent() ? ids.bos().getAsInt() : null);
        object.put("eos", ids.eos());
        object.put("pad", ids.pad().isPresent() ? ids.pad().getAsInt() : null);
        return object;
    }

    private static Map<String, Object> row(ModelInfo.PrecisionRow row) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("what", row.what());
        object.put("stored", row.stored());
        object.put("computed_in", row.computedIn());
        return object;
    }

    private static Map<String, Object> tensor(ModelInfo.TensorInfo tensor) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("name", tensor.name());
        object.put("dtype", tensor.dtype());
        object.put("shape", tensor.shape());
        object.put("bytes", tensor.bytes());
        object.put("file", tensor.file());
        return object;
    }
}
