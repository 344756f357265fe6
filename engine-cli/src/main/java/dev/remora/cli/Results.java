package dev.remora.cli;

import dev.remora.core.sampling.SamplingParams;
import dev.remora.models.FinishReason;
import dev.remora.models.GenerationEvent;
import dev.remora.models.GenerationOptions;
import dev.remora.models.Usage;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a generation came to, for programs and for people. */
final class Results {
    private Results() {}

    /** The object of {@code generate --json}. */
    static Map<String, Object> generation(
            String text, List<Integer> ids, GenerationEvent.Finished end, GenerationOptions options) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("text", text);
        result.put("ids", ids);
        result.put("finish_reason", name(end == null ? FinishReason.CANCELLED : end.reason()));
        result.put("usage", end == null ? null : usage(end.usage()));
        result.put("seed", options.sampling().seed());
        result.put("options", options(options));
        return result;
    }

    private static Map<String, Object> usage(Usage usage) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("prompt_tokens", usage.promptTokens());
        map.put("cached_tokens", usage.cachedTokens());
        map.put("generated_tokens", usage.generatedTokens());
        map.put("time_to_first_token_seconds", seconds(usage.timeToFirstToken()));
        map.put("prompt_seconds", seconds(usage.promptTime()));
        map.put("generation_seconds", seconds(usage.generationTime()));
        map.put("prompt_tokens_per_second", usage.promptTokensPerSecond());
        map.put("generated_tokens_per_second", usage.generatedTokensPerSecond());
        return map;
    }

    private static Map<String, Object> options(GenerationOptions options) {
        SamplingParams sampling = options.sampling();
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("max_tokens", options.maxTokens() == GenerationOptions.UNLIMITED ? null : options.maxTokens());
        map.put("temperature", sampling.temperature());
        map.put("top_k", sampling.topK());
        map.put("top_p", sampling.topP());
        map.put("min_p", sampling.minP());
        map.put("repetition_penalty", sampling.repetitionPenalty());
        map.put("frequency_penalty", sampling.frequencyPenalty());
        map.put("presence_penalty", sampling.presencePenalty());
        Map<String, Object> bias = new LinkedHashMap<>();
        sampling.logitBias().forEach((id, value) -> bias.put(id.toString(), value.isInfinite() ? "-inf" : value));
        map.put("logit_bias", bias);
        map.put("stop", options.stopStrings());
        map.put("ignore_eos", options.ignoreEos());
        return map;
    }

    /** The line that {@code generate} leaves on standard error. */
    static String statistics(GenerationEvent.Finished end, GenerationOptions options) {
        Usage usage = end.usage();
        String cached = usage.cachedTokens() > 0 ? " (" + usage.cachedTokens() + " cached)" : "";
        String seed = options.sampling().isGreedy()
                ? ""
                : " | seed: " + options.sampling().seed();
        return String.format(
                Locale.ROOT,
                "[prompt: %d tokens%s, %s | generated: %d tokens, %s | first token: %.3f s | end: %s%s]",
                usage.promptTokens(),
                cached,
                rate(usage.promptTokensPerSecond()),
                usage.generatedTokens(),
                rate(usage.generatedTokensPerSecond()),
                seconds(usage.timeToFirstToken()),
                name(end.reason()).replace('_', ' '),
                seed);
    }

    static String name(FinishReason reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }

    private static String rate(double tokensPerSecond) {
        return tokensPerSecond > 0 ? String.format(Locale.ROOT, "%.1f tokens/s", tokensPerSecond) : "- tokens/s";
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
