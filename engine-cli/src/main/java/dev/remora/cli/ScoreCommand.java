package dev.remora.cli;

import dev.remora.core.CheckpointException;
import dev.remora.core.json.JsonWriter;
import dev.remora.core.sampling.LogSoftmax;
import dev.remora.core.tokenizer.SpecialTokens;
import dev.remora.core.tokenizer.StreamingDecoder;
import dev.remora.models.Llm;
import dev.remora.models.LogitsFile;
import dev.remora.models.Score;
import dev.remora.models.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora score}: how probable a model finds a text. */
@Command(
        name = "score",
        description = "Tells how probable the model finds a text: mean log-likelihood and perplexity.",
        footer = {
            "",
            "Examples:",
            "  remora score --text story.txt",
            "  remora score --text story.txt --jsonl           one line per token",
            "  remora score --ids ids.json --cache f32 --logits logits.safetensors"
        })
final class ScoreCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @ArgGroup(multiplicity = "1")
    private Subject subject;

    @Option(
            names = "--logits",
            paramLabel = "OUT",
            description = "Write the logits of all positions to this safetensors file: tensor logits, (T, vocab), f32.")
    private Path logits;

    @Option(
            names = "--jsonl",
            description = "Print a JSON object for each token but the first: position, id, text, log_probability.")
    private boolean jsonl;

    @Option(names = "--json", description = "Print one JSON object: tokens, mean_log_likelihood, perplexity.")
    private boolean json;

    /** What is scored. */
    static final class Subject {
        @Option(
                names = "--text",
                paramLabel = "FILE",
                required = true,
                description = "Score this text (UTF-8), after the beginning-of-sequence token that the model expects;"
                        + " - reads standard input.")
        private Path text;

        @Option(
                names = "--ids",
                paramLabel = "FILE",
                required = true,
                description = "Score these token ids, a JSON array, as they are; - reads standard input.")
        private Path ids;
    }

    ScoreCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        if (json && jsonl) {
            throw new UsageException("--json and --jsonl: expected one of them, found both");
        }
        int[] ids = subject.ids == null ? null : Input.ids(subject.ids, shell);
        String text = subject.ids == null ? Input.text(subject.text, shell) : null;
        try (Llm llm = model.load(shell)) {
            int[] scored = ids == null ? encode(llm, text) : ids;
            if (scored.length < (logits == null ? 2 : 1)) {
                throw new UsageException("nothing to score: expected at least two tokens, found " + scored.length
                        + "; the first one has nothing before it");
            }
            try (Session session = session(llm, scored.length);
                    Interrupts.Scope _ = shell.interrupts().during(session::cancel)) {
                report(llm, scored, score(session, scored, llm.info().vocabSize()));
            }
        }
        return ExitCode.OK;
    }

    private static int[] encode(Llm llm, String text) {
        int[] ids = llm.tokenizer().encode(text);
        SpecialTokens special = llm.tokenizer().specialTokens();
        boolean begins = ids.length > 0
                && special.bos().isPresent()
                && ids[0] == special.bos().getAsInt();
        if (!special.addBos() || special.bos().isEmpty() || begins) {
            return ids;
        }
        int[] begun = new int[ids.length + 1];
        begun[0] = special.bos().getAsInt();
        System.arraycopy(ids, 0, begun, 1, ids.length);
        return begun;
    }

    /** As long as needed, unless --ctx says how long. */
    private Session session(Llm llm, int tokens) {
        int longest = llm.info().maxContextLength();
        return OptionNames.translate(
                () -> model.contextLength > 0 ? llm.session() : llm.session(Math.min(tokens, longest)));
    }

    private Score score(Session session, int[] ids, int vocabSize) {
        if (logits == null) {
            return OptionNames.translate(() -> session.score(ids));
        }
        List<Float> logProbabilities = new ArrayList<>();
        try (LogitsFile out = logitsFile(ids.length, vocabSize)) {
            OptionNames.translate(() -> {
                session.score(ids, (index, row) -> {
                    out.accept(index, row);
                    if (index + 1 < ids.length) {
                        double normaliser = LogSoftmax.logSumExp(row, 0, row.length);
                        logProbabilities.add((float) (row[ids[index + 1]] - normaliser));
                    }
                });
                return null;
            });
            out.finish();
        }
        return new Score(logProbabilities);
    }

    private LogitsFile logitsFile(int rows, int vocabSize) {
        try {
            return new LogitsFile(logits, rows, vocabSize);
        } catch (CheckpointException e) {
            throw new UsageException("--logits: " + e.getMessage(), e);
        }
    }

    private void report(Llm llm, int[] ids, Score score) {
        if (jsonl) {
            perToken(llm, ids, score.logProbabilities());
        }
        if (json) {
            shell.print(JsonWriter.write(summary(ids, score)) + "\n");
            return;
        }
        String lines = String.format(
                Locale.ROOT,
                "tokens               %d%nmean log-likelihood  %s%nperplexity           %s",
                ids.length,
                ids.length < 2 ? "- (a single token has no context to be scored in)" : figure(score.mean()),
                ids.length < 2 ? "-" : figure(score.perplexity()));
        if (jsonl) {
            shell.note(lines);
        } else {
            shell.print(lines + "\n");
        }
    }

    private static Map<String, Object> summary(int[] ids, Score score) {
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("tokens", ids.length);
        summary.put("scored_tokens", score.logProbabilities().size());
        summary.put("mean_log_likelihood", score.mean());
        summary.put("perplexity", score.perplexity());
        return summary;
    }

    private void perToken(Llm llm, int[] ids, List<Float> logProbabilities) {
        StreamingDecoder decoder = llm.hasTokenizer() ? llm.tokenizer().newDecoder() : null;
        if (decoder != null) {
            decoder.push(ids[0]);
        }
        for (int i = 1; i < ids.length; i++) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("position", i);
            line.put("id", ids[i]);
            line.put("text", decoder == null ? null : decoder.push(ids[i]));
            line.put("log_probability", logProbabilities.get(i - 1));
            shell.write(JsonWriter.write(line) + "\n");
        }
        shell.flush();
    }

    private static String figure(double value) {
        return String.format(Locale.ROOT, "%.6f", value);
    }
}
