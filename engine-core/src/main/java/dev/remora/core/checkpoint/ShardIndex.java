package dev.remora.core.checkpoint;

import dev.remora.core.CheckpointException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Which file holds which tensor: {@code {"weight_map": {"tensor": "file", ...}}}.
 *
 * @param files the files, sorted
 * @param fileOf tensor to file; null for a single file without an index
 * @param where the index's name, for messages
 */
record ShardIndex(List<String> files, Map<String, String> fileOf, String where) {
    private static final String AGAIN = " The shards and the index are of different revisions, or the download is"
            + " incomplete: download the checkpoint again.";

    /** Reads the index and makes sure that every file it names exists. */
    static ShardIndex read(CheckpointSource source, String name) {
        String where = source.describe(name);
        JsonObject map = Json.object(source.read(name), where).object("weight_map");
        Map<String, String> fileOf = new LinkedHashMap<>();
        for (String tensor : map.keys()) {
            fileOf.put(tensor, FileNames.check(map.string(tensor), map.source() + ": " + tensor));
        }
        if (fileOf.isEmpty()) {
            throw new CheckpointException(map.source() + ": expected at least one tensor, found none." + AGAIN);
        }
        List<String> files = List.copyOf(new TreeSet<>(fileOf.values()));
        List<String> missing = files.stream().filter(f -> !source.exists(f)).toList();
        if (!missing.isEmpty()) {
            throw new CheckpointException(where + ": expected " + files.size() + " shards beside it, found "
                    + (files.size() - missing.size()) + "; missing: " + FileNames.some(missing)
                    + ". Download the missing files.");
        }
        return new ShardIndex(files, fileOf, where);
    }

    /** Compares the index with what the shards hold, both ways. */
    void check(Map<String, Tensor> tensors, CheckpointSource source) {
        if (fileOf == null) {
            return;
        }
        fileOf.forEach((name, file) -> {
            Tensor tensor = tensors.get(name);
            String expected = source.describe(file);
            if (tensor == null || !tensor.file().equals(expected)) {
                throw new CheckpointException(where + ": tensor " + name + ": expected in " + expected + ", found "
                        + (tensor == null ? "in no shard." : "in " + tensor.file() + ".") + AGAIN);
            }
        });
        for (Tensor tensor : tensors.values()) {
            if (!fileOf.containsKey(tensor.name())) {
                throw new CheckpointException(
                        where + ": expected an entry of weight_map for every tensor, found none for " + tensor.name()
                                + " of " + tensor.file() + "." + AGAIN);
            }
        }
    }
}
