package dev.remora.models.saving;

import dev.remora.core.checkpoint.TensorSpec;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/**
 * What a new checkpoint holds.
 *
 * @param sections each begins a new file
 * @param files    beside the tensors, by name; config.json is among them
 */
public record NewCheckpoint(List<Section> sections, Map<String, MemorySegment> files) {
    static final String CONFIG = "config.json";

    /**
     * A run of tensors.
     *
     * @param groups  a group is never spread over two files
     * @param ordered whether the order must stay even where a tensor would begin at an odd place
     */
    public record Section(List<Group> groups, boolean ordered) {}

    /** Parts whose tensors lie together: first the first tensor of each, then the second of each. */
    public record Group(List<Part> parts) {
        long bytes() {
            return parts.stream()
                    .flatMap(part -> part.tensors().stream())
                    .mapToLong(TensorSpec::byteSize)
                    .sum();
        }
    }

    /** Tensors in an order that matters to nobody. */
    public static Section section(List<? extends Part> parts) {
        return new Section(parts.stream().map(part -> new Group(List.of(part))).toList(), false);
    }

    /** Bytes of all tensors. */
    public long tensorBytes() {
        return sections.stream()
                .flatMap(section -> section.groups.stream())
                .mapToLong(Group::bytes)
                .sum();
    }

    /** How many tensors there are. */
    public int tensors() {
        return sections.stream()
                .flatMap(section -> section.groups.stream())
                .flatMap(group -> group.parts.stream())
                .mapToInt(part -> part.tensors().size())
                .sum();
    }

    /** Bytes of all files, headers reckoned generously. */
    long diskBytes() {
        long small = files.values().stream().mapToLong(MemorySegment::byteSize).sum();
        return tensorBytes() + small + 1024L * tensors() + (1 << 20);
    }
}
