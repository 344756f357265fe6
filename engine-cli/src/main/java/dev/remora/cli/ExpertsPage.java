package dev.remora.cli;

import dev.remora.models.eval.Balance;
import dev.remora.models.eval.ExpertUse;
import dev.remora.models.eval.Information;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The report of {@code remora experts} as one page of XHTML: styles and drawings are in it, scripts are not. Every drawing
 * has a title, a description and a table with the same numbers.
 */
final class ExpertsPage {
    private static final int CELL = 22;
    private static final int NARROW_CELL = 9;
    private static final int ROW = 22;
    private static final int LABELS = 210;
    private static final int HEAD = 26;
    private static final String STYLE = """
            :root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --dim: #5b6570; --line: #d6dbe1; --mark: #0b5cad; }
            @media (prefers-color-scheme: dark) {
              :root { --ink: #e6e9ed; --paper: #14171b; --dim: #9aa5b1; --line: #343b44; --mark: #6cb6ff; }
            }
            body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
              font: 15px/1.5 system-ui, sans-serif; }
            h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
            p.note, figcaption { color: var(--dim); max-width: 62rem; }
            figure { margin: 1rem 0; overflow-x: auto; }
            svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg text.dim { fill: var(--dim); }
            svg rect.frame { fill: none; stroke: var(--line); } svg rect.cell { fill: var(--mark); }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
            th, td { padding: 0.15rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; }
            th { font-weight: 600; } th.name, td.name { text-align: left; } summary { cursor: pointer; color: var(--dim); }
            code { font: 13px ui-monospace, monospace; }
            """;

    private final ExpertsReport report;
    private final StringBuilder page = new StringBuilder();

    private ExpertsPage(ExpertsReport report) {
        this.report = report;
    }

    static String of(ExpertsReport report) {
        return new ExpertsPage(report).write();
    }

    private String write() {
        String title = "Experts of " + report.model();
        page.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>")
                .append(escape(title))
                .append("</title>\n<style>\n")
                .append(STYLE)
                .append("</style>\n</head>\n<body>\n<h1>")
                .append(escape(title))
                .append("</h1>\n");
        facts();
        for (ExpertsReport.Layer layer : report.layers()) {
            layer(layer);
        }
        information();
        balance();
        return page.append("</body>\n</html>\n").toString();
    }

    private void facts() {
        ExpertUse exact = report.exact();
        paragraph(
                "",
                exact.corpus().texts().size() + " texts of " + exact.corpus().source() + ", " + exact.tokens()
                        + " tokens; " + exact.experts() + " routed experts in each of "
                        + exact.layers().size() + " layers.");
        for (ExpertUse use : report.uses().subList(1, report.uses().size())) {
            paragraph(
                    "",
                    "Policy " + use.policy() + ": " + use.events().overflow() + " rows found an expert full, "
                            + use.events().fallbacks() + " found one late.");
        }
        paragraph(
                "note",
                "The maps show, for each label, which share of its tokens meets each expert, with the exact router. A"
                        + " label's tokens are its own and those of all labels below it; special tokens are left out. Were"
                        + " all experts used alike, every cell would show "
                        + ExpertsText.percent(report.even()) + " %.");
    }

    private void layer(ExpertsReport.Layer layer) {
        heading("Layer " + layer.index());
        map(layer);
        page.append("<details><summary>The same as a table, in %</summary>\n<table>\n<thead><tr><th class=\"name\""
                + " scope=\"col\">label</th><th scope=\"col\">texts</th><th scope=\"col\">tokens</th>");
        for (int expert = 0; expert < report.exact().experts(); expert++) {
            page.append("<th scope=\"col\">").append(expert).append("</th>");
        }
        page.append("</tr></thead>\n<tbody>\n");
        for (Map.Entry<String, List<Double>> row : layer.reach().entrySet()) {
            page.append("<tr><th class=\"name\" scope=\"row\">")
                    .append(escape(indented(row.getKey())))
                    .append("</th>");
            cell(Integer.toString(report.texts(row.getKey())));
            cell(Long.toString(report.tokens().get(row.getKey())));
            row.getValue().forEach(share -> cell(ExpertsText.percent(share)));
            page.append("</tr>\n");
        }
        page.append("</tbody>\n</table>\n</details>\n");
        telling(layer);
    }

