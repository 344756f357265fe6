package dev.remora.cli;

import dev.remora.core.json.Json;
import dev.remora.models.eval.Balance;
import dev.remora.models.eval.ExpertUse;
import dev.remora.models.eval.Information;
import dev.remora.models.eval.TellingToken;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The report of {@code remora experts} for people at a terminal. */
final class ExpertsText {
    /** Backgrounds of 256 colours, from little to much. */
    private static final int[] BACKGROUNDS = {17, 18, 25, 32, 39, 81, 123};
    /** Their brightness without colours. */
    private static final String RAMP = " .:-=+*#%@";

    private static final int NUMBER_WIDTH = 3;
    private static final int LONGEST_LABEL = 28;

    private final ExpertsReport report;
    private final int width;
    private final boolean colours;
    private final StringBuilder text = new StringBuilder();

    /** @param width characters of a line; the maps of experts keep to it */
    ExpertsText(ExpertsReport report, int width, boolean colours) {
        this.report = report;
        this.width = width;
        this.colours = colours;
    }

    String text() {
        facts();
        for (ExpertsReport.Layer layer : report.layers()) {
            heading("Layer " + layer.index() + ": of a label's tokens, the share that meets each expert, in %");
            map(layer);
        }
        if (report.layers().stream().anyMatch(layer -> !layer.information().isEmpty())) {
            heading("What an expert tells about the label, in bits");
            information();
        }
        heading("Load of the experts");
        balance();
        for (ExpertsReport.Layer layer : report.layers()) {
            if (!layer.telling().isEmpty()) {
                heading("Layer " + layer.index() + ": the most telling tokens of each expert");
                telling(layer);
            }
        }
        return text.toString();
    }

    private void facts() {
        ExpertUse exact = report.exact();
        List<String[]> facts = new ArrayList<>();
        facts.add(new String[] {"model", report.model()});
        facts.add(new String[] {
            "texts",
            exact.corpus().texts().size() + " of " + exact.corpus().source() + ", " + exact.tokens() + " tokens"
        });
        facts.add(new String[] {
            "experts",
            exact.experts() + " in each of " + exact.layers().size() + " layers; used alike, each would meet "
                    + percent(report.even()) + " % of the tokens"
        });
        for (ExpertUse use : report.uses().subList(1, report.uses().size())) {
            facts.add(new String[] {
                "policy",
                use.policy() + ": " + use.events().overflow() + " rows found an expert full, "
                        + use.events().fallbacks() + " found one late"
            });
        }
        text.append(Table.of(facts, colours));
    }

    private void heading(String line) {
        text.append('\n').append(Style.bold(line, colours)).append('\n');
    }

    private void map(ExpertsReport.Layer layer) {
        int names = layer.reach().keySet().stream()
                .mapToInt(label -> name(label).length())
                .max()
                .orElse(0);
        int room = width - names - 1;
        boolean numbers = NUMBER_WIDTH * report.exact().experts() <= room;
        int cell = numbers ? NUMBER_WIDTH : 1;
        int band = Math.min(report.exact().experts(), numbers ? room / cell : room / 10 * 10);
        double top = layer.top();
        for (int from = 0; from < report.exact().experts(); from += band) {
            int to = Math.min(report.exact().experts(), from + band);
            text.append(" ".repeat(names + 1))
                    .append(Style.dim(header(from, to, numbers), colours))
                    .append('\n');
            for (Map.Entry<String, List<Double>> row : layer.reach().entrySet()) {
                StringBuilder line = new StringBuilder();
                for (double share : row.getValue().subList(from, to)) {
                    line.append(cell(share, top, numbers));
                }
                String name = name(row.getKey());
                text.append(name)
                        .append(" ".repeat(names + 1 - name.length()))
                        .append(colours ? line : line.toString().stripTrailing())
                        .append('\n');
            }
        }
        if (!numbers) {
            text.append(Style.dim(
                            "from \"" + RAMP.charAt(0) + "\" = 0 to \"" + RAMP.charAt(RAMP.length() - 1) + "\" = "
                                    + percent(top) + " %",
                            colours))
                    .append('\n');
        }
    }

