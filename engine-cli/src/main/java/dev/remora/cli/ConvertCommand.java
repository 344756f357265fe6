package dev.remora.cli;

import dev.remora.core.json.JsonWriter;
import dev.remora.models.convert.Conversion;
import dev.remora.models.convert.ConversionOptions;
import dev.remora.models.convert.ConversionReport;
import dev.remora.models.convert.WeightFormat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora convert}: a checkpoint in another order or format. */
@Command(
        name = "convert",
        description = {
            "Writes a checkpoint anew: its experts in the order in which they are read, or its matrices as FP8 or BF16, or"
                    + " both.",
            "The old one is only read. The new one appears complete, or not at all."
        },
        footer = {
            "",
            "Examples:",
            "  remora convert --model ~/models/DeepSeek-V2-Lite --out ~/models/V2-Lite-FP8 --to fp8 --expert-major",
            "  remora convert --model ~/models/DeepSeek-V3 --out /data/V3-BF16 --to bf16"
        })
final class ConvertCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private final ModelFolder folder = new ModelFolder();

    @Option(
            names = {"-o", "--out"},
            paramLabel = "DIR",
            required = true,
            description = "The new checkpoint: a new or empty folder, not within the old one.")
    private Path out;

    @Option(
            names = "--expert-major",
            description =
                    "Put gate, up and down of each expert together, by layer and expert, each with its scales: for"
                            + " models larger than memory.")
    private boolean expertMajor;

    @Option(
            names = "--to",
            paramLabel = "fp8|bf16",
            description = "Quantise matrices to FP8 with a scale for each 128 x 128, or decode and round them to BF16.")
    private WeightFormat to;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that convert. Default: one for each physical core.")
    private int threads;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    ConvertCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        if (to == null && !expertMajor) {
            throw new UsageException("convert: expected --expert-major, --to or both, found neither");
        }
        ConversionReport report;
        try (Progress progress = new Progress(shell);
                Interrupts.Scope _ = progress.untilInterrupted()) {
            report = OptionNames.translate(() -> {
                Conversion conversion = folder.path == null ? Conversion.bundled() : Conversion.folder(folder.path);
                return conversion.run(out, options(), progress);
            });
        }
        if (json) {
            shell.print(JsonWriter.write(object(report)) + "\n");
        } else {
            shell.print(Table.of(rows(report), shell.outColours()));
        }
        return ExitCode.OK;
    }

    private ConversionOptions options() {
        ConversionOptions options =
                ConversionOptions.defaults().withExpertMajor(expertMajor).withThreads(threads);
        return to == null ? options : options.withTo(to);
    }

    private List<String[]> rows(ConversionReport report) {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"before", size(report.before()) + ", " + files(report.before())});
        rows.add(new String[] {"after", size(report.after()) + ", " + files(report.after()) + ": " + report.target()});
        if (to != null) {
            String format = to.name().toLowerCase(Locale.ROOT);
            rows.add(new String[] {
                "converted",
                report.converted() == 0
                        ? "nothing: the matrices are " + format + " already"
                        : report.converted() + " tensors to " + format
            });
        }
        report.rounding().ifPresent(rounding -> {
            rows.add(new String[] {
                "error",
                String.format(
                        Locale.ROOT,
                        "at most %.3g of a number (%s), %.3g in the root mean square",
                        rounding.largest(),
                        rounding.tensor(),
                        rounding.meanSquare())
            });
        });
        if (expertMajor) {
            rows.add(new String[] {"experts", report.experts() + ", by layer and number"});
        }
        rows.add(new String[] {"kept", size(report.kept())});
        rows.add(new String[] {"copied", list(report.copied())});
        if (!report.leftOut().isEmpty()) {
            rows.add(new String[] {"left out", list(report.leftOut())});
        }
        double seconds = report.elapsed().toNanos() / 1e9;
        rows.add(new String[] {"time", String.format(Locale.ROOT, "%.1f s", seconds)});
        return rows;
    }

    private static String size(ConversionReport.Size size) {
        return size.tensors() + " tensors, " + Units.bytes(size.bytes());
    }

    private static String files(ConversionReport.Size size) {
        return size.files() + (size.files() == 1 ? " file" : " files");
    }

    private static String list(List<String> names) {
        return names.isEmpty() ? "nothing" : String.join(", ", names);
    }

    private Map<String, Object> object(ConversionReport report) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("target", report.target().toString());
        object.put("to", to == null ? null : to.name().toLowerCase(Locale.ROOT));
        object.put("expert_major", expertMajor);
        object.put("before", object(report.before()));
        object.put("after", object(report.after()));
        object.put("converted_tensors", report.converted());
        object.put("experts", report.experts());
        object.put("kept_tensors", report.kept().tensors());
        object.put("kept_bytes", report.kept().bytes());
        object.put(
                "largest_relative_error",
                report.rounding().map(ConversionReport.Rounding::largest).orElse(null));
        object.put(
                "rms_relative_error",
                report.rounding().map(ConversionReport.Rounding::meanSquare).orElse(null));
        object.put("copied", report.copied());
        object.put("left_out", report.leftOut());
        object.put("seconds", report.elapsed().toNanos() / 1e9);
        return object;
    }

    private static Map<String, Object> object(ConversionReport.Size size) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("tensors", size.tensors());
        object.put("bytes", size.bytes());
        object.put("files", size.files());
        return object;
    }
}
