package dev.remora.cli;

import dev.remora.core.RemoraException;
import dev.remora.core.json.JsonWriter;
import dev.remora.models.Llm;
import dev.remora.models.LoadProgress;
import dev.remora.models.eval.Evaluation;
import dev.remora.models.eval.LabelledCorpus;
import dev.remora.models.eval.PolicyResult;
import dev.remora.moe.policy.RouterPolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora eval}: what policies of the router do to a model's answers, and what they save. */
@Command(
        name = "eval",
        description = "Measures how well a model answers labelled questions, and what policies of the router change:"
                + " accuracy, perplexity, divergence from the exact router, and cost.",
        footer = {
            "",
            "Examples:",
            "  remora eval",
            "  remora eval --policy topk:3 --policy topk:2 --limit 100",
            "  remora eval --model ~/models/DeepSeek-V2-Lite --labelled questions.jsonl --policy topk:4 --json",
            "  remora eval --expert-memory 25% --policy available:m=12",
            "",
            "Without --labelled, the questions are those that the bundled model is judged by."
        })
final class EvalCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private final LoadingOptions model = new LoadingOptions();

    @Option(
            names = "--policy",
            paramLabel = ModelOptions.POLICY_LABEL,
            description = "Measure this policy, beside the exact router; may be given several times. See"
                    + " docs/routing.md. Default: the exact router alone.")
    private List<String> policies = new ArrayList<>();

    @Option(
            names = "--labelled",
            paramLabel = "FILE",
            description = "Ask these: on each line a JSON object with label, and text or user and assistant.")
    private Path labelled;

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description = "The tree of the labels of --labelled. Default: labels.json beside it.")
    private Path labels;

    @Option(names = "--limit", paramLabel = "N", description = "Ask the first N only.")
    private int limit;

    @Option(names = "--json", description = "Print one JSON object: model, corpus, policies, results.")
    private boolean json;

    EvalCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        if (limit < 0) {
            throw new UsageException("--limit: expected at least 1 text, found " + limit);
        }
        if (labels != null && labelled == null) {
            throw new UsageException("--labels: expected --labelled beside it, whose labels it explains");
        }
        List<RouterPolicy> wanted = OptionNames.translate(
                () -> policies.stream().map(RouterPolicy::parse).toList());
        LabelledCorpus corpus = corpus();
        Evaluation evaluation = new Evaluation();
        EvalReport report;
        try (Llm llm = model.load(shell, evaluation);
                Interrupts.Scope _ = shell.interrupts().during(evaluation::cancel)) {
            report = new EvalReport(model.name(llm.info()), corpus, run(evaluation, llm, corpus, wanted));
        }
        if (json) {
            shell.print(JsonWriter.write(EvalJson.of(report)) + "\n");
        } else {
            shell.print(new EvalText(report, shell.outColours()).text());
        }
        return ExitCode.OK;
    }

    private LabelledCorpus corpus() {
        LabelledCorpus all;
        try {
            all = labelled == null
                    ? LabelledCorpus.bundled()
                    : labels == null ? LabelledCorpus.read(labelled) : LabelledCorpus.read(labelled, labels);
        } catch (RemoraException e) {
            if (labelled == null) {
                throw e;
            }
            // These files are the user's, not a model's.
            throw new UsageException(e.getMessage(), e);
        }
        return limit > 0 ? all.first(limit) : all;
    }

    private List<PolicyResult> run(Evaluation evaluation, Llm llm, LabelledCorpus corpus, List<RouterPolicy> wanted) {
        int all = corpus.texts().size();
        try (Progress progress = new Progress(shell)) {
            return OptionNames.translate(() -> evaluation.run(
                    llm,
                    corpus,
                    wanted,
                    (policy, done) -> progress.accept(
                            new LoadProgress(0, 0, "policy " + policy + ": " + done + " of " + all + " texts"))));
        }
    }
}
