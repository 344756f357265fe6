package dev.remora.cli;

import dev.remora.models.eval.Balance;
import dev.remora.models.eval.ExpertUse;
import dev.remora.models.eval.Information;
import dev.remora.models.eval.Ontology;
import dev.remora.models.eval.TellingToken;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * What {@code remora experts} found, in the numbers that all of its forms show.
 *
 * @param model  its name
 * @param uses   with the exact router, then with the policy if there is one
 * @param tokens of each label and those below it, special ones left out
 * @param layers those that are shown
 */
record ExpertsReport(String model, List<ExpertUse> uses, SequencedMap<String, Long> tokens, List<Layer> layers) {
    /**
     * One layer.
     *
     * @param reach       for each label and for each expert, the share of the label's tokens that meet the expert
     * @param information about the label, told apart at depth 0, 1, ...; empty if there is only one label
     * @param telling     for each expert its most telling tokens; empty if none were asked for
     * @param balances    for each of the uses
     */
    record Layer(
            int index,
            SequencedMap<String, List<Double>> reach,
            List<Information> information,
            List<List<TellingToken>> telling,
            List<Balance> balances) {
        /** The largest share, at least that of an even spread. */
        double top() {
            return reach.values().stream()
                    .flatMap(List::stream)
                    .mapToDouble(Double::doubleValue)
                    .max()
                    .orElse(0);
        }
    }

    static ExpertsReport of(String model, List<ExpertUse> uses, List<Integer> layers, int tokens, int minCount) {
        ExpertUse exact = uses.getFirst();
        SequencedMap<String, Long> byLabel = exact.tokensByLabel();
        List<Layer> shown = new ArrayList<>();
        for (int layer : layers) {
            SequencedMap<String, List<Double>> reach = new LinkedHashMap<>();
            for (Map.Entry<String, long[]> entry : exact.loadByLabel(layer).entrySet()) {
                double all = byLabel.getOrDefault(entry.getKey(), 0L);
                reach.put(
                        entry.getKey(),
                        Arrays.stream(entry.getValue())
                                .mapToObj(count -> all == 0 ? 0.0 : count / all)
                                .toList());
            }
            List<Information> information = new ArrayList<>();
            for (int depth = 0;
                    byLabel.size() > 1 && depth < exact.corpus().ontology().levels();
                    depth++) {
                information.add(exact.information(layer, depth));
            }
            shown.add(new Layer(
                    layer,
                    reach,
                    information,
                    tokens == 0 ? List.of() : exact.telling(layer, tokens, minCount),
                    uses.stream().map(use -> use.balance(layer)).toList()));
        }
        return new ExpertsReport(model, List.copyOf(uses), byLabel, shown);
    }

    ExpertUse exact() {
        return uses.getFirst();
    }

    Ontology ontology() {
        return exact().corpus().ontology();
    }

    /** Texts of the label and of those below it. */
    int texts(String label) {
        return exact().corpus().sizes().get(label);
    }

    /** What a share would be if all experts were used alike. */
    double even() {
        return layers.isEmpty() ? 0 : exact().expertsPerToken(layers.getFirst().index()) / exact().experts();
    }
}
