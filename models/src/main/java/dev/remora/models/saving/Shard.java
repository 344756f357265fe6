package dev.remora.models.saving;

import dev.remora.core.checkpoint.SafetensorsOutput;
import dev.remora.core.checkpoint.TensorSpec;
import dev.remora.models.saving.NewCheckpoint.Group;
import dev.remora.models.saving.NewCheckpoint.Section;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.LongConsumer;

/** One file of tensors: where each of its parts' tensors goes, and the file while it is written. */
final class Shard {
    /** Data begins at a page, so that direct reads of large tensors need little more than their own bytes. */
    private static final int ALIGNMENT = 4096;

    private final String name;
    private final List<Part> parts;
    private final List<TensorSpec> tensors = new ArrayList<>();
    /** By part and its tensor: the place in the file. */
    private final int[][] index;

    private SafetensorsOutput output;
    private boolean finished;

    /** A tensor of a part. */
    private record Place(int part, int tensor, TensorSpec spec) {}

    private Shard(String name, List<Part> parts, List<Place> places) {
        this.name = name;
        this.parts = parts;
        index = new int[parts.size()][];
        for (int part = 0; part < index.length; part++) {
            index[part] = new int[parts.get(part).tensors().size()];
        }
        for (Place place : places) {
            index[place.part][place.tensor] = tensors.size();
            tensors.add(place.spec);
        }
    }

    /** Cuts a checkpoint into files. */
    static List<Shard> cut(NewCheckpoint checkpoint, long shardBytes) {
        List<List<Group>> contents = new ArrayList<>();
        List<Boolean> ordered = new ArrayList<>();
        for (Section section : checkpoint.sections()) {
            long bytes = 0;
            boolean open = false;
            for (Group group : section.groups()) {
                if (!open || bytes + group.bytes() > shardBytes) {
                    contents.add(new ArrayList<>());
                    ordered.add(section.ordered());
                    bytes = 0;
                    open = true;
                }
                contents.getLast().add(group);
                bytes += group.bytes();
            }
        }
        List<Shard> shards = new ArrayList<>();
        for (int i = 0; i < contents.size(); i++) {
            String name = contents.size() == 1
                    ? "model.safetensors"
                    : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, contents.size());
            shards.add(of(name, contents.get(i), ordered.get(i)));
        }
        return shards;
    }

    private static Shard of(String name, List<Group> groups, boolean ordered) {
        List<Part> parts = new ArrayList<>();
        List<Place> places = new ArrayList<>();
        for (Group group : groups) {
            int first = parts.size();
            parts.addAll(group.parts());
            int most = group.parts().stream()
                    .mapToInt(part -> part.tensors().size())
                    .max()
                    .orElse(0);
            for (int tensor = 0; tensor < most; tensor++) {
                for (int part = first; part < parts.size(); part++) {
                    List<TensorSpec> tensors = parts.get(part).tensors();
                    if (tensor < tensors.size()) {
                        places.add(new Place(part, tensor, tensors.get(tensor)));
                    }
                }
            }
        }
        if (!ordered && !aligned(places)) {
            places.sort(
                    Comparator.comparingInt((Place place) -> -place.spec.dtype().byteSize()));
        }
        return new Shard(name, parts, places);
    }

    /** Other readers view numbers in place, which some can only where each begins at a multiple of its size. */
    private static boolean aligned(List<Place> places) {
        long at = 0;
        for (Place place : places) {
            if (at % place.spec.dtype().byteSize() != 0) {
                return false;
            }
            at += place.spec.byteSize();
        }
        return true;
    }

    String name() {
        return name;
    }

    List<Part> parts() {
        return parts;
    }

    List<TensorSpec> tensors() {
        return tensors;
    }

    /** Makes a piece of a part and writes it. Any thread. */
    void write(Path folder, int part, int piece, LongConsumer written) {
        SafetensorsOutput out = output(folder);
        parts.get(part).make(piece, (tensor, at, bytes) -> {
            if (out.write(index[part][tensor], at, bytes)) {
                finish(out);
            }
            written.accept(bytes.byteSize());
        });
    }

    /** Created when its first piece is there: a large checkpoint has more files than a process may open. */
    private synchronized SafetensorsOutput output(Path folder) {
        if (output == null) {
            output = new SafetensorsOutput(folder.resolve(name), tensors, ALIGNMENT);
        }
        return output;
    }

    private synchronized void finish(SafetensorsOutput out) {
        out.finish();
        finished = true;
    }

    /** After all pieces; a file without any number had none. */
    synchronized void finish(Path folder) {
        if (!finished) {
            finish(output(folder));
        }
    }

    /** Closes the file, whatever it lacks. */
    synchronized void close() {
        if (output != null) {
            output.close();
        }
    }
}