    private String name(String label) {
        String name = "  ".repeat(report.ontology().depth(label)) + label;
        return name.length() <= LONGEST_LABEL ? name : name.substring(0, LONGEST_LABEL - 1) + "~";
    }

    private static String header(int from, int to, boolean numbers) {
        StringBuilder line = new StringBuilder();
        for (int expert = from; expert < to; expert++) {
            if (numbers) {
                line.append(String.format(Locale.ROOT, "%3d", expert));
            } else if (expert % 10 == 0) {
                line.append(String.format(Locale.ROOT, "%-10d", expert));
            }
        }
        return line.toString().stripTrailing();
    }

    private String cell(double share, double top, boolean number) {
        double part = top == 0 ? 0 : share / top;
        String content = number
                ? String.format(Locale.ROOT, "%3d", Math.round(100 * share))
                : String.valueOf(RAMP.charAt((int) Math.round(part * (RAMP.length() - 1))));
        if (!colours) {
            return content;
        }
        int level = (int) Math.round(part * (BACKGROUNDS.length - 1));
        int letters = level < BACKGROUNDS.length / 2 + 1 ? 231 : 16;
        return "\u001b[48;5;" + BACKGROUNDS[level] + ";38;5;" + letters + "m" + content + "\u001b[0m";
    }

    private void information() {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"layer", "labels", "told", "Miller-Madow", "by chance", "p", "of the label"});
        for (ExpertsReport.Layer layer : report.layers()) {
            for (int depth = 0; depth < layer.information().size(); depth++) {
                Information told = layer.information().get(depth);
                rows.add(new String[] {
                    Integer.toString(layer.index()),
                    depth == 0 ? "roots" : "level " + (depth + 1),
                    bits(told.bits()),
                    bits(told.corrected()),
                    bits(told.shuffled()),
                    String.format(Locale.ROOT, "%.2f", told.p()),
                    percent(told.share()) + " % of " + bits(told.labelEntropy())
                });
            }
        }
        text.append(Table.of(rows, colours));
    }

    private void balance() {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {
            "layer", "policy", "busiest / mean", "variation", "entropy", "idle experts", "experts per token"
        });
        for (ExpertsReport.Layer layer : report.layers()) {
            for (int run = 0; run < report.uses().size(); run++) {
                Balance balance = layer.balances().get(run);
                ExpertUse use = report.uses().get(run);
                rows.add(new String[] {
                    Integer.toString(layer.index()),
                    use.policy(),
                    String.format(Locale.ROOT, "%.2f", balance.maxOverMean()),
                    String.format(Locale.ROOT, "%.3f", balance.variation()),
                    String.format(Locale.ROOT, "%.4f", balance.entropy()),
                    Integer.toString(balance.idle()),
                    String.format(Locale.ROOT, "%.2f", use.expertsPerToken(layer.index()))
                });
            }
        }
        text.append(Table.of(rows, colours));
    }

    private void telling(ExpertsReport.Layer layer) {
        List<String[]> rows = new ArrayList<>();
        for (int expert = 0; expert < layer.telling().size(); expert++) {
            rows.add(new String[] {
                Integer.toString(expert), tokens(layer.telling().get(expert))
            });
        }
        text.append(Table.of(rows, colours));
    }

    /** Tokens as JSON strings, so that spaces and line breaks are seen. */
    static String tokens(List<TellingToken> tokens) {
        return tokens.isEmpty()
                ? "-"
                : tokens.stream().map(token -> Json.quote(token.text())).collect(Collectors.joining(" "));
    }

    static String bits(double bits) {
        return String.format(Locale.ROOT, "%.4f", bits);
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f", 100 * share);
    }
}