    private void map(ExpertsReport.Layer layer) {
        int experts = report.exact().experts();
        int cell = experts <= 32 ? CELL : NARROW_CELL;
        int width = LABELS + experts * cell + 10;
        int height = HEAD + layer.reach().size() * ROW + 4;
        double top = layer.top();
        String id = "layer-" + layer.index();
        page.append(String.format(
                Locale.ROOT,
                "<figure>\n<svg role=\"img\" aria-labelledby=\"%s-title %s-desc\""
                        + " width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
                id,
                id,
                width,
                height,
                width,
                height));
        page.append("<title id=\"" + id + "-title\">Labels and experts of layer " + layer.index()
                + "</title>\n<desc id=\"" + id + "-desc\">" + escape(description(layer)) + "</desc>\n");
        for (int expert = 0; expert < experts; expert += cell == CELL ? 1 : 8) {
            text(LABELS + expert * cell + cell / 2, HEAD - 8, "middle", "dim", Integer.toString(expert));
        }
        int y = HEAD;
        for (Map.Entry<String, List<Double>> row : layer.reach().entrySet()) {
            text(10 * report.ontology().depth(row.getKey()), y + ROW - 7, "start", "", row.getKey());
            for (int expert = 0; expert < experts; expert++) {
                double share = row.getValue().get(expert);
                page.append(String.format(
                        Locale.ROOT,
                        "<rect class=\"cell\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill-opacity=\"%.3f\"><title>%s,"
                                + " expert %d: %s %%</title></rect>\n",
                        LABELS + expert * cell,
                        y,
                        cell - 1,
                        ROW - 1,
                        top == 0 ? 0 : share / top,
                        escape(row.getKey()),
                        expert,
                        ExpertsText.percent(share)));
            }
            y += ROW;
        }
        page.append(String.format(
                Locale.ROOT,
                "<rect class=\"frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n</svg>\n<figcaption>Full colour is %s"
                        + " %% of a label's tokens, no colour is none.</figcaption>\n</figure>\n",
                LABELS,
                HEAD,
                experts * cell,
                layer.reach().size() * ROW,
                ExpertsText.percent(top)));
    }

    /** What the map shows at first sight, for those who cannot see it. */
    private static String description(ExpertsReport.Layer layer) {
        StringBuilder text = new StringBuilder("A map of " + layer.reach().size() + " labels and their experts.");
        layer.reach().forEach((label, shares) -> {
            int best = 0;
            for (int expert = 1; expert < shares.size(); expert++) {
                best = shares.get(expert) > shares.get(best) ? expert : best;
            }
            text.append(' ')
                    .append(label)
                    .append(": most with expert ")
                    .append(best)
                    .append(", ");
            text.append(ExpertsText.percent(shares.get(best))).append(" %.");
        });
        return text.toString();
    }

    private void telling(ExpertsReport.Layer layer) {
        if (layer.telling().isEmpty()) {
            return;
        }
        page.append("<details><summary>The most telling tokens of each expert</summary>\n<table>\n<thead><tr><th"
                + " scope=\"col\">expert</th><th class=\"name\" scope=\"col\">tokens that meet it more often than"
                + " others</th></tr></thead>\n<tbody>\n");
        for (int expert = 0; expert < layer.telling().size(); expert++) {
            page.append("<tr><th scope=\"row\">")
                    .append(expert)
                    .append("</th><td class=\"name\"><code>")
                    .append(escape(ExpertsText.tokens(layer.telling().get(expert))))
                    .append("</code></td></tr>\n");
        }
        page.append("</tbody>\n</table>\n</details>\n");
    }

