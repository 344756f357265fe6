package dev.remora.cli;

import dev.remora.models.eval.Balance;
import dev.remora.models.eval.ExpertUse;
import dev.remora.models.eval.Information;
import dev.remora.models.eval.TellingToken;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The report of {@code remora experts} for programs. */
final class ExpertsJson {
    private ExpertsJson() {}

    static Map<String, Object> of(ExpertsReport report) {
        ExpertUse exact = report.exact();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("model", report.model());
        json.put("corpus", exact.corpus().source());
        json.put("texts", exact.corpus().texts().size());
        json.put("tokens", exact.tokens());
        json.put("experts", exact.experts());
        List<Object> labels = new ArrayList<>();
        report.tokens().forEach((label, tokens) -> {
            Map<String, Object> item = new LinkedHashMap<>();
            item.put("label", label);
            item.put("parent", report.ontology().parent(label).orElse(null));
            item.put("texts", report.texts(label));
            item.put("tokens", tokens);
            labels.add(item);
        });
        json.put("labels", labels);
        json.put("layers", report.layers().stream().map(ExpertsJson::layer).toList());
        List<Object> runs = new ArrayList<>();
        for (int run = 0; run < report.uses().size(); run++) {
            runs.add(run(report, run));
        }
        json.put("runs", runs);
        return json;
    }

    private static Map<String, Object> layer(ExpertsReport.Layer layer) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("layer", layer.index());
        json.put("reach", layer.reach());
        List<Object> information = new ArrayList<>();
        for (int depth = 0; depth < layer.information().size(); depth++) {
            information.add(information(depth, layer.information().get(depth)));
        }
        json.put("information", information);
        json.put(
                "telling",
                layer.telling().stream()
                        .map(tokens -> tokens.stream().map(ExpertsJson::token).toList())
                        .toList());
        return json;
    }

    private static Map<String, Object> information(int depth, Information information) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("depth", depth);
        json.put("bits", information.bits());
        json.put("miller_madow_bits", information.corrected());
        json.put("shuffled_bits", information.shuffled());
        json.put("p", information.p());
        json.put("label_entropy_bits", information.labelEntropy());
        json.put("share", information.share());
        return json;
    }

    private static Map<String, Object> token(TellingToken token) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", token.id());
        json.put("text", token.text());
        json.put("count", token.count());
        json.put("total", token.total());
        json.put("pmi_bits", token.pmi());
        return json;
    }

    private static Map<String, Object> run(ExpertsReport report, int run) {
        ExpertUse use = report.uses().get(run);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("policy", use.policy());
        json.put("overflow", use.events().overflow());
        json.put("fallbacks", use.events().fallbacks());
        List<Object> layers = new ArrayList<>();
        for (ExpertsReport.Layer layer : report.layers()) {
            Balance balance = layer.balances().get(run);
            Map<String, Object> item = new LinkedHashMap<>();
            item.put("layer", layer.index());
            item.put("load", Arrays.stream(use.load(layer.index())).boxed().toList());
            item.put("experts_per_token", use.expertsPerToken(layer.index()));
            item.put("max_over_mean", balance.maxOverMean());
            item.put("variation", balance.variation());
            item.put("entropy", balance.entropy());
            item.put("idle", balance.idle());
            layers.add(item);
        }
        json.put("layers", layers);
        return json;
    }
}
