package dev.remora.cli;

import dev.remora.models.eval.PolicyResult;
import dev.remora.models.eval.Quality;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report of {@code remora eval} for programs. What cannot be said, such as an accuracy of nothing, is null. */
final class EvalJson {
    private EvalJson() {}

    static Map<String, Object> of(EvalReport report) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("model", report.model());
        json.put("corpus", report.corpus().source());
        List<Object> policies = new ArrayList<>();
        List<Object> results = new ArrayList<>();
        for (PolicyResult result : report.results()) {
            Map<String, Object> total = policy(result);
            quality(total, result.all());
            cost(total, result.cost());
            policies.add(total);
            result.byLabel().forEach((label, quality) -> {
                Map<String, Object> item = policy(result);
                item.put("label", label);
                item.put("parent", report.corpus().ontology().parent(label).orElse(null));
                quality(item, quality);
                results.add(item);
            });
        }
        json.put("policies", policies);
        json.put("results", results);
        return json;
    }

    private static Map<String, Object> policy(PolicyResult result) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("policy", result.policy().toString());
        json.put("reading", EvalReport.reading(result));
        return json;
    }

    private static void quality(Map<String, Object> json, Quality quality) {
        json.put("texts", quality.texts());
        json.put("questions", quality.questions());
        json.put("matching", quality.matching());
        json.put("judged", quality.judged());
        json.put("right", quality.right());
        json.put("lost", quality.lost());
        json.put("gained", quality.gained());
        json.put("accuracy", quality.accuracy());
        json.put("tokens", quality.tokens());
        json.put("perplexity", quality.perplexity());
        json.put("kl", quality.kl());
        json.put("top1_agreement", quality.top1Agreement());
    }

    private static void cost(Map<String, Object> json, PolicyResult.Cost cost) {
        json.put("step_tokens", cost.tokens());
        json.put("step_seconds", cost.nanos() / 1e9);
        json.put("tokens_per_second", cost.tokensPerSecond());
        json.put("experts_per_token", cost.expertsPerToken());
        json.put("bytes_read_per_token", cost.bytesReadPerToken());
        json.put("hit_rate", cost.hitRate());
        json.put("overflow", cost.overflow());
        Map<String, Object> fallbacks = new LinkedHashMap<>();
        cost.fallbacks().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(entry -> fallbacks.put(entry.getKey().name().toLowerCase(Locale.ROOT), entry.getValue()));
        json.put("fallbacks", fallbacks);
    }
}