    private void information() {
        if (report.layers().stream().allMatch(layer -> layer.information().isEmpty())) {
            return;
        }
        heading("What an expert tells about the label");
        paragraph(
                "note",
                "Mutual information in bits. Few texts show information where there is none: Miller and Madow subtract the"
                        + " bias of independent tokens; by chance is what is left when the labels are shuffled among the"
                        + " texts, and p the share of shuffles that tell as much. The last columns are what is told beyond"
                        + " chance, as a share of all there is to know about the label.");
        head("layer", "labels", "told", "Miller-Madow", "by chance", "p", "beyond chance, %", "of bits");
        for (ExpertsReport.Layer layer : report.layers()) {
            for (int depth = 0; depth < layer.information().size(); depth++) {
                Information told = layer.information().get(depth);
                page.append("<tr>");
                cell(Integer.toString(layer.index()));
                cell(depth == 0 ? "roots" : "level " + (depth + 1));
                cell(ExpertsText.bits(told.bits()));
                cell(ExpertsText.bits(told.corrected()));
                cell(ExpertsText.bits(told.shuffled()));
                cell(String.format(Locale.ROOT, "%.2f", told.p()));
                cell(ExpertsText.percent(told.share()));
                cell(ExpertsText.bits(told.labelEntropy()));
                page.append("</tr>\n");
            }
        }
        page.append("</tbody>\n</table>\n");
    }

    private void balance() {
        heading("Load of the experts");
        head("layer", "policy", "busiest / mean", "variation", "entropy", "idle experts", "experts per token");
        for (ExpertsReport.Layer layer : report.layers()) {
            for (int run = 0; run < report.uses().size(); run++) {
                Balance balance = layer.balances().get(run);
                ExpertUse use = report.uses().get(run);
                page.append("<tr>");
                cell(Integer.toString(layer.index()));
                cell(use.policy());
                cell(String.format(Locale.ROOT, "%.2f", balance.maxOverMean()));
                cell(String.format(Locale.ROOT, "%.3f", balance.variation()));
                cell(String.format(Locale.ROOT, "%.4f", balance.entropy()));
                cell(Integer.toString(balance.idle()));
                cell(String.format(Locale.ROOT, "%.2f", use.expertsPerToken(layer.index())));
                page.append("</tr>\n");
            }
        }
        page.append("</tbody>\n</table>\n");
    }

    private void head(String... columns) {
        page.append("<table>\n<thead><tr>");
        for (String column : columns) {
            page.append("<th scope=\"col\">").append(escape(column)).append("</th>");
        }
        page.append("</tr></thead>\n<tbody>\n");
    }

    private void heading(String text) {
        page.append("<h2>").append(escape(text)).append("</h2>\n");
    }

    private void paragraph(String style, String text) {
        page.append(style.isEmpty() ? "<p>" : "<p class=\"" + style + "\">")
                .append(escape(text))
                .append("</p>\n");
    }

    private void cell(String content) {
        page.append("<td>").append(escape(content)).append("</td>");
    }

    private void text(int x, int y, String anchor, String style, String content) {
        page.append(String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\"%s>%s</text>\n",
                x,
                y,
                anchor,
                style.isEmpty() ? "" : " class=\"" + style + "\"",
                escape(content)));
    }

    private String indented(String label) {
        return "\u2003".repeat(report.ontology().depth(label)) + label;
    }

    /** Text for XML; what XML cannot hold becomes U+FFFD. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            switch (c) {
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '&' -> escaped.append("&amp;");
                case '"' -> escaped.append("&quot;");
                default -> escaped.appendCodePoint(allowed(c) ? c : 0xFFFD);
            }
        });
        return escaped.toString();
    }

    private static boolean allowed(int c) {
        return c == '\t'
                || c == '\n'
                || c == '\r'
                || (c >= ' ' && c < 0xD800)
                || (c > 0xDFFF && c < 0xFFFE)
                || c > 0xFFFF;
    }
}
