package dev.remora.models.convert;

import dev.remora.core.checkpoint.TensorSpec;
import dev.remora.models.convert.TensorNames.Expert;
import dev.remora.models.saving.CopiedPart;
import dev.remora.models.saving.NewCheckpoint.Group;
import dev.remora.models.saving.NewCheckpoint.Section;
import dev.remora.models.saving.Part;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Routed experts by layer and number, each as one run of bytes: gate, up, down, then their scales in the same order. */
final class ExpertOrder {
    private static final List<String> ORDER = List.of(
            "gate_proj.weight",
            "up_proj.weight",
            "down_proj.weight",
            "gate_proj.weight" + TensorNames.SCALE_SUFFIX,
            "up_proj.weight" + TensorNames.SCALE_SUFFIX,
            "down_proj.weight" + TensorNames.SCALE_SUFFIX);

    private final Map<Integer, Map<Integer, List<Part>>> layers = new TreeMap<>();

    /** Adds a part of which all tensors belong to one expert. */
    void add(Expert expert, Part part) {
        layers.computeIfAbsent(expert.layer(), layer -> new TreeMap<>())
                .computeIfAbsent(expert.expert(), number -> new ArrayList<>())
                .add(part);
    }

    int experts() {
        return layers.values().stream().mapToInt(Map::size).sum();
    }

    Section section() {
        List<Group> groups = new ArrayList<>();
        for (Map<Integer, List<Part>> experts : layers.values()) {
            for (List<Part> parts : experts.values()) {
                List<Part> sorted = new ArrayList<>(parts);
                sorted.sort(Comparator.comparingInt(ExpertOrder::place).thenComparing(ExpertOrder::name));
                groups.add(new Group(sorted));
            }
        }
        return new Section(groups, true);
    }

    /** True if the old checkpoint has every expert in this order already, each without a gap. */
    boolean isKept() {
        for (Group group : section().groups()) {
            long end = 0;
            for (Part part : group.parts()) {
                if (!(part instanceof CopiedPart copied)
                        || (end != 0 && copied.data().address() != end)) {
                    return false;
                }
                end = copied.data().address() + copied.data().byteSize();
            }
        }
        return true;
    }

    private static String name(Part part) {
        TensorSpec first = part.tensors().getFirst();
        return TensorNames.expert(first.name()).map(Expert::part).orElse(first.name());
    }

    private static int place(Part part) {
        int place = ORDER.indexOf(name(part));
        return place < 0 ? ORDER.size() : place;
    }
}
