package dev.remora.core.checkpoint;

import dev.remora.core.CheckpointException;
import java.util.Collection;
import java.util.stream.Collectors;

/** Names of the files of a checkpoint: some come from the index, so they are not to be trusted. */
final class FileNames {
    private static final int SHOWN = 8;

    private FileNames() {}

    /** Returns the name, if it is a plain file name that cannot lead out of its folder. */
    static String check(String name, String where) {
        boolean plain = !name.isBlank() && !name.equals(".") && !name.equals("..");
        boolean safe = name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c));
        if (!plain || !safe) {
            throw new CheckpointException(where + ": \"" + name + "\" is not a plain file name."
                    + " The files of a checkpoint lie side by side in one folder.");
        }
        return name;
    }

    /** The first names of a list, and how many more there are. */
    static String some(Collection<String> names) {
        if (names.isEmpty()) {
            return "none";
        }
        String first = names.stream().limit(SHOWN).collect(Collectors.joining(", "));
        return names.size() <= SHOWN ? first : first + " and " + (names.size() - SHOWN) + " more";
    }
}
