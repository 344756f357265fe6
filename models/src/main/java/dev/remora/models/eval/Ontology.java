package dev.remora.models.eval;

import dev.remora.core.CheckpointException;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.models.runtime.BundledModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.BinaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The labels of a corpus, a forest: {@code math.addition} under {@code math} under {@code reasoning}. Immutable.
 *
 * <p>Read from {@code labels.json}: an object {@code labels} with, for each label, {@code parent} (null: a root),
 * {@code about} and {@code answers}. {@code answers} is inherited from the parent and says how an answer is judged:
 * {@code exact}, {@code open}, or {@code exact, except 'Name …'}, which leaves questions that begin with {@code Name} open.
 */
public final class Ontology {
    private static final Pattern EXCEPTION = Pattern.compile("exact, except '(.+?)\\s*(?:…|\\.\\.\\.)'");

    private final String source;
    private final SequencedMap<String, Label> labels;

    /**
     * What a label inherits from its parent, or overrides.
     *
     * @param answersExactly answers are judged letter for letter
     * @param open           questions that begin so have several right answers all the same; null: none
     */
    private record Label(Optional<String> parent, String about, boolean answersExactly, String open) {}

    private Ontology(String source, SequencedMap<String, Label> labels) {
        this.source = source;
        this.labels = labels;
    }

    /**
     * That of the bundled corpus.
     *
     * @throws CheckpointException if the artifact remora-tiny is not on the class path or module path
     */
    public static Ontology bundled() {
        CheckpointSource files = BundledModel.source();
        return parse(files.read("labels.json"), files.describe("labels.json"));
    }

    /**
     * Reads a file.
     *
     * @throws CheckpointException if it cannot be read, or as {@link #parse} does
     */
    public static Ontology read(Path file) {
        return parse(bytes(file), file.toString());
    }

    /**
     * Reads the content of a {@code labels.json}.
     *
     * @param source names it in messages
     * @throws CheckpointException if a label's parent is missing, parents form a circle, or a value is not understood
     */
    public static Ontology parse(byte[] utf8, String source) {
        JsonObject all = Json.object(utf8, source).object("labels");
        if (all.keys().isEmpty()) {
            throw new CheckpointException(all.source() + ": expected at least one label, found none");
        }
        Map<String, List<String>> children = new LinkedHashMap<>();
        List<String> roots = new ArrayList<>();
        for (String label : all.keys()) {
            String parent = all.object(label).string("parent", null);
            if (parent == null) {
                roots.add(label);
            } else if (all.has(parent)) {
                children.computeIfAbsent(parent, key -> new ArrayList<>()).add(label);
            } else {
                throw new CheckpointException(all.object(label).source() + ": parent: expected a label of this file, or"
                        + " null for a root, found \"" + parent + "\"");
            }
        }
        SequencedMap<String, Label> ordered = new LinkedHashMap<>();
        Deque<String> open = new ArrayDeque<>(roots);
        while (!open.isEmpty()) {
            String label = open.removeFirst();
            ordered.put(label, label(all.object(label), ordered));
            children.getOrDefault(label, List.of()).reversed().forEach(open::addFirst);
        }
        for (String label : all.keys()) {
            if (!ordered.containsKey(label)) {
                throw new CheckpointException(all.object(label).source() + ": parent: expected a path to a root, whose"
                        + " parent is null, found a circle");
            }
        }
        return new Ontology(source, ordered);
    }

    private static Label label(JsonObject json, Map<String, Label> above) {
        Optional<String> parent = Optional.ofNullable(json.string("parent", null));
        Label inherited = parent.map(above::get).orElse(new Label(Optional.empty(), "", false, null));
        String about = json.string("about", "");
        String answers = json.string("answers", null);
        if (answers == null) {
            return new Label(parent, about, inherited.answersExactly, inherited.open);
        }
        Matcher except = EXCEPTION.matcher(answers);
        if (except.matches()) {
            return new Label(parent, about, true, except.group(1));
        }
        if (!answers.equals("exact") && !answers.equals("open")) {
            throw new CheckpointException(json.source() + ": answers: expected exact, open, or exact, except 'BEGINNING"
                    + " …', found \"" + answers + "\"");
        }
        return new Label(parent, about, answers.equals("exact"), null);
    }

    static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            String reason = Files.notExists(file)
                    ? "no such file"
                    : Files.isDirectory(file) ? "a folder, expected a file" : "cannot be read: " + e.getMessage();
            throw new CheckpointException(file + ": " + reason, e);
        }
    }

    /** Where this was read from, for messages. */
    public String source() {
        return source;
    }

    /** All labels, in the order of the tree: each before those below it, siblings as in the file. */
    public List<String> labels() {
        return List.copyOf(labels.sequencedKeySet());
    }

    public boolean contains(String label) {
        return labels.containsKey(label);
    }

    /** The label above; empty for a root. */
    public Optional<String> parent(String label) {
        return known(label).parent;
    }

    /** What the file says about a label; the empty string if nothing. */
    public String about(String label) {
        return known(label).about;
    }

    /** From the root down to the label itself. */
    public List<String> path(String label) {
        List<String> path = new ArrayList<>();
        for (Optional<String> at = Optional.of(label); at.isPresent(); at = parent(at.get())) {
            path.add(at.get());
        }
        return Collections.unmodifiableList(path.reversed());
    }

    /** Labels above this one: 0 for a root. */
    public int depth(String label) {
        return path(label).size() - 1;
    }

    /** Labels on the longest path. */
    public int levels() {
        return 1 + labels.keySet().stream().mapToInt(this::depth).max().orElse(0);
    }

    /** The label at this depth of the path; the label itself if its path is shorter. */
    public String ancestor(String label, int depth) {
        List<String> path = path(label);
        return path.get(Math.min(depth, path.size() - 1));
    }

    /** True if there is one right answer, so that {@link LabelledText#matches} decides. */
    public boolean judgedExactly(LabelledText text) {
        Label label = known(text.label());
        boolean excepted =
                label.open != null && text.question().orElse("").strip().startsWith(label.open);
        return label.answersExactly && text.question().isPresent() && !excepted;
    }

    /**
     * Adds up the tree: the value of each label and of all labels below it.
     *
     * @param byLabel values of single labels
     * @param add     joins two values into a new one
     * @return in the order of the tree; labels without any value below them are left out
     * @throws IllegalArgumentException if a label is unknown
     */
    public <T> SequencedMap<String, T> rollUp(Map<String, T> byLabel, BinaryOperator<T> add) {
        byLabel.keySet().forEach(this::known);
        SequencedMap<String, T> sums = new LinkedHashMap<>();
        for (String label : labels.keySet()) {
            T value = byLabel.get(label);
            if (value != null) {
                path(label).forEach(above -> sums.merge(above, value, add));
            }
        }
        SequencedMap<String, T> ordered = new LinkedHashMap<>();
        for (String label : labels.keySet()) {
            if (sums.containsKey(label)) {
                ordered.put(label, sums.get(label));
            }
        }
        return ordered;
    }

    private Label known(String label) {
        Label found = labels.get(label);
        if (found == null) {
            throw new IllegalArgumentException("label: expected one of " + labels.keySet() + ", found " + label);
        }
        return found;
    }
}
