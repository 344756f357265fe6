package dev.remora.models.saving;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;

/**
 * A hidden folder that becomes the target at once, when it is complete. It lies beside a target that does not exist yet, and
 * in one that does, since that may be a disk of its own: its files then move up, config.json last, without which a folder
 * is no checkpoint.
 */
final class PartialFolder {
    private final Path target;
    private final boolean existed;
    private final Path path;
    private final Deque<Path> created = new ArrayDeque<>();
    private final List<Path> moved = new ArrayList<>();

    /** @param target a new or empty folder */
    PartialFolder(Path target) {
        this.target = target.toAbsolutePath().normalize();
        existed = Files.exists(target);
        String unique = UUID.randomUUID() + ".partial";
        path = existed
                ? this.target.resolve("." + unique)
                : this.target.resolveSibling("." + this.target.getFileName() + "-" + unique);
    }

    Path path() {
        return path;
    }

    /** The folder that exists already, nearest to the new files. */
    Path disk() {
        Path ancestor = path.getParent();
        while (!Files.exists(ancestor)) {
            ancestor = ancestor.getParent();
        }
        return ancestor;
    }

    void create() throws IOException {
        Deque<Path> missing = new ArrayDeque<>();
        for (Path folder = path; !Files.exists(folder); folder = folder.getParent()) {
            missing.push(folder);
        }
        for (Path folder : missing) {
            created.push(Files.createDirectory(folder));
        }
    }

    /** Moves the files to their places. */
    void publish(List<String> names) throws IOException {
        if (!existed) {
            Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
            return;
        }
        for (String name : names) {
            if (!name.equals(NewCheckpoint.CONFIG)) {
                moveUp(name);
            }
        }
        moveUp(NewCheckpoint.CONFIG);
        Files.delete(path);
    }

    private void moveUp(String name) throws IOException {
        moved.add(Files.move(path.resolve(name), target.resolve(name), StandardCopyOption.ATOMIC_MOVE));
    }

    /** Removes everything; a failure to do so must not hide the first one. */
    void remove(Throwable failure) {
        try {
            for (Path file : moved) {
                Files.deleteIfExists(file);
            }
            if (Files.isDirectory(path)) {
                try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
                    for (Path file : files) {
                        Files.delete(file);
                    }
                }
            }
            for (Path folder : created) {
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }
}
