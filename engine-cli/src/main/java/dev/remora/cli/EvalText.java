package dev.remora.cli;

import dev.remora.models.eval.PolicyResult;
import dev.remora.models.eval.PolicyResult.Cost;
import dev.remora.models.eval.PolicyResult.Reading;
import dev.remora.models.eval.Quality;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report of {@code remora eval} for people at a terminal. */
final class EvalText {
    private static final String NOTHING = "-";

    private final EvalReport report;
    private final boolean colours;
    private final StringBuilder text = new StringBuilder();

    EvalText(EvalReport report, boolean colours) {
        this.report = report;
        this.colours = colours;
    }

    String text() {
        Quality first = report.results().getFirst().all();
        text.append(Table.of(
                List.of(new String[] {"model", report.model()}, new String[] {
                    "texts",
                    first.texts() + " of " + report.corpus().source() + ": " + first.judged()
                            + " have one right answer, " + first.tokens() + " tokens are scored"
                }),
                colours));
        for (Reading reading : Reading.values()) {
            List<PolicyResult> results = report.results().stream()
                    .filter(result -> result.reading() == reading)
                    .toList();
            if (!results.isEmpty()) {
                heading(
                        reading == Reading.DECODED
                                ? "Answers decoded token by token"
                                : "Answers read in one go with their questions, as prompts are");
                policies(results);
            }
        }
        for (PolicyResult result : report.results()) {
            heading("By label: " + result.policy() + (result.reading() == Reading.DECODED ? "" : ", as prompts"));
            labels(result);
        }
        return text.toString();
    }

    private void heading(String line) {
        text.append('\n').append(Style.bold(line, colours)).append('\n');
    }

    private void policies(List<PolicyResult> results) {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {
            "policy",
            "accuracy",
            "right",
            "lost/gained",
            "match",
            "perplexity",
            "KL",
            "top-1",
            "tokens/s",
            "experts/token",
            "read/token",
            "hits",
            "full",
            "late"
        });
        for (PolicyResult result : results) {
            Quality all = result.all();
            Cost cost = result.cost();
            rows.add(new String[] {
                result.policy().toString(),
                percent(all.accuracy()),
                all.right() + " of " + all.judged(),
                all.lost() + "/" + all.gained(),
                all.matching() + " of " + all.questions(),
                figure("%.4f", all.perplexity()),
                figure("%.5f", all.kl()),
                percent(all.top1Agreement()),
                figure("%.1f", cost.tokensPerSecond()),
                figure("%.2f", cost.expertsPerToken()),
                cost.tokens() == 0 ? NOTHING : Units.bytes(Math.round(cost.bytesReadPerToken())),
                percent(cost.hitRate()),
                Long.toString(cost.overflow()),
                Long.toString(cost.fallbacks().values().stream()
                        .mapToLong(Long::longValue)
                        .sum())
            });
        }
        text.append(Table.of(rows, colours));
    }

    private void labels(PolicyResult result) {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"label", "texts", "accuracy", "lost/gained", "perplexity", "KL", "top-1"});
        for (Map.Entry<String, Quality> entry : result.byLabel().entrySet()) {
            Quality quality = entry.getValue();
            rows.add(new String[] {
                "  ".repeat(report.corpus().ontology().depth(entry.getKey())) + entry.getKey(),
                Integer.toString(quality.texts()),
                percent(quality.accuracy()),
                quality.judged() == 0 ? NOTHING : quality.lost() + "/" + quality.gained(),
                figure("%.4f", quality.perplexity()),
                figure("%.5f", quality.kl()),
                percent(quality.top1Agreement())
            });
        }
        text.append(Table.of(rows, colours));
    }

    private static String percent(double share) {
        return Double.isNaN(share) ? NOTHING : String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    private static String figure(String format, double value) {
        return Double.isNaN(value) ? NOTHING : String.format(Locale.ROOT, format, value);
    }
}
