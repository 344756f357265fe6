package dev.remora.cli;

import dev.remora.core.RemoraException;
import dev.remora.core.json.JsonWriter;
import dev.remora.models.Llm;
import dev.remora.models.LoadProgress;
import dev.remora.models.eval.ExpertStudy;
import dev.remora.models.eval.ExpertUse;
import dev.remora.models.eval.LabelledCorpus;
import dev.remora.moe.policy.RouterPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora experts}: which experts serve which kind of text. */
@Command(
        name = "experts",
        description = "Shows which experts serve which kind of text, and how evenly they are used.",
        footer = {
            "",
            "Examples:",
            "  remora experts",
            "  remora experts --html experts.html --policy topk:2",
            "  remora experts --model ~/models/DeepSeek-V2-Lite --text book.txt --profile profile.json",
            "",
            "Without --text and --labelled, the texts are those that the bundled model is judged by."
        })
final class ExpertsCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @ArgGroup
    private Texts texts;

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description = "The tree of the labels of --labelled. Default: labels.json beside it.")
    private Path labels;

    @Option(names = "--limit", paramLabel = "N", description = "Read the first N texts only.")
    private int limit;

    @Option(
            names = "--layers",
            paramLabel = "N,...",
            split = ",",
            description = "Show these layers only. Default: all that have experts.")
    private List<Integer> layers = List.of();

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "5",
            description = "Show the N most telling tokens of each expert; 0: none. Default: ${DEFAULT-VALUE}.")
    private int tokens;

    @Option(
            names = "--min-count",
            paramLabel = "N",
            defaultValue = "5",
            description = "A token that met an expert less often tells nothing. Default: ${DEFAULT-VALUE}.")
    private int minCount;

    @Option(
            names = "--html",
            paramLabel = "FILE",
            description = "Write all of it as one page that needs nothing else, also for readers without colours.")
    private Path html;

    @Option(
            names = "--profile",
            paramLabel = "FILE",
            description = "Write how often each expert was chosen, for --expert-profile.")
    private Path profile;

    @Option(names = "--json", description = "Print one JSON object, and nothing else.")
    private boolean json;

    /** What is read. */
    static final class Texts {
        @Option(
                names = "--text",
                paramLabel = "FILE",
                required = true,
                description = "Read this text (UTF-8), of which nothing is known; - reads standard input.")
        private Path text;

        @Option(
                names = "--labelled",
                paramLabel = "FILE",
                required = true,
                description = "Read these labelled texts: on each line a JSON object with label, and text or user and"
                        + " assistant.")
        private Path labelled;
    }

    ExpertsCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        checkOptions();
        LabelledCorpus corpus = corpus();
        ExpertStudy study = new ExpertStudy();
        ExpertsReport report;
        try (Llm llm = model.load(shell, study);
                Interrupts.Scope _ = shell.interrupts().during(study::cancel)) {
            RouterPolicy asked = llm.policy();
            if (!llm.info().dimensions().containsKey("n_routed_experts")) {
                throw new UsageException(
                        "--model: expected a model with routed experts, found " + model.name(llm.info()));
            }
            List<ExpertUse> uses = new ArrayList<>();
            uses.add(run(study, llm, corpus, RouterPolicy.EXACT));
            if (!asked.isExact()) {
                uses.add(run(study, llm, corpus, asked));
            }
            report = ExpertsReport.of(model.name(llm.info()), uses, layers(uses.getFirst()), tokens, minCount);
        }
        write(html, () -> ExpertsPage.of(report));
        write(profile, () -> JsonWriter.write(report.exact().profile(report.model())) + "\n");
        if (json) {
            shell.print(JsonWriter.write(ExpertsJson.of(report)) + "\n");
        } else {
            shell.print(new ExpertsText(report, TerminalWidth.of(shell), shell.outColours()).text());
        }
        return ExitCode.OK;
    }

    private void checkOptions() {
        if (limit < 0) {
            throw new UsageException("--limit: expected at least 1 text, found " + limit);
        }
        if (tokens < 0) {
            throw new UsageException("--tokens: expected 0 or more, found " + tokens);
        }
        if (minCount < 1) {
            throw new UsageException("--min-count: expected 1 or more, found " + minCount);
        }
        if (labels != null && (texts == null || texts.labelled == null)) {
            throw new UsageException("--labels: expected --labelled beside it, whose labels it explains");
        }
    }

    private LabelledCorpus corpus() {
        LabelledCorpus corpus = read();
        return limit > 0 ? corpus.first(limit) : corpus;
    }

    private LabelledCorpus read() {
        if (texts == null) {
            return LabelledCorpus.bundled();
        }
        try {
            if (texts.text != null) {
                return LabelledCorpus.ofText(Input.name(texts.text), Input.text(texts.text, shell));
            }
            return labels == null ? LabelledCorpus.read(texts.labelled) : LabelledCorpus.read(texts.labelled, labels);
        } catch (RemoraException e) {
            // These files are the user's, not a model's.
            throw new UsageException(e.getMessage(), e);
        }
    }

    private ExpertUse run(ExpertStudy study, Llm llm, LabelledCorpus corpus, RouterPolicy policy) {
        int all = corpus.texts().size();
        try (Progress progress = new Progress(shell)) {
            return study.run(
                    llm,
                    corpus,
                    policy,
                    done -> progress.accept(
                            new LoadProgress(0, 0, "policy " + policy + ": " + done + " of " + all + " texts")));
        }
    }

    private List<Integer> layers(ExpertUse use) {
        for (int layer : layers) {
            if (!use.layers().contains(layer)) {
                throw new UsageException(
                        "--layers: expected layers with experts, " + use.layers() + ", found " + layer);
            }
        }
        return layers.isEmpty()
                ? use.layers()
                : layers.stream().sorted().distinct().toList();
    }

    private static void write(Path file, Supplier<String> content) {
        if (file == null) {
            return;
        }
        try {
            Files.writeString(file, content.get());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    file + ": cannot be written: " + (e.getMessage() == null ? e.toString() : e.getMessage()), e);
        }
    }
}
