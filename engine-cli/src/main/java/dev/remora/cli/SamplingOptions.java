package dev.remora.cli;

import dev.remora.core.sampling.SamplingParams;
import dev.remora.models.GenerationOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How tokens are chosen and when to stop. What is not given is what the model's generation_config.json says. */
final class SamplingOptions {
    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Tokens to generate at most. Default: until the model ends or the context is full.")
    Integer maxTokens;

    @Option(names = "--greedy", description = "Always the most probable token; the same as --temperature 0.")
    boolean greedy;

    @Option(names = "--temperature", paramLabel = "T", description = "From 0: greedy, through 1: the model's own odds.")
    Float temperature;

    @Option(names = "--top-k", paramLabel = "K", description = "Draw from the K most probable tokens; 0: all.")
    Integer topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Draw from the fewest tokens that share probability P, above 0, at most 1.")
    Float topP;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            description = "Draw no token less probable than this share of the best, 0 to 1.")
    Float minP;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "X",
            description = "Divides the odds of tokens seen before; 1: off.")
    Float repetitionPenalty;

    @Option(
            names = "--frequency-penalty",
            paramLabel = "X",
            description = "Subtracted once for each time that a token was generated, -2 to 2.")
    Float frequencyPenalty;

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            description = "Subtracted once from tokens that were generated, -2 to 2.")
    Float presencePenalty;

    @Option(
            names = "--logit-bias",
            paramLabel = "ID=VALUE",
            converter = {IdConverter.class, BiasConverter.class},
            description = "Added to the logit of a token, -100 to 100; -inf forbids it. Repeatable.")
    Map<Integer, Float> logitBias = new LinkedHashMap<>();

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "The same seed gives the same text. Default: another one every time.")
    Long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End before this text. Repeatable.")
    List<String> stop = List.of();

    @Option(names = "--ignore-eos", description = "Go on after the model's end-of-sequence token.")
    boolean ignoreEos;

    /** The model's defaults with what was typed on top. */
    GenerationOptions over(GenerationOptions defaults) {
        if (greedy && temperature != null && temperature != 0) {
            throw new UsageException("--greedy and --temperature " + temperature + " contradict each other; give one");
        }
        return OptionNames.translate(() -> {
            GenerationOptions options = defaults.withSampling(sampling(defaults.sampling()))
                    .withIgnoreEos(ignoreEos || defaults.ignoreEos());
            options = maxTokens == null ? options : options.withMaxTokens(maxTokens);
            return stop.isEmpty() ? options : options.withStopStrings(stop);
        });
    }

    private SamplingParams sampling(SamplingParams defaults) {
        return new SamplingParams(
                greedy ? 0 : or(temperature, defaults.temperature()),
                topK == null ? defaults.topK() : topK,
                or(topP, defaults.topP()),
                or(minP, defaults.minP()),
                or(repetitionPenalty, defaults.repetitionPenalty()),
                or(frequencyPenalty, defaults.frequencyPenalty()),
                or(presencePenalty, defaults.presencePenalty()),
                logitBias.isEmpty() ? defaults.logitBias() : logitBias,
                seed == null ? defaults.seed() : seed);
    }

    private static float or(Float typed, float otherwise) {
        return typed == null ? otherwise : typed;
    }

    /** The id in {@code ID=VALUE}. */
    static final class IdConverter implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            try {
                return Integer.valueOf(text.strip());
            } catch (NumberFormatException e) {
                throw new TypeConversionException("expected ID=VALUE with a token id, found '" + text + "'");
            }
        }
    }

    /** The value in {@code ID=VALUE}. */
    static final class BiasConverter implements ITypeConverter<Float> {
        @Override
        public Float convert(String text) {
            if (text.strip().equalsIgnoreCase("-inf")) {
                return Float.NEGATIVE_INFINITY;
            }
            try {
                return Float.valueOf(text.strip());
            } catch (NumberFormatException e) {
                throw new TypeConversionException("expected ID=VALUE with a number or -inf, found '" + text + "'");
            }
        }
    }
}
