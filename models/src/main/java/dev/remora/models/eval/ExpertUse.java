package dev.remora.models.eval;

import dev.remora.core.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * Which experts the tokens of a corpus met: what an {@link ExpertStudy} found. Special tokens, which every text has alike,
 * count as load only, and for nothing that is said about labels or tokens. Immutable.
 */
public final class ExpertUse {
    /** How often labels are shuffled to see what chance gives. */
    private static final int SHUFFLES = 100;

    private static final long SEED = 20241226;

    private final LabelledCorpus corpus;
    private final String policy;
    private final ChoiceLog log;
    private final Tokenizer tokenizer;
    private final int experts;
    private final Events events;

    /**
     * What a policy did in all layers.
     *
     * @param overflow  rows that found an expert full
     * @param fallbacks rows that found an expert late
     */
    public record Events(long overflow, long fallbacks) {}

    ExpertUse(LabelledCorpus corpus, String policy, ChoiceLog log, Tokenizer tokenizer, int experts, Events events) {
        this.corpus = corpus;
        this.policy = policy;
        this.log = log;
        this.tokenizer = tokenizer;
        this.experts = experts;
        this.events = events;
    }

    /** The texts. */
    public LabelledCorpus corpus() {
        return corpus;
    }

    /** The policy in force, as text. */
    public String policy() {
        return policy;
    }

    /** Layers with experts, ascending. */
    public List<Integer> layers() {
        return log.layers();
    }

    /** Routed experts of a layer. */
    public int experts() {
        return experts;
    }

    /** Tokens read, special ones too. */
    public int tokens() {
        return log.tokens();
    }

    /** What the policy did. */
    public Events events() {
        return events;
    }

    /** Tokens of each label and of those below it, special ones left out; in the order of the tree. */
    public SequencedMap<String, Long> tokensByLabel() {
        Map<String, Long> own = new LinkedHashMap<>();
        for (int token = 0; token < log.tokens(); token++) {
            if (!tokenizer.isSpecial(log.id(token))) {
                own.merge(label(token), 1L, Long::sum);
            }
        }
        return corpus.ontology().rollUp(own, Long::sum);
    }

    /** For each expert of a layer the tokens that met it, special ones too. */
    public long[] load(int layer) {
        long[] load = new long[experts];
        for (int token = 0; token < log.tokens(); token++) {
            count(layer, token, load);
        }
        return load;
    }

    /** How even {@link #load} is. */
    public Balance balance(int layer) {
        return Balance.of(load(layer));
    }

    /** Mean number of routed experts that a token met. */
    public double expertsPerToken(int layer) {
        return tokens() == 0 ? 0 : (double) Arrays.stream(load(layer)).sum() / tokens();
    }

    /**
     * For each label, and in it for each expert of a layer, the tokens that met it, special ones left out. Rolled up the
     * tree, in its order.
     */
    public SequencedMap<String, long[]> loadByLabel(int layer) {
        Map<String, long[]> own = new LinkedHashMap<>();
        long[][] byText = byText(layer);
        for (int text = 0; text < byText.length; text++) {
            own.merge(corpus.texts().get(text).label(), byText[text], ExpertUse::sum);
        }
        return corpus.ontology().rollUp(own, ExpertUse::sum);
    }

    /**
     * What an expert of a layer tells about the label of its token.
     *
     * @param depth of the tree at which labels are told apart: 0: the roots
     */
    public Information information(int layer, int depth) {
        List<String> seen = new ArrayList<>();
        int[] labels = new int[corpus.texts().size()];
        for (int text = 0; text < labels.length; text++) {
            String label = corpus.ontology().ancestor(corpus.texts().get(text).label(), depth);
            if (!seen.contains(label)) {
                seen.add(label);
            }
            labels[text] = seen.indexOf(label);
        }
        return Information.of(byText(layer), labels, seen.size() > 1 ? SHUFFLES : 0, SEED);
    }

    /**
     * For each expert of a layer the tokens that meet it more often than other experts, the most telling first.
     *
     * @param most     tokens of an expert
     * @param minCount how often a token must have met the expert: rare tokens tell anything
     */
    public List<List<TellingToken>> telling(int layer, int most, int minCount) {
        Map<Integer, long[]> byToken = new TreeMap<>();
        Map<Integer, Long> seen = new TreeMap<>();
        long[] byExpert = new long[experts];
        for (int token = 0; token < log.tokens(); token++) {
            int id = log.id(token);
            if (!tokenizer.isSpecial(id)) {
                count(layer, token, byToken.computeIfAbsent(id, key -> new long[experts]));
                count(layer, token, byExpert);
                seen.merge(id, 1L, Long::sum);
            }
        }
        double all = Arrays.stream(byExpert).sum();
        List<List<TellingToken>> telling = new ArrayList<>();
        for (int expert = 0; expert < experts; expert++) {
            List<TellingToken> candidates = new ArrayList<>();
            for (Map.Entry<Integer, long[]> entry : byToken.entrySet()) {
                long count = entry.getValue()[expert];
                double choices = Arrays.stream(entry.getValue()).sum();
                double pmi = count == 0 ? 0 : Information.log2(count * all / (choices * byExpert[expert]));
                if (count >= Math.max(1, minCount) && pmi > 0) {
                    int id = entry.getKey();
                    candidates.add(new TellingToken(id, tokenizer.decode(new int[] {id}), count, seen.get(id), pmi));
                }
            }
            candidates.sort(Comparator.comparingDouble(TellingToken::pmi)
                    .reversed()
                    .thenComparing(Comparator.comparingLong(TellingToken::count).reversed())
                    .thenComparingInt(TellingToken::id));
            telling.add(List.copyOf(candidates.subList(0, Math.min(most, candidates.size()))));
        }
        return telling;
    }

    /**
     * The loads of all layers in the form of an expert profile, which tells a model that does not fit into memory which
     * experts to keep there: {@code {"model": ..., "layers": {"1": [12, 0, 7, ...]}}}.
     *
     * @param model name of the model
     */
    public Map<String, Object> profile(String model) {
        Map<String, Object> layers = new LinkedHashMap<>();
        for (int layer : layers()) {
            layers.put(
                    Integer.toString(layer), Arrays.stream(load(layer)).boxed().toList());
        }
        Map<String, Object> profile = new LinkedHashMap<>();
        profile.put("model", model);
        profile.put("layers", layers);
        return profile;
    }

    private String label(int token) {
        return corpus.texts().get(log.textOf(token)).label();
    }

    /** (texts, experts). */
    private long[][] byText(int layer) {
        long[][] counts = new long[corpus.texts().size()][experts];
        for (int token = 0; token < log.tokens(); token++) {
            if (!tokenizer.isSpecial(log.id(token))) {
                count(layer, token, counts[log.textOf(token)]);
            }
        }
        return counts;
    }

    private void count(int layer, int token, long[] into) {
        for (int rank = 0; rank < log.perToken(); rank++) {
            int expert = log.expert(layer, token, rank);
            if (expert >= 0) {
                into[expert]++;
            }
        }
    }

    private static long[] sum(long[] a, long[] b) {
        long[] sum = a.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += b[i];
        }
        return sum;
    }
}
